// The state log by itself: what one core writes another one restores, whatever was under way.
import t from 'tap'
import { createFakeClock, type FakeClock } from '#testkit/fake-clock.js'
import { addressWords, formatAddress } from '#wire/address.js'
import { createCore, type Core } from '../../src/core/core.js'
import { Direction } from '../../src/core/ledger/counters.js'
import { DropReason } from '../../src/core/ledger/drop-reason.js'
import type { CoreOptions } from '../../src/core/datagrams/options.js'
import { CONSUMED, FORWARD } from '../../src/core/datagrams/packet-path.js'
import { restoreSessions, type RestoreReport } from '../../src/state/restore.js'
import { loadSavedState } from '../../src/state/saved-state.js'
import { StateLog } from '../../src/state/state-log.js'
import { bytesOf, servers, silentObserver, testOptions, tokenOf } from '../core/core-driver.js'
import { MemoryStorage } from '#testkit/memory-storage.js'
import { tokensIn } from './tokens-in.js'

const dataPorts = [{ name: 'game', port: 7777 }, { name: 'voice', port: 7778 }]
const names = dataPorts.map(({ name }) => name)

class Life {
  readonly core: Core
  readonly log: StateLog
  readonly clock: FakeClock
  readonly health: string[] = []
  readonly report: RestoreReport

  constructor (storage: MemoryStorage, clock: FakeClock, run: string, overrides: Partial<CoreOptions> = {}) {
    this.clock = clock
    this.core = createCore(testOptions(overrides), silentObserver)
    const saved = loadSavedState(storage, names)
    this.report = restoreSessions(this.core.state, saved, { shard: 0, shards: 1, clock })
    for (const { token, target, ttlMs, consumed } of tokensIn(saved, clock).tokens) {
      this.core.operations.grant({ token, target, ttlMs, consumed }, clock.now())
    }
    this.log = new StateLog({
      storage,
      state: this.core.state,
      clock,
      header: { run, bootId: clock.boot()?.id, shard: 0, shards: 1, generation: saved.nextGeneration, dataPorts },
      onHealth: report => { this.health.push(report.status) },
      growthBytes: 16 * 1024
    })
    this.log.open()
    for (const name of saved.names) storage.remove(name)
  }

  grant (name: string, server: keyof typeof servers): void {
    this.core.operations.grant({ token: tokenOf(name), target: servers[server], ttlMs: 30_000, consumed: 0 }, this.clock.now())
  }

  client (port: number, payload: Parameters<typeof bytesOf>[0], dataPort = 0, local = 0): number {
    const bytes = bytesOf(payload)
    const verdict = this.core.packets.fromClient(dataPort, addressWords('192.0.2.7')!, port, bytes, false, this.clock.now(), 0, bytes.length, local)
    this.log.flush()
    return verdict
  }

  sessions (): unknown[] {
    const { sessions, flows } = this.core.state
    return Array.from({ length: sessions.highWater }, (_, slot) => slot).filter(slot => sessions.isLive(slot)).map(slot => {
      const { client, target, origin } = this.core.operations.viewOf(slot, this.clock.now())
      const sockets = [0, 1].map(dataPort => flows.findInList(sessions.firstFlow(slot), dataPort)).map(flow => flow < 0 ? -1 : flows.socket(flow))
      return { client, target: target.key, origin, sockets, serial: sessions.serial(slot), hasRedeemed: sessions.hasRedeemed(slot) }
    }).sort((one, other) => one.client.localeCompare(other.client))
  }
}

