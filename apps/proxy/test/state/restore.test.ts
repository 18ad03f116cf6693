// What another life makes of the logs, where it is easy to be a little wrong.
import t from 'tap'
import { createFakeClock, type FakeClock } from '#testkit/fake-clock.js'
import { markedToken, TOKEN_KEY } from '#testkit/objects/marked-token.js'
import { addressWords } from '#wire/address.js'
import { tokenKeyFrom } from '#wire/token-mac.js'
import { createCore, type Core } from '../../src/core/core.js'
import { Direction, EndCause } from '../../src/core/ledger/counters.js'
import { DropReason } from '../../src/core/ledger/drop-reason.js'
import { CONSUMED, FORWARD, HELD } from '../../src/core/datagrams/packet-path.js'
import { originByte } from '../../src/state/format/layout.js'
import { Origin } from '../../src/core/tables/session-table.js'
import { restoreSessions, restoreTokens, type RestoreReport } from '../../src/state/restore.js'
import { loadSavedState } from '../../src/state/saved-state.js'
import { savedTokens } from '../../src/state/saved-tokens.js'
import { StateLog } from '../../src/state/state-log.js'
import { bytesOf, servers, silentObserver, testOptions, tokenOf } from '../core/core-driver.js'
import { MemoryStorage } from '#testkit/memory-storage.js'
import { tokensIn } from './tokens-in.js'

const dataPorts = [{ name: 'game', port: 7777 }, { name: 'voice', port: 7778 }]
const names = dataPorts.map(({ name }) => name)
const client = addressWords('192.0.2.7')!

interface Place {
  readonly run?: string
  readonly shard?: number
  readonly shards?: number
  readonly generation?: number
}

class Life {
  readonly core = createCore(testOptions({ sessionTimeoutMs: 100_000 }), silentObserver)
  readonly log: StateLog
  readonly clock: FakeClock

  constructor (storage: MemoryStorage, clock: FakeClock, { run = 'one', shard = 0, shards = 1, generation = 1 }: Place = {}) {
    this.clock = clock
    this.log = new StateLog({ storage, state: this.core.state, clock, header: { run, bootId: 'fake-boot', shard, shards, generation, dataPorts }, onHealth: ({ error }) => { if (error !== undefined) throw error } })
    this.log.open()
    this.core.operations.setDefaultTargets([servers.A])
  }

  grant (name: string, ttlMs = 30_000, server: keyof typeof servers = 'B'): void {
    this.core.operations.grant({ token: tokenOf(name), target: servers[server], ttlMs, consumed: 0 }, this.clock.now())
    this.log.flush()
  }

  send (port: number, payload: Parameters<typeof bytesOf>[0], dataPort = 0): number {
    const verdict = this.core.packets.fromClient(dataPort, client, port, bytesOf(payload), false, this.clock.now())
    this.log.flush()
    return verdict
  }
}

function restored (storage: MemoryStorage, clock: Pick<FakeClock, 'now' | 'boot' | 'wallNow'>, shard = 0, shards = 1): { core: Core, report: RestoreReport } {
  const core = createCore(testOptions({ sessionTimeoutMs: 100_000 }), silentObserver)
  return { core, report: restoreSessions(core.state, loadSavedState(storage, names), { shard, shards, clock }) }
}

function setUp (): { storage: MemoryStorage, clock: FakeClock, life: Life } {
  const storage = new MemoryStorage()
  const clock = createFakeClock(1000)
  return { storage, clock, life: new Life(storage, clock) }
}

/** The clock of a process that has only just begun. */
function begunAnew (clock: FakeClock): Pick<FakeClock, 'now' | 'boot' | 'wallNow'> {
  const startMs = clock.now()
  return { ...clock, now: () => clock.now() - startMs }
}

void t.test('of several lives that left everything the latest counts, in whatever order they are found', t => {
  for (const generations of [[1, 2], [2, 1]]) {
    const storage = new MemoryStorage()
    for (const generation of generations) new Life(storage, createFakeClock(), { run: `run ${generation}`, generation }).send(generation, { data: 'x' })
    t.equal(restored(storage, createFakeClock()).core.operations.clientOf(0), '192.0.2.7:2')
    t.notOk(loadSavedState(storage, names).isOutdated)
  }
  t.end()
})

void t.test('a log under the name of another, and one that says nothing', t => {
  const { storage } = setUp()
  const bytes = storage.read('0.1')
  storage.remove('0.1')
  storage.logs.set('0.5', bytes)
  t.strictSame(loadSavedState(storage, names).faulty, [{ name: '0.5', reason: 'corrupt' }])
  storage.remove('0.5')
  // Only its header was written.
  storage.logs.set('0.1', bytes.subarray(0, bytes.length / 4))
  const { shardCount, bootId, shards } = loadSavedState(storage, names)
  t.strictSame([shardCount, bootId, shards.size], [0, undefined, 0])
  t.end()
})

