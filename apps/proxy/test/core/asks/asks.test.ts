// What waits, at its bounds and at the edges of answers.
import t from 'tap'
import { whole } from '#core/slices.js'
import { addressWords } from '#wire/address.js'
import { tokenKeyFrom } from '#wire/token-mac.js'
import type { CoreChanges } from '#testkit/core-options.js'
import { createCore, type Core } from '../../../src/core/core.js'
import { FORWARD, HELD, CONSUMED } from '../../../src/core/datagrams/packet-path.js'
import { AskKind, AskOutcome, askOutcomeNames, Direction } from '../../../src/core/ledger/counters.js'
import { DropReason } from '../../../src/core/ledger/drop-reason.js'
import { bytesOf, servers, silentObserver, testOptions, tokenOf } from '../core-driver.js'
import { answerOf, home, markedToken, SharedDriver, tokenKey } from '../shared-driver.js'

const late = { dropped: 'store_late' } as const
const forToken = { held: 'token' } as const
const forSession = { held: 'session' } as const
const redeemed = { consumed: 'token' } as const

function asksOf ({ state: { counters } }: Core, kind: AskKind, outcome: AskOutcome): number {
  return counters.asks[kind * askOutcomeNames.length + outcome]!
}

void t.test('asks are bounded by second, and strangers leave half to tokens', async t => {
  const driver = new SharedDriver({ limits: { asksPerSecond: 8 } })
  const ask = (name: string, payload: 'data' | 'token'): unknown => driver.send(name, 'game', payload === 'data' ? { data: 'x' } : { token: 'ours' })
  const limit = { dropped: 'ask_limit' } as const
  t.same(['a', 'b', 'c', 'd', 'e'].map(name => ask(name, 'data')), [forSession, forSession, forSession, forSession, limit])
  t.same(['f', 'g', 'h', 'i', 'j'].map(name => ask(name, 'token')), [forToken, forToken, forToken, forToken, limit])
  t.equal(driver.core.asks.heldCount, 8)
  driver.now = 2000
  t.same(['k', 'l', 'm', 'n', 'o', 'p', 'q', 'r', 's'].map(name => ask(name, 'token')).at(-2), forToken, 'tokens may have all of it')
  t.same(ask('t', 'data'), limit)
})

void t.test('asks are bounded by prefix, of each kind', async t => {
  const { asks, packets } = createCore(testOptions({ sharing: { follow: true, firstAskId: 0, askIdStep: 1 }, limits: { asksPerPrefix: 2 } }), silentObserver)
  asks.setKeys([tokenKey])
  asks.open(true)
  const send = (address: string, port: number, bytes: Uint8Array): number => packets.fromClient(0, addressWords(address)!, port, bytes, false, 0)
  const data = Buffer.from('x')
  const token = Buffer.from(markedToken('ours'))
  t.same([1, 2, 3].map(port => send('192.0.2.7', port, data)), [HELD, HELD, DropReason.askLimit])
  t.same([4, 5, 6].map(port => send('192.0.2.7', port, token)), [HELD, HELD, DropReason.askLimit])
  t.equal(send('192.0.2.8', 3, data), HELD)
  t.same(['2001:db8::1', '2001:db8::2', '2001:db8::3'].map(address => send(address, 1, data)), [HELD, HELD, DropReason.askLimit])
})

