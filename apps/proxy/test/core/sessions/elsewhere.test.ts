// What directors tell each other of the sessions of a client.
import t from 'tap'
import { whole } from '#core/slices.js'
import { ADDRESS_WORDS, addressWords } from '#wire/address.js'
import { CLIENT_KEY_WORDS } from '../../../src/core/tables/session-table.js'
import { EndCause } from '../../../src/core/ledger/counters.js'
import { DropReason } from '../../../src/core/ledger/drop-reason.js'
import { servers, silentObserver, testOptions } from '../core-driver.js'
import { createCore } from '../../../src/core/core.js'
import { home, markedToken, SharedDriver } from '../shared-driver.js'
import type { Elsewhere } from '../../../src/core/sessions/elsewhere.js'
import { tokenFromWords } from '#wire/token.js'

function clientKey (driver: SharedDriver, name: string): Uint32Array {
  const key = new Uint32Array(CLIENT_KEY_WORDS)
  key.set(home)
  key[ADDRESS_WORDS] = driver.portOf(name)
  return key
}

/** A session of `name` on A by the token `ours`. */
function onA (driver: SharedDriver, name = 'p', token = 'ours'): void {
  driver.send(name, 'game', { token })
  driver.answer(name, { live: 'A' })
}

function tell (driver: SharedDriver, name: string, change: Omit<Elsewhere, 'client'>): number {
  return driver.core.operations.tellElsewhere([{ client: clientKey(driver, name), ...change }], driver.now)
}

void t.test('other directors are told of sessions that have redeemed a token, and of no others', async t => {
  const driver = new SharedDriver()
  driver.send('guest', 'game', { data: 'x' })
  driver.answer('guest', 'none')
  driver.core.operations.endSession(0, driver.now)
  t.same(driver.bindings, [], 'a guest')
  onA(driver)
  driver.send('p', 'game', { control: 'second' })
  driver.answer('p', { live: 'B' })
  driver.send('p', 'game', { control: 'third' })
  driver.answer('p', { live: 'B' })
  driver.core.operations.moveSession(0, servers.C, driver.now)
  driver.core.operations.endSession(0, driver.now)
  t.same(driver.bindings.splice(0), [['established', 'A'], ['reset', 'B'], ['reset', 'B'], ['moved', 'C'], ['ended', 'C']])
  driver.send('q', 'game', { data: 'x' })
  driver.answer('q', { followed: 'B' })
  driver.now += 400_000
  whole(driver.core.operations.sweep(driver.now), driver.now)
  t.same(driver.bindings.splice(0), [['followed', 'B'], ['expired', 'B']])
  driver.send('r', 'game', { data: 'x' })
  driver.answer('r', 'none')
  driver.send('r', 'game', { token: 'fourth' })
  driver.answer('r', { live: 'D' })
  t.same(driver.bindings, [['reset', 'D']], 'a guest that redeems a token for where it is')
})

void t.test('a director that is alone tells nobody', async t => {
  let told = 0
  const core = createCore(testOptions(), { ...silentObserver, bindingChanged: () => { told++ } })
  core.operations.grant({ token: markedToken('ours'), target: servers.A, ttlMs: 1000, consumed: 0 }, 0)
  core.packets.fromClient(0, home, 1, Buffer.from(markedToken('ours')), false, 0)
  core.operations.endSession(0, 0)
  t.equal(told, 0)
})

void t.test('what another director did is done here, and told to nobody', async t => {
  const driver = new SharedDriver()
  onA(driver)
  driver.send('p', 'game', { data: 'x' })
  const socket = driver.core.state.flows.socket(driver.core.packets.flow)
  driver.bindings.length = 0
  t.equal(tell(driver, 'p', { change: 'moved', target: servers.B }), 1)
  t.match(driver.core.operations.viewOf(0, driver.now), { target: { key: 'B' }, origin: 'token' })
  t.ok(driver.core.packets.fromTarget(socket, addressWords(servers.A.address)!, 7001, 4, false, driver.now) === DropReason.staleTarget, 'its former server does not reach it')
  t.same(driver.send('p', 'game', { data: 'x' }), { at: 'B' })
  t.equal(tell(driver, 'p', { change: 'moved', target: { key: 'x', address: 'nowhere', ports: [1, 1] } }), 1)
  t.equal(driver.core.operations.targetOf(0).key, 'B', 'a target that is none moves nothing')
  t.equal(tell(driver, 'p', { change: 'moved' }), 1)
  t.equal(tell(driver, 'nobody', { change: 'ended' }), 0)
  t.equal(tell(driver, 'p', { change: 'ended' }), 1)
  t.equal(driver.core.state.counters.sessionsEnded[EndCause.elsewhere], 1)
  t.same(driver.bindings, [])
})