void t.test('tokens of two shards: what any of them knows counts, and all of them have to be there', t => {
  const storage = new MemoryStorage()
  const clock = createFakeClock()
  const lives = [0, 1].map(shard => new Life(storage, clock, { shard, shards: 2 }))
  const saved = (now = clock) => tokensIn(loadSavedState(storage, names), now)
  for (const [shard, life] of lives.entries()) {
    life.grant('p', shard === 0 ? 20_000 : 30_000)
    life.grant('w')
    t.equal(life.send(1, { token: 'p' }, shard), CONSUMED)
  }
  lives[0]!.core.operations.withdraw(tokenOf('w'))
  // The other one was killed before it heard of that, and had redeemed it.
  lives[1]!.send(2, { token: 'w' })
  lives[0]!.log.flush()
  clock.advance(0.5)
  t.match(saved(), { tokens: [{ token: tokenOf('p'), ttlMs: 19_999, consumed: 0b11 }], withdrawn: [tokenOf('w')] })
  t.equal(saved().tokens.length, 1)
  clock.advance(19_999)
  t.strictSame(saved().tokens, [], 'less than a millisecond is nothing')
  storage.remove('1.1')
  t.strictSame(tokensIn(loadSavedState(storage, names), createFakeClock()).tokens, [])
  t.end()
})

void t.test('with another number of shards every session comes back once, on new ports, and counters count once', t => {
  const { storage, clock, life } = setUp()
  for (let port = 1; port <= 20; port++) t.equal(life.send(port, { data: 'x' }), FORWARD)
  clock.advance(100)
  life.log.tick()
  const [one, two] = [restored(storage, clock, 0, 2), restored(storage, clock, 1, 2)]
  t.equal(one.report.sessions + two.report.sessions, 20)
  t.ok(one.report.sessions > 0 && two.report.sessions > 0)
  t.equal(one.report.moved, one.report.sessions)
  t.equal(one.core.state.flows.size, 0)
  t.strictSame([one, two].map(({ core }) => core.state.counters.received[0]), [20, 0])
  t.end()
})

void t.test('a client that two shards had comes back once', t => {
  const storage = new MemoryStorage()
  const clock = createFakeClock()
  for (const shard of [0, 1]) new Life(storage, clock, { shard, shards: 2 }).send(7, { data: 'x' })
  const { core, report } = restored(storage, clock)
  t.strictSame([report.sessions, report.refused, core.state.sessions.size], [1, 1, 1])
  t.end()
})

void t.test('idle for just the time-out is not too long; a session that was is counted as one that timed out', t => {
  for (const [awayMs, sessions] of [[100_000, 1], [100_001, 0]] as const) {
    const { storage, clock, life } = setUp()
    life.send(1, { data: 'x' })
    clock.advance(awayMs)
    const { core } = restored(storage, clock)
    t.equal(core.state.sessions.size, sessions)
    t.equal(core.state.counters.sessionsEnded[EndCause.timeout], 1 - sessions)
  }
  t.end()
})

void t.test('no time is ahead of now, and no session older than it was idle', t => {
  for (const [seenMs, idleMs] of [[5000, 0], [-500, 500]] as const) {
    const { storage, clock, life } = setUp()
    life.send(1, { data: 'x' })
    life.core.state.sessions.touch(0, clock.now() + seenMs)
    life.core.state.sessions.bind(0, 0, Origin.default)
    life.log.flush()
    const { core } = restored(storage, clock)
    t.match(core.operations.viewOf(0, clock.now()), { idleMs, ageMs: idleMs })
  }
  t.end()
})

void t.test('a target that came back leaves with its last session', t => {
  const { storage, clock, life } = setUp()
  life.send(1, { data: 'x' })
  const { core } = restored(storage, clock)
  t.equal(core.state.targets.size, 1)
  core.operations.endSession(0, clock.now())
  t.equal(core.state.targets.size, 0)
  t.end()
})

void t.test('its own token is a session\'s for as long as before, in the time of the new life', t => {
  const { storage, clock, life } = setUp()
  life.grant('p', 30_000)
  life.send(1, { token: 'p' })
  life.send(2, { data: 'guest' })
  clock.advance(20_000)
  life.log.tick()
  const { core: { state: { sessions } } } = restored(storage, begunAnew(clock))
  const token = new Uint32Array(4)
  t.equal(sessions.readToken(0, token), 10_000)
  t.equal(sessions.readToken(1, token), 0, 'the guest has none')
  t.end()
})