void t.test('what waits is bounded by datagram, by client and by byte, and strangers leave half', async t => {
  const full = { dropped: 'held_limit' } as const
  const few = new SharedDriver({ limits: { heldDatagrams: 40 } })
  t.same(few.send('p', 'game', { token: 'ours' }), forToken)
  for (let behind = 1; behind < 16; behind++) t.same(few.send('p', 'game', { data: 'x' }), { held: 'behind' })
  t.same(few.send('p', 'game', { data: 'x' }), full, '16 of one client')
  for (let stranger = 0; stranger < 4; stranger++) t.same(few.send(`s${stranger}`, 'game', { data: 'x' }), forSession)
  t.same(few.send('one too many', 'game', { data: 'x' }), full)
  t.same(few.send('s0', 'game', { data: 'x' }), full, 'nor behind a stranger')
  for (let holder = 0; holder < 20; holder++) t.same(few.send(`t${holder}`, 'game', { token: 'ours' }), forToken)
  t.same(few.send('u', 'game', { token: 'ours' }), full)
  t.equal(few.core.asks.heldCount, 40)

  const large = new SharedDriver()
  const datagram = new Uint8Array(65_507)
  const blocks = Math.ceil(65_507 / 512)
  for (let round = 0; round < 3; round++) {
    let held = 0
    for (let client = 0; client < 20; client++) {
      if ('held' in large.send(`${round} ${client}`, 'game', { token: 'ours' })) held++
      for (let behind = 1; behind < 16; behind++) if ('held' in large.send(`${round} ${client}`, 'game', datagram)) held++
    }
    t.equal(held, Math.floor((8 * 1024 * 1024 / 512 - 20) / blocks) + 20, 'as many as 8 MiB hold, whatever waited before')
    t.same(large.send(`${round} 0`, 'game', datagram), full)
    large.control('away')
    t.equal(large.core.asks.heldCount, 0)
    t.same(large.control('back'), {})
  }
})

void t.test('a datagram goes on as it came: its bytes, its data port and its mark', async t => {
  for (const length of [0, 1, 511, 512, 513, 1400, 65_507]) {
    const driver = new SharedDriver()
    const bytes = Buffer.from(Array.from({ length }, (_, at) => at * 7 % 251))
    driver.send('p', 'game', { token: 'ours' })
    driver.core.asks.noteMark(1)
    const padded = Buffer.concat([Buffer.from('in front'), bytes, Buffer.from('behind')])
    t.equal(driver.core.packets.fromClient(1, home, driver.portOf('p'), padded, false, driver.now, 8, 8 + length), HELD)
    driver.core.asks.noteMark(3)
    driver.answer('p', { live: 'A' })
    t.strictSame(driver.forwarded.splice(0), [{ bytes, mark: 3, dataPort: 1, port: driver.portOf('p') }], `${length} bytes`)
    // In the same places, and nobody says a mark.
    for (const payload of [{ control: 'second' }, { data: 'x' }]) driver.send('p', 'game', payload)
    driver.answer('p', { live: 'B' })
    t.match(driver.forwarded, [{ mark: 0 }])
  }
})

void t.test('where a datagram was sent to is where its answers come from, although it waited', async t => {
  const driver = new SharedDriver()
  const local = driver.core.state.locals.intern(addressWords('203.0.113.9')!, 0)
  driver.send('p', 'game', { token: 'ours' })
  t.equal(driver.core.packets.fromClient(0, home, driver.portOf('p'), Buffer.from('x'), false, driver.now, 0, 1, local), HELD)
  driver.answer('p', { live: 'A' })
  t.equal(driver.core.state.flows.local(driver.core.packets.flow), local)
})

void t.test('an answer that comes late, twice, or is of something else is passed over', async t => {
  const driver = new SharedDriver()
  const { core } = driver
  driver.send('p', 'game', { token: 'ours' })
  const ask = driver.lastAsk('p')
  const live = answerOf(ask, { live: 'A' })
  const tell = (answer: typeof live): boolean => core.asks.answer(answer, driver.now, driver.forward)
  t.equal(tell({ id: ask.id, verdict: 'none' }), false, 'it was about a token')
  t.equal(tell({ id: ask.id, verdict: 'followed', session: { target: servers.A } }), false)
  t.equal(tell({ ...live, id: ask.id + 1 }), false, 'of another shard')
  t.equal(tell({ ...live, id: ask.id + 4 }), false, 'of nobody')
  t.equal(tell({ ...live, id: NaN }), false)
  t.equal(core.asks.heldCount, 1, 'it still waits')
  t.ok(tell(live))
  t.equal(tell(live), false, 'twice')
  driver.send('q', 'game', { data: 'x' })
  const other = driver.lastAsk('q')
  const key = Uint32Array.of(...home, driver.portOf('p'))
  t.equal(tell({ id: other.id, verdict: 'followed', session: { client: key, target: servers.A } }), false, 'the session of another client')
  t.equal(tell({ id: other.id, verdict: 'refused', reason: 'unknown' }), false)
  t.same(driver.silence('q'), [late])
  t.equal(tell({ id: other.id, verdict: 'none' }), false, 'late')
  t.equal(core.state.sessions.size, 1)
  t.equal(asksOf(core, AskKind.token, AskOutcome.live), 1)
  t.equal(asksOf(core, AskKind.follow, AskOutcome.unanswered), 1)
  t.equal(core.state.counters.asks.reduce((sum, count) => sum + count), 2, 'each ask ends once')
})

