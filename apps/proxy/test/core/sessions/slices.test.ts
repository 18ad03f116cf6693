// Work over whole tables, slice by slice, with datagrams in between.
import t from 'tap'
import { whole } from '#core/slices.js'
import { addressWords } from '#wire/address.js'
import { createCore, type Core } from '../../../src/core/core.js'
import { DropReason } from '../../../src/core/ledger/drop-reason.js'
import type { CoreOptions } from '../../../src/core/datagrams/options.js'
import { CONSUMED, FORWARD } from '../../../src/core/datagrams/packet-path.js'
import { closeInSlices } from '../../../src/engines/engine.js'
import { bytesOf, servers, silentObserver, testOptions, tokenOf } from '../core-driver.js'

const home = addressWords('192.0.2.7')!
const TIMEOUT_MS = 1000
const SESSIONS = 40
const CHANGES = 3

function setUp (options: Partial<CoreOptions> = {}): Core {
  const core = createCore(testOptions({ sessionTimeoutMs: TIMEOUT_MS, slice: { looks: 400, changes: CHANGES }, ...options }), silentObserver)
  core.operations.setDefaultTargets([servers.D])
  for (let port = 1; port <= SESSIONS; port++) send(core, port, 0)
  return core
}

function send (core: Core, port: number, now: number, bytes: Uint8Array = Buffer.from('data')): number {
  return core.packets.fromClient(0, home, port, bytes, false, now)
}

void t.test('a sweep ends few sessions at a time, and none that has come back meanwhile', t => {
  const core = setUp()
  const { sessions, targets } = core.state
  const sweep = core.operations.sweep(TIMEOUT_MS + 1)
  // Refreshed before its time is over.
  send(core, SESSIONS, TIMEOUT_MS)
  let before = sessions.size
  let slices = 0
  for (let slice = sweep.next(TIMEOUT_MS + 1); slice.done !== true; slice = sweep.next(TIMEOUT_MS + 1)) {
    t.ok(before - sessions.size <= CHANGES, `${before - sessions.size} in one slice`)
    t.equal(targets.sessionsOf('D'), sessions.size, 'counts are right between slices')
    // The last but one is idle and not swept yet: from its first datagram on it is another session.
    if (slices++ === 1) {
      const idle = core.operations.idOf(SESSIONS - 2)
      t.equal(core.operations.slotOf(idle, TIMEOUT_MS + 1), -1, 'not there, however late the sweep comes')
      t.equal(send(core, SESSIONS - 1, TIMEOUT_MS + 1), FORWARD)
      t.not(core.operations.idOf(core.packets.flow < 0 ? -1 : core.state.flows.session(core.packets.flow)), idle)
    }
    before = sessions.size
  }
  t.ok(slices > SESSIONS / CHANGES - 2, `${slices} slices`)
  t.equal(sessions.size, 2)
  t.equal(core.state.counters.sessionsEnded[0], SESSIONS - 1, 'each once, by the sweep or by its next datagram')
  t.equal(targets.sessionsOf('D'), 2)
  t.end()
})

void t.test('a reply to a session that is idle and not swept yet is stale', t => {
  const core = setUp()
  const { sessions, flows } = core.state
  const flow = sessions.firstFlow(SESSIONS - 1)
  core.operations.sweep(TIMEOUT_MS + 1).next(TIMEOUT_MS + 1)
  t.ok(sessions.isLive(SESSIONS - 1), 'the sweep has not come to it')
  t.equal(core.packets.fromTarget(flows.socket(flow), addressWords(servers.D.address)!, servers.D.ports[0]!, 4, false, TIMEOUT_MS + 1), DropReason.staleTarget)
  t.end()
})

