// What the tables give back when something is refused, moved or comes to its end: nothing is held for nobody.
import t from 'tap'
import { whole } from '#core/slices.js'
import { addressWords } from '#wire/address.js'
import { createCore } from '../../src/core/core.js'
import { FlowTable } from '../../src/core/datagrams/flow-table.js'
import { SessionTable } from '../../src/core/tables/session-table.js'
import { bytesOf, servers, silentObserver, testOptions, tokenOf } from './core-driver.js'

const client = addressWords('192.0.2.7')!
const key = Uint32Array.of(...client, 1000)
const nowhere = { datagramsToTarget: 0, bytesToTarget: 0, datagramsToClient: 0, bytesToClient: 0 }
const target = { words: addressWords('10.0.0.1')!, address: '10.0.0.1', isIPv4: true }

void t.test('a session is written when it speaks after half its time, and with its second datagram', t => {
  const sessions = new SessionTable(4, 1, 1000)
  const slot = sessions.insert(key, 0)
  const marks = sessions.changes.join()
  const isWritten = (act: () => void): boolean => {
    marks.clear()
    act()
    return marks.size > 0
  }
  t.notOk(isWritten(() => { sessions.touch(slot, 500) }))
  t.ok(isWritten(() => { sessions.touch(slot, 1001) }))
  t.strictSame([1, 2, 3].map(() => isWritten(() => { sessions.countToTarget(slot, 5) })), [false, true, false])
  t.end()
})

void t.test('a slot that is used again knows nothing of its former tenant, and a restored serial is never given again', t => {
  const sessions = new SessionTable(1, 1, 1000)
  const slot = sessions.insert(key, 0)
  sessions.countToTarget(slot, 5)
  sessions.countToClient(slot, 6)
  sessions.remove(slot)
  t.equal(sessions.insert(key, 0), slot)
  t.strictSame(sessions.traffic(slot), nowhere)
  sessions.restore(slot, { serial: 9, createdAt: 0, ...nowhere })
  sessions.restore(slot, { serial: 3, createdAt: 0, ...nowhere })
  sessions.remove(slot)
  t.equal(sessions.serial(sessions.insert(key, 0)), 10)
  t.end()
})

void t.test('a flow is restored to its socket, once, if there is such a socket', t => {
  const flows = new FlowTable({ capacity: 2, maxEndpoints: 2, maxSockets: 4, lingerMs: 100, seed: 1 })
  t.equal(flows.restore(0, 0, target, 7000, 4, -1, 0), -1, 'no such socket')
  const flow = flows.restore(0, 0, target, 7000, 3, -1, 0)
  t.equal(flows.socket(flow), 3)
  t.equal(flows.restore(1, 0, target, 7000, 3, -1, 0), -1, 'it has an owner')
  t.equal(flows.findBySource(3, target.words, 7000), flow)
  t.equal(flows.size, 1, 'what was refused holds no place')
  t.ok(flows.restore(1, 0, target, 7001, 0, -1, 0) >= 0)
  t.end()
})

void t.test('a token that is refused and a session that is moved hold no target longer than needed', t => {
  const { state, operations, packets } = createCore(testOptions({ limits: { maxTokens: 1 } }), silentObserver)
  const grant = (name: string, server: keyof typeof servers): unknown => operations.grant({ token: tokenOf(name), target: servers[server], ttlMs: 1000, consumed: 0 }, 0)
  grant('p', 'A')
  t.equal(grant('q', 'B'), 'TOKEN_TABLE_FULL')
  t.equal(state.targets.size, 1)
  packets.fromClient(0, client, 1000, bytesOf({ token: 'p' }), false, 0)
  operations.moveSession(0, servers.C, 0)
  operations.revoke(tokenOf('p'))
  operations.endSession(0, 0)
  t.equal(state.targets.size, 0)
  t.end()
})

void t.test('a sweep says how many sessions ended, and no slot beyond the last is looked up', t => {
  const { operations } = createCore(testOptions(), silentObserver)
  t.equal(operations.slotOf('3-0', 0), -1)
  const core = createCore(testOptions(), silentObserver)
  core.operations.setDefaultTargets([servers.A])
  for (const port of [1000, 1001]) core.packets.fromClient(0, client, port, bytesOf({ data: 'x' }), false, 0)
  t.equal(whole(core.operations.sweep(300_001), 300_001), 2)
  t.end()
})