void t.test('ids are those of the shard, each once', async t => {
  const driver = new SharedDriver({ limits: { heldDatagrams: 16 } })
  const ids = new Set<number>()
  for (let round = 0; round < 1000; round++) {
    driver.send('p', 'game', { control: 'ours' })
    driver.answer('p', { refused: 'unknown' })
    const { id } = driver.lastAsk('p')
    if (id % 4 !== 1) t.fail(`${id} is of another shard`)
    ids.add(id)
  }
  t.equal(ids.size, 1000)
})

void t.test('a table that is full does not take back what the store has granted', async t => {
  const tokens = new SharedDriver({ limits: { maxTokens: 1 } })
  tokens.grant('a', 'A')
  tokens.send('p', 'game', { token: 'ours' })
  t.same(tokens.answer('p', { live: 'B' }), [redeemed])
  t.same(tokens.send('p', 'game', { token: 'ours' }), { consumed: 'retransmit' }, 'its session knows it')
  t.same(tokens.send('p', 'game', { data: 'x' }), { at: 'B' })
  t.same(tokens.send('q', 'game', { control: 'ours' }), forToken, 'for others the store does')

  const targets = new SharedDriver({ limits: { maxTargets: 1 } })
  targets.send('p', 'game', { token: 'ours' })
  t.same(targets.answer('p', { live: 'B' }), [{ dropped: 'session_limit' }], 'never row 3')
  targets.send('q', 'game', { data: 'x' })
  t.same(targets.answer('q', { followed: 'B' }), [{ dropped: 'session_limit' }])
  t.equal(targets.core.state.sessions.size, 0)
  const wrong = { key: 'x', address: 'nowhere', ports: [1, 1] }
  targets.send('p', 'game', { token: 'ours' })
  t.ok(targets.core.asks.answer({ id: targets.lastAsk('p').id, verdict: 'live', grant: { token: markedToken('ours'), target: wrong, ttlMs: 1, consumed: 0 } }, 0, () => {}))
  t.equal(targets.core.state.counters.dropped[DropReason.targetGone], 1)
  targets.core.operations.setDefaultTargets([])
  whole(targets.core.operations.forgetCandidates(), 0)
  t.equal(targets.core.state.targets.size, 0, 'nothing holds a target')
})

void t.test('where claims are shared, a grant without one is not remembered', async t => {
  const claims = new Int32Array(new SharedArrayBuffer(40))
  const driver = new SharedDriver({ claims })
  driver.send('p', 'game', { token: 'ours' })
  t.same(driver.answer('p', { live: 'A' }), [redeemed])
  t.equal(driver.core.state.tokens.size, 0)
  driver.send('q', 'voice', { token: 'ours' })
  const { id } = driver.lastAsk('q')
  t.ok(driver.core.asks.answer({ id, verdict: 'live', grant: { token: markedToken('ours'), target: servers.A, ttlMs: 1000, consumed: 0b11, claim: 7 } }, driver.now, driver.forward))
  t.equal(claims[7], 0b11, 'the data ports elsewhere, and the one that it was redeemed on here')
})