void t.test('tokens and lingering pairs go few at a time as well', t => {
  const core = setUp()
  for (let index = 0; index < 20; index++) core.operations.grant({ token: tokenOf(`t${index}`), target: servers.A, ttlMs: 1000, consumed: 0 }, 0)
  const { tokens, flows } = core.state
  const now = 40_000
  whole(core.operations.sweep(2000), 2000)
  t.equal(flows.lingering, SESSIONS)
  const sweep = core.operations.sweep(now)
  for (let step = sweep.next(now), before = tokens.size + flows.lingering; step.done !== true; step = sweep.next(now)) {
    t.ok(before - tokens.size - flows.lingering < 2 * CHANGES)
    before = tokens.size + flows.lingering
  }
  t.same([tokens.size, flows.lingering, tokens.expiredUnused], [0, 0, 20])
  t.end()
})

void t.test('sessions leave a target that is gone few at a time; candidates that go meanwhile are not moved to', t => {
  const core = setUp({ onTargetGone: 'default' })
  core.operations.setDefaultTargets([servers.B])
  const leave = core.operations.leaveTargets([{ key: 'D', stays: undefined }], 1)
  leave.next(1)
  t.equal(core.state.targets.sessionsOf('B'), CHANGES)
  core.operations.setDefaultTargets([servers.C])
  leave.next(1)
  t.equal(core.state.targets.sessionsOf('C'), CHANGES)
  core.operations.setDefaultTargets([])
  t.same([...whole(leave, 1)], [['D', SESSIONS - 2 * CHANGES]], 'with no candidate left they are kept')
  t.equal(core.state.counters.targetsGone.reduce((sum, count) => sum + count, 0), 2, 'moved, and kept')
  t.end()
})

void t.test('a token that is redeemed while a drain counts is counted at least once', t => {
  const core = createCore(testOptions({ slice: { looks: 1, changes: 1 } }), silentObserver)
  for (const name of ['a', 'b', 'c']) core.operations.grant({ token: tokenOf(name), target: servers.A, ttlMs: 30_000, consumed: 0 }, 0)
  for (let steps = 0; steps < 5; steps++) {
    const left = core.operations.left(0)
    for (let step = 0; step < steps; step++) left.next(0)
    core.operations.grant({ token: tokenOf(`n${steps}`), target: servers.A, ttlMs: 30_000, consumed: 0 }, 0)
    const before = core.state.sessions.size
    t.equal(send(core, 100 + steps, 0, bytesOf({ token: ['a', 'b', 'c', 'n0', 'n1'][steps]! })), CONSUMED)
    t.equal(core.state.sessions.size, before + 1)
    const { sessions, unredeemedTokens } = whole(left, 0)
    t.ok(sessions + unredeemedTokens >= 3, `${sessions} and ${unredeemedTokens}`)
  }
  t.end()
})

void t.test('candidates that are replaced are let go of few at a time', t => {
  const core = createCore(testOptions({ slice: { looks: 400, changes: CHANGES } }), silentObserver)
  const { operations, state: { targets } } = core
  const specs = Array.from({ length: 15 }, (_, index) => ({ key: `k${index}`, address: '10.0.0.9', ports: [7000, 0] }))
  operations.setDefaultTargets(specs)
  operations.setDefaultTargets([servers.A])
  let before = targets.size
  for (const forgetting = operations.forgetCandidates(); forgetting.next(0).done !== true;) {
    t.ok(before - targets.size <= CHANGES)
    before = targets.size
  }
  t.equal(targets.size, 1)
  t.end()
})

void t.test('sockets that nobody uses are closed few at a time, also when others come meanwhile', t => {
  const open: boolean[] = Array.from({ length: 200 }, () => true)
  let closed = 0
  const closing = closeInSlices(() => open.length, index => open[index]!, index => {
    open[index] = false
    closed++
  })
  let slices = 0
  for (let before = closed; closing.next(0).done !== true; before = closed) {
    t.ok(closed - before <= 32, `${closed - before} in one slice`)
    if (slices++ === 0) open.push(true)
  }
  t.ok(slices >= 6)
  t.equal(closed, 201)
  t.end()
})