void t.test('another life goes on where the former one was killed', async t => {
  const storage = new MemoryStorage()
  const clock = createFakeClock()
  const one = new Life(storage, clock, 'one')
  one.core.operations.setDefaultTargets([servers.D])
  for (const [index, name] of ['p', 'q', 'r'].entries()) {
    one.grant(name, 'A')
    t.equal(one.client(1000 + index, { token: name }), CONSUMED)
    t.equal(one.client(1000 + index, { data: 'x' }), FORWARD)
  }
  one.client(1001, { data: 'x' }, 1)
  one.client(2000, { data: 'guest' })
  // The second of three leaves: its socket number is free later, not now.
  one.grant('s', 'B')
  one.client(1001, { control: 's' })
  one.client(1001, { data: 'x' })
  one.grant('live', 'C')
  one.log.flush()
  const before = one.sessions()
  t.equal(before.length, 4)

  clock.advance(5000)
  const two = new Life(storage, clock, 'two')
  t.strictSame(two.sessions(), before)
  t.equal(two.core.state.flows.lingering, 2, 'pairs that were left linger on')
  t.equal(two.client(3000, { token: 'q' }), DropReason.noSession, 'redeemed stays redeemed: no session by it, and no default endpoint yet')
  t.equal(two.client(3001, { token: 'live' }), CONSUMED)
  t.equal(two.client(1001, { token: 's' }), CONSUMED, 'a retransmission is known')
  two.grant('t', 'A')
  two.client(4000, { token: 't' })
  two.client(4000, { data: 'x' })
  const taken = two.core.state.flows.socket(two.core.packets.flow)
  t.equal(taken, 3, 'not the pair that lingers')
  t.equal(storage.logs.size, 1, 'the former log is gone')
})

void t.test('replies come from where the clients sent to, in the next life too', async t => {
  const storage = new MemoryStorage()
  const clock = createFakeClock()
  const one = new Life(storage, clock, 'one')
  one.core.operations.setDefaultTargets([servers.A])
  const texts = ['192.0.2.1', '192.0.2.2', '2001:db8::1', 'fe80::1']
  const zones = [0, 0, 0, 3]
  const [first, second, third, fourth] = texts.map((text, index) => one.core.state.locals.intern(addressWords(text)!, zones[index]!))
  for (const [index, local] of [first, second, third, fourth].entries()) one.client(1000 + index, { data: 'x' }, 0, local)
  one.client(1000, { data: 'x' }, 1, second)
  // The address a client sent to last counts.
  one.client(1001, { data: 'x' }, 0, first)
  one.client(1001, { data: 'x' }, 0, third)
  one.client(1004, { data: 'x' })

  const two = new Life(storage, clock, 'two')
  const { sessions, flows, locals } = two.core.state
  const seen = Array.from({ length: sessions.highWater }, (_, slot) => slot).map(slot => [0, 1].map(dataPort => {
    const flow = flows.findInList(sessions.firstFlow(slot), dataPort)
    const words = new Uint32Array(4)
    if (flow < 0) return '-'
    if (flows.local(flow) === 0) return 'any'
    const zone = locals.read(flows.local(flow), words)
    return `${formatAddress(words)}${zone === 0 ? '' : `%${zone}`}`
  }))
  t.strictSame(seen, [['192.0.2.1', '192.0.2.2'], ['2001:db8::1', '-'], ['2001:db8::1', '-'], ['fe80::1%3', '-'], ['any', '-']])
  t.equal(locals.size, 4)
})

void t.test('a client that is believed is believed by the next life too', async t => {
  for (const [datagrams, answered] of [[1, DropReason.amplification], [2, FORWARD]] as const) {
    const storage = new MemoryStorage()
    const clock = createFakeClock()
    const { limits } = testOptions()
    const bounded = { limits: { ...limits, amplificationFactor: 3 } }
    const one = new Life(storage, clock, 'one', bounded)
    one.core.operations.setDefaultTargets([servers.A])
    for (let count = 0; count < datagrams; count++) one.client(2000, { data: 'hello' })
    const two = new Life(storage, clock, 'two', bounded)
    t.equal(two.core.packets.fromTarget(0, addressWords(servers.A.address)!, servers.A.ports[0]!, 1000, false, clock.now()), answered)
  }
})

void t.test('who was away for too long is not there any more', async t => {
  const storage = new MemoryStorage()
  const clock = createFakeClock()
  const one = new Life(storage, clock, 'one')
  one.grant('p', 'A')
  one.client(1000, { token: 'p' })
  clock.advance(300_001)
  t.strictSame(new Life(storage, clock, 'two').sessions(), [])
})