void t.test('bounds on sessions hold before and after an ask', async t => {
  const driver = new SharedDriver({ limits: { maxSessionsPerPrefix: 1 } })
  driver.send('p', 'game', { token: 'ours' })
  driver.send('q', 'game', { token: 'ours, too' })
  driver.send('r', 'game', { data: 'x' })
  t.same(driver.answer('p', { live: 'A' }), [redeemed])
  const full = { dropped: 'prefix_limit' } as const
  t.same(driver.answer('q', { live: 'A' }), [full], 'the bound was reached while it waited')
  t.same(driver.answer('r', { followed: 'A' }), [full], 'never row 3')
  t.same(driver.send('q', 'game', { token: 'ours, too' }), full, 'what cannot be redeemed is not asked about')
  const small = new SharedDriver({ limits: { maxSessions: 1 } })
  small.send('p', 'game', { data: 'x' })
  t.same(small.answer('p', 'none'), [{ at: 'D' }])
  small.send('q', 'game', { data: 'x' })
  t.same(small.answer('q', { followed: 'A' }), [{ at: 'A' }], 'a default-endpoint session gives way')
  t.same(small.send('r', 'game', { token: 'ours' }), { dropped: 'session_limit' })
})

void t.test('a client that has no session elsewhere is not asked about for a second', async t => {
  const driver = new SharedDriver({}, false)
  driver.send('p', 'game', { data: 'x' })
  t.same(driver.answer('p', 'none'), [{ dropped: 'no_session' }])
  driver.now += 999
  t.same(driver.send('p', 'game', { data: 'x' }), { dropped: 'no_session' })
  t.same(driver.send('q', 'game', { data: 'x' }), forSession, 'others are')
  t.same(driver.send('p', 'game', { token: 'ours' }), forToken, 'and so are tokens')
  driver.now += 1
  driver.silence('p')
  t.same(driver.send('p', 'game', { data: 'x' }), forSession)
})

void t.test('a token that waits while it is taken back, or while its client\'s session ends', async t => {
  const driver = new SharedDriver()
  driver.grant('a', 'A')
  driver.send('p', 'game', { token: 'a' })
  driver.core.operations.withdraw(markedToken('a'))
  t.same(driver.answer('p', { live: 'A' }), [forSession], 'its target is gone, whatever the store says')
  t.same(driver.answer('p', 'none'), [{ at: 'D' }])
  driver.grant('b', 'B')
  driver.send('p', 'game', { control: 'b' })
  driver.send('p', 'game', { data: 'x' })
  driver.core.operations.endSession(0, driver.now)
  t.same(driver.answer('p', { refused: 'consumed' }), [{ dropped: 'token_consumed' }, { at: 'D' }], 'asked about a moment ago')
  driver.send('p', 'game', { control: 'b' })
  driver.core.operations.endSession(driver.core.operations.slotOf(driver.core.operations.idOf(0), driver.now), driver.now)
  t.same(driver.answer('p', { live: 'B' }), [redeemed], 'a new session')
})

void t.test('a token whose TTL ends while it waits is redeemed all the same', async t => {
  const driver = new SharedDriver()
  driver.grant('a', 'A', 100)
  driver.send('p', 'game', { token: 'a' })
  driver.now += 150
  t.same(driver.answer('p', { live: 'A' }), [redeemed], 'it came in time')
})

void t.test('the session\'s own token is not asked about when its time is over', async t => {
  const driver = new SharedDriver()
  driver.send('p', 'game', { token: 'ours' })
  driver.answer('p', { live: 'A' })
  driver.now += 70_000
  driver.send('p', 'game', { data: 'x' })
  whole(driver.core.operations.sweep(driver.now), driver.now)
  t.equal(driver.core.state.tokens.size, 0)
  t.same(driver.send('p', 'game', { token: 'ours' }), { at: 'A' })
  t.same(driver.send('p', 'game', { control: 'ours' }), { dropped: 'token_expired' })
  driver.control('away')
  t.same(driver.send('p', 'game', { token: 'ours' }), { at: 'A' })
})