void t.test('pairs and ports come back whatever order they were made in, and only those that are used', t => {
  const { storage, clock, life } = setUp()
  const { state } = life.core
  for (const [index, server] of (['B', 'C', 'B'] as const).entries()) {
    life.grant(`t${index}`, 30_000, server)
    life.send(index + 1, { token: `t${index}` })
    life.send(index + 1, { data: 'x' })
  }
  life.core.operations.endSession(1, clock.now())
  clock.advance(40_000)
  state.flows.sweep(0, 10, clock.now())
  // It gets the record that was freed, before the one of a smaller socket number.
  life.grant('t3')
  life.send(4, { token: 't3' })
  life.send(4, { data: 'x' })
  state.upstreamPorts.set(0, true, 4001)
  state.upstreamPorts.set(40, true, 4002)
  life.log.flush()
  const sockets = ({ sessions, flows }: Core['state']): number[] => [0, 1, 2].map(slot => flows.socket(sessions.firstFlow(slot))).sort()
  const { core } = restored(storage, clock)
  t.strictSame(sockets(state), [0, 1, 2])
  t.strictSame(sockets(core.state), [0, 1, 2])
  t.strictSame([core.state.upstreamPorts.get(0, true), core.state.upstreamPorts.get(0, false), core.state.upstreamPorts.get(40, true)], [4001, 0, 0])
  t.end()
})

void t.test('what an answer gave is there again, what was held is not, and is counted as lost', async t => {
  const storage = new MemoryStorage()
  const clock = createFakeClock(1000)
  const asked: number[] = []
  const sharing = { follow: true, firstAskId: 0, askIdStep: 1 }
  const core = createCore(testOptions({ sessionTimeoutMs: 100_000, sharing }), { ...silentObserver, asked: ({ id }) => { asked.push(id) } })
  const log = new StateLog({ storage, state: core.state, clock, header: { run: 'one', bootId: 'fake-boot', shard: 0, shards: 1, generation: 1, dataPorts }, onHealth: () => {} })
  log.open()
  core.asks.setKeys([tokenKeyFrom(TOKEN_KEY)])
  core.asks.open(true)
  const send = (port: number, text: string): number => core.packets.fromClient(0, client, port, Buffer.from(text), false, clock.now())
  const forward = (): void => { core.state.counters.countProxied(Direction.toTarget, 0, 1) }
  const [token, own] = [markedToken('elsewhere'), markedToken('own')]
  t.equal(send(1, token), HELD)
  core.asks.answer({ id: asked[0]!, verdict: 'live', grant: { token, target: servers.B, ttlMs: 30_000, consumed: 2 } }, clock.now(), forward)
  t.equal(send(2, 'data'), HELD)
  core.asks.answer({ id: asked[1]!, verdict: 'followed', session: { target: servers.D, token: own, tokenTtlMs: 20_000 } }, clock.now(), forward)
  t.equal(send(3, 'data'), HELD)
  log.flush()
  log.tick()
  const next = createCore(testOptions({ sessionTimeoutMs: 100_000, sharing }), silentObserver)
  const saved = loadSavedState(storage, names)
  t.match(restoreSessions(next.state, saved, { shard: 0, shards: 1, clock }), { sessions: 2 })
  restoreTokens(next.state, savedTokens(saved, clock), clock.now())
  const views = [0, 1].map(slot => next.operations.viewOf(slot, clock.now()))
  t.match(views, [{ client: '192.0.2.7:1', origin: 'token', target: servers.B }, { client: '192.0.2.7:2', origin: 'followed', target: servers.D }])
  t.ok(next.state.sessions.hasRedeemed(1))
  t.match([0, 1].map(slot => next.operations.bindingOf(slot, clock.now())), [{ tokenTtlMs: 30_000, consumed: 3 }, { tokenTtlMs: 20_000 }])
  t.equal(next.packets.fromClient(0, client, 1, Buffer.from(token), false, clock.now()), CONSUMED, 'their own token, again')
  t.equal(next.packets.fromClient(0, client, 2, Buffer.from(own), false, clock.now()), CONSUMED)
  const { counters } = next.state
  t.strictSame([counters.sessionsCreated[Origin.followed], counters.dropped[DropReason.restart], next.asks.heldCount], [1, 1, 0])
})

void t.test('older proxies take a session that followed its client for one by a token', async t => {
  // What version 0.2.0 allows: a number below 3, and a flag. Anything else makes it set the log aside.
  for (const origin of Object.values(Origin)) {
    for (const hasRedeemed of [true, false]) t.ok((originByte(origin, hasRedeemed) & 0x7f) < 3, `${origin}`)
  }
  t.equal(originByte(Origin.followed, true) & 0x7f, Origin.token)
})