void t.test('a session on the default endpoint that is moved elsewhere has redeemed a token', async t => {
  const driver = new SharedDriver()
  driver.send('p', 'game', { data: 'x' })
  driver.answer('p', 'none')
  t.equal(driver.core.state.admission.defaultSessions, 1)
  tell(driver, 'p', { change: 'moved', target: servers.B })
  t.equal(driver.core.state.admission.defaultSessions, 0)
  t.ok(driver.core.state.sessions.hasRedeemed(0))
})

void t.test('a session whose client is served elsewhere ends in 30 s, unless it comes back', async t => {
  const driver = new SharedDriver()
  onA(driver)
  onA(driver, 'q', 'theirs')
  driver.now += 1000
  for (const name of ['p', 'q']) t.equal(tell(driver, name, { change: 'seen' }), 1)
  driver.now += 29_999
  t.same(driver.send('q', 'game', { data: 'x' }), { at: 'A' })
  driver.now += 2
  whole(driver.core.operations.sweep(driver.now), driver.now)
  t.equal(driver.core.state.sessions.size, 1, 'the other one is gone')
  driver.now += 299_000
  whole(driver.core.operations.sweep(driver.now), driver.now)
  t.equal(driver.core.state.sessions.size, 1, 'it has all of its time again')
  tell(driver, 'q', { change: 'seen' })
  t.ok(driver.core.operations.viewOf(1, driver.now).idleMs > 298_000, 'one that ends sooner is left alone')
})

void t.test('where sessions time out sooner, being served elsewhere changes nothing', async t => {
  const driver = new SharedDriver({ sessionTimeoutMs: 5000 })
  onA(driver)
  tell(driver, 'p', { change: 'seen' })
  t.equal(driver.core.operations.viewOf(0, driver.now).idleMs, 0)
})

void t.test('bindings are listed by page: those that have redeemed a token and are active', async t => {
  const driver = new SharedDriver()
  const { operations } = driver.core
  onA(driver, 'idle', 'first')
  driver.now += 60_000
  driver.send('guest', 'game', { data: 'x' })
  driver.answer('guest', 'none')
  for (const name of ['p', 'q', 'r']) onA(driver, name, `of ${name}`)
  driver.send('p', 'voice', { token: 'of p' })
  driver.answer('p', { live: 'A' })
  driver.now += 40
  const page = operations.bindings({ cursor: 0, limit: 2, activeWithinMs: 50_000 }, driver.now)
  t.same(page.bindings.map(({ clientPort }) => clientPort), [driver.portOf('p'), driver.portOf('q')])
  t.match(page.bindings[0], { target: { key: 'A' }, tokenTtlMs: 29_960, consumed: 0b11, idleMs: 40 })
  t.strictSame([...page.bindings[0]!.clientWords], [...home])
  t.equal(tokenFromWords(page.bindings[0]!.token!), markedToken('of p'))
  const last = operations.bindings({ cursor: page.nextCursor!, limit: 2, activeWithinMs: 50_000 }, driver.now)
  t.same(last.bindings.map(({ clientPort }) => clientPort), [driver.portOf('r')])
  t.equal(last.nextCursor, undefined)
  const all = operations.bindings({ cursor: 0, limit: 10, activeWithinMs: Infinity }, driver.now)
  t.equal(all.bindings.length, 4)
  t.match(all.bindings[0], { token: undefined, tokenTtlMs: 0, consumed: 0 }, 'its token is over')
  t.same(operations.bindings({ cursor: 99, limit: 10, activeWithinMs: Infinity }, driver.now), { bindings: [], nextCursor: undefined })
})

void t.test('a page looks at a bounded number of sessions, and says that there are more', async t => {
  const driver = new SharedDriver({ limits: { maxSessions: 24_000, maxSessionsPerPrefix: 24_000, maxUpstreamSockets: 24_000 } })
  driver.core.asks.open(false)
  for (let port = 1; port <= 20_001; port++) driver.core.packets.fromClient(0, home, port, Buffer.from('x'), false, driver.now)
  driver.core.asks.open(true)
  onA(driver)
  const first = driver.core.operations.bindings({ cursor: 0, limit: 10, activeWithinMs: Infinity }, driver.now)
  t.same([first.bindings.length, first.nextCursor], [0, 20_000])
  const next = driver.core.operations.bindings({ cursor: 20_000, limit: 10, activeWithinMs: Infinity }, driver.now)
  t.same([next.bindings.length, next.nextCursor], [1, undefined])
})