void t.test('draining, clients go on and strangers do not come', async t => {
  const driver = new SharedDriver()
  driver.core.operations.setDraining(true)
  driver.send('p', 'game', { token: 'ours' })
  t.same(driver.answer('p', { live: 'A' }), [redeemed])
  driver.send('q', 'game', { data: 'x' })
  t.same(driver.answer('q', { followed: 'A' }), [{ at: 'A' }])
  driver.send('r', 'game', { data: 'x' })
  t.same(driver.answer('r', 'none'), [{ dropped: 'draining' }])
})

void t.test('without keys every token may be ours; with a former key it is', async t => {
  const keys = ['11', '22', '33', '44', '55', '66'].map(byte => tokenKeyFrom(byte.repeat(16)))
  const { asks, packets } = createCore(testOptions({ sharing: { follow: false, firstAskId: 0, askIdStep: 1 } }), silentObserver)
  asks.open(true)
  const send = (port: number, token: string): number => packets.fromClient(0, home, port, Buffer.from(token), false, 0)
  t.equal(send(1, tokenOf('any')), DropReason.storeLate)
  for (const key of keys) asks.setKeys([key])
  t.same(keys.map((key, index) => send(10 + index, markedToken('ours', key))), [DropReason.noSession, HELD, HELD, HELD, HELD, HELD], 'the newest, and four former ones')
  asks.setKeys([keys[5]!, keys[4]!])
  asks.setKeys([keys[5]!, keys[4]!])
  t.same(keys.slice(1).map((key, index) => send(20 + index, markedToken('ours', key))), [HELD, HELD, HELD, HELD, HELD], 'the same keys push nobody out')
})

void t.test('a director that is alone never waits, and knows forged tokens all the same', async t => {
  const core = createCore(testOptions(), silentObserver)
  const send = (port: number, payload: Parameters<typeof bytesOf>[0]): number => core.packets.fromClient(0, home, port, bytesOf(payload, markedToken), false, 0)
  t.equal(send(1, { control: 'forged' }), DropReason.tokenUnknown, 'without keys it cannot be told')
  core.asks.setKeys([tokenKey])
  core.asks.open(true)
  t.equal(send(1, { control: 'forged' }), DropReason.tokenForged)
  t.equal(send(1, { control: 'ours' }), DropReason.tokenUnknown)
  core.operations.grant({ token: markedToken('ours'), target: servers.A, ttlMs: 1000, consumed: 0 }, 0)
  t.equal(send(1, { token: 'ours' }), CONSUMED)
  t.equal(send(1, { data: 'x' }), FORWARD)
  t.same([core.asks.heldCount, core.asks.nextDueAt, core.state.asking.waiting.held.capacity], [0, Infinity, 0])
})

void t.test('those whose time is over are settled a few at a time', async t => {
  const driver = new SharedDriver({ limits: { maxSessions: 200 } })
  for (let client = 0; client < 40; client++) driver.send(`c${client}`, 'game', { data: 'x' })
  const { asks } = driver.core
  t.equal(asks.nextDueAt, 1250)
  asks.expire(1249, driver.forward)
  t.equal(asks.heldCount, 40)
  asks.expire(1250, driver.forward)
  t.equal(asks.heldCount, 24)
  t.equal(asks.nextDueAt, 1250, 'there are more')
  asks.open(false)
  t.equal(asks.nextDueAt, 0)
  asks.expire(1250, driver.forward)
  asks.expire(1250, driver.forward)
  t.same([asks.heldCount, asks.nextDueAt], [0, Infinity])
  t.equal(asksOf(driver.core, AskKind.follow, AskOutcome.unheard), 24)
  t.equal(driver.core.state.counters.inFlight(Direction.toTarget), 0)
})

void t.test('strangers are asked about only where the operator wants it', async t => {
  const changes: CoreChanges = { sharing: { follow: false, firstAskId: 0, askIdStep: 1 } }
  const driver = new SharedDriver(changes)
  t.same(driver.send('p', 'game', { data: 'x' }), { at: 'D' }, 'nobody is asked about strangers')
  t.same(driver.send('q', 'game', { token: 'ours' }), forToken)
  t.same(driver.answer('q', { refused: 'unknown' }), [{ at: 'D' }])
})