void t.test('a smaller table takes what it holds', async t => {
  const storage = new MemoryStorage()
  const clock = createFakeClock()
  const one = new Life(storage, clock, 'one')
  for (let index = 0; index < 10; index++) {
    one.grant(`t${index}`, 'A')
    one.client(1000 + index, { token: `t${index}` })
    one.client(1000 + index, { data: 'x' })
  }
  const { limits } = testOptions()
  const two = new Life(storage, clock, 'two', { limits: { ...limits, maxSessions: 4, maxUpstreamSockets: 3 } })
  t.equal(two.core.state.sessions.size, 4)
  t.equal(two.sessions().filter(session => (session as { sockets: number[] }).sockets[0]! >= 0).length, 3)
})

void t.test('a log that grows is begun anew, a slice at a time, and a kill at any moment loses nothing', async t => {
  const storage = new MemoryStorage()
  const clock = createFakeClock()
  const { limits } = testOptions()
  const large = { limits: { ...limits, maxSessions: 2000, maxTokens: 10_000, maxUpstreamSockets: 4000 } }
  const life = new Life(storage, clock, 'one', large)
  for (let index = 0; index < 1200; index++) {
    life.grant(`n${index.toString(36)}`, 'A')
    life.client(1000 + index, { token: `n${index.toString(36)}` })
    life.client(1000 + index, { data: 'x' })
  }
  let generations = 0
  let most = 0
  let former = [...storage.logs.keys()].join()
  for (let turn = 0; turn < 200; turn++) {
    clock.advance(100)
    const name = `m${turn.toString(36)}`
    life.grant(name, turn % 2 === 0 ? 'B' : 'A')
    for (let reset = 0; reset < 10; reset++) {
      life.grant(`${name}${reset}`, reset % 2 === 0 ? 'B' : 'A')
      life.client(1000 + (turn * 10 + reset) % 1200, { control: `${name}${reset}` })
    }
    life.log.tick()
    most = Math.max(most, storage.logs.size)
    const present = [...storage.logs.keys()].join()
    if (present !== former) generations++
    former = present
    if (turn % 5 > 0) continue
    const copy = new MemoryStorage()
    for (const [log, bytes] of storage.logs) copy.logs.set(log, bytes)
    t.strictSame(new Life(copy, clock, 'other', large).sessions().map(session => ({ ...session as object, sockets: [] })), life.sessions().map(session => ({ ...session as object, sockets: [] })), `turn ${turn}`)
  }
  t.ok(generations >= 2, 'it was begun anew')
  t.equal(most, 2, 'and the former one kept meanwhile')
})

void t.test('counters go on, and what was under way has been lost', async t => {
  const storage = new MemoryStorage()
  const clock = createFakeClock()
  const one = new Life(storage, clock, 'one')
  one.grant('p', 'A')
  one.client(1000, { token: 'p' })
  one.client(1000, { data: 'sent' })
  one.core.state.counters.countProxied(Direction.toTarget, 0, 4)
  one.client(1000, { data: 'not sent' })
  clock.advance(100)
  one.log.tick()
  const { counters } = new Life(storage, clock, 'two').core.state
  t.equal(counters.received[0], 3)
  t.equal(counters.dropped[DropReason.restart], 1)
  t.equal(counters.inFlight(Direction.toTarget), 0)
  t.equal(counters.inFlight(Direction.toClient), 0)
})

void t.test('a full disk is said once, and written to again when there is room', async t => {
  const storage = new MemoryStorage()
  const clock = createFakeClock()
  const one = new Life(storage, clock, 'one')
  one.grant('p', 'A')
  storage.room = 10
  one.client(1000, { token: 'p' })
  t.strictSame(one.health, ['failed'])
  t.strictSame([...storage.logs.keys()], [], 'a log with a gap is worse than none')
  t.equal(one.log.bytes, 0)
  one.client(1000, { data: 'x' })
  clock.advance(1000)
  one.log.tick()
  t.equal(one.log.faults, 2, 'it is tried again at once')
  clock.advance(1000)
  one.log.tick()
  t.equal(one.log.faults, 2, 'and then only every now and then')
  storage.room = Infinity
  clock.advance(10_000)
  for (let tick = 0; tick < 3; tick++) one.log.tick()
  t.strictSame(one.health, ['failed', 'written'])
  t.strictSame(new Life(storage, clock, 'two').sessions(), one.sessions())
})
