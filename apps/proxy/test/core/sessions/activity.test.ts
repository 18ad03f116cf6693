// When a session was last active is asked of whoever knows: here of a second source, which has seen more than the packet path.
import t from 'tap'
import { whole } from '#core/slices.js'
import { addressWords } from '#wire/address.js'
import { createCore } from '../../../src/core/core.js'
import { EndCause } from '../../../src/core/ledger/counters.js'
import { CONSUMED, FORWARD } from '../../../src/core/datagrams/packet-path.js'
import { bytesOf, servers, silentObserver, testOptions, tokenOf } from '../core-driver.js'

const client = addressWords('192.0.2.7')!
const TIMEOUT_MS = 1000

/** Two sessions on the default endpoint, in the slots 0 and 1; an engine has seen the first of them at `knownMs`. */
function setUp (knownMs: number, maxSessions = 2) {
  const core = createCore(testOptions({ sessionTimeoutMs: TIMEOUT_MS, limits: { maxSessions } }), silentObserver)
  const { state, operations, packets } = core
  const known = new Map<number, number>()
  state.activity = { lastSeen: slot => Math.max(known.get(slot) ?? 0, state.sessions.lastSeen(slot)) }
  operations.setDefaultTargets([servers.A])
  for (const port of [1000, 1001]) t.equal(packets.fromClient(0, client, port, bytesOf({ data: 'x' }), false, 0), FORWARD)
  known.set(0, knownMs)
  return { ...core, ended: () => state.counters.sessionsEnded[EndCause.timeout] }
}

void t.test('a sweep ends only sessions that nobody has seen', t => {
  const { operations, state, ended } = setUp(900)
  whole(operations.sweep(TIMEOUT_MS + 1), TIMEOUT_MS + 1)
  t.strictSame([state.sessions.isLive(0), state.sessions.isLive(1), ended()], [true, false, 1])
  t.strictSame(whole(operations.left(TIMEOUT_MS + 1), TIMEOUT_MS + 1), { sessions: 1, unredeemedTokens: 0 })
  whole(operations.sweep(900 + TIMEOUT_MS + 1), 900 + TIMEOUT_MS + 1)
  t.strictSame([state.sessions.size, ended()], [0, 2])
  t.end()
})

void t.test('a datagram in both directions finds the session', t => {
  const { packets, state, ended } = setUp(900)
  const now = TIMEOUT_MS + 1
  t.equal(packets.fromTarget(0, addressWords('10.0.0.1')!, 7001, 1, false, now), FORWARD)
  t.equal(packets.fromClient(0, client, 1000, bytesOf({ data: 'x' }), false, now), FORWARD)
  t.strictSame([state.sessions.serial(packets.session), ended()], [1, 0])
  t.end()
})

void t.test('people are shown what the source knows', t => {
  const { operations } = setUp(900)
  t.strictSame([0, 1].map(slot => operations.viewOf(slot, 950).idleMs), [50, 950])
  t.end()
})

void t.test('the session that gives way is the one that nobody has seen for longest', t => {
  const { packets, operations, state } = setUp(900)
  operations.grant({ token: tokenOf('one'), target: servers.B, ttlMs: 1000, consumed: 0 }, 0)
  t.equal(packets.fromClient(0, client, 1002, bytesOf({ token: 'one' }), false, 950), CONSUMED)
  t.strictSame([state.sessions.serial(0), state.sessions.serial(1), state.counters.sessionsEnded[EndCause.evicted]], [1, 3, 1])
  t.end()
})
