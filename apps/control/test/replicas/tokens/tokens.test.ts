// Tokens of directors that share a store: what each row of failures does to them.
import t from 'tap'
import { isMarked, tokenKeyFrom } from '#wire/token-mac.js'
import { TOKEN_WORDS, writeTokenWords, type Token } from '#wire/token.js'
import { until } from '#testkit/patience.js'
import { SETTLING_MS } from '../../../src/replicas/tokens/token-asks.js'
import { ReplicaRig, target, type TestReplica } from '../rig.js'

const player = '192.0.2.7:40000'
const thief = '198.51.100.9:40000'

void t.test('a token works at every replica, once on each data port', async t => {
  const rig = new ReplicaRig(t)
  const [a, b, c] = await rig.start('a', 'b', 'c') as [TestReplica, TestReplica, TestReplica]
  const token = await a.query()
  t.match(a.tokens.get(token), { target }, 'the own proxy has it')
  t.equal(await b.ask(token, player), 'live')
  t.match(b.answers[0], { grant: { token, target } }, 'with all that it takes')
  t.equal(await b.ask(token, player), 'live', 'the same client again: its datagram, or the answer, was lost')
  t.equal(await c.ask(token, player), 'live', 'wherever it sends it')
  t.equal(await c.ask(token, thief), 'consumed')
  t.equal(await a.ask(token, thief), 'consumed', 'at home, too')
  t.equal(await a.ask(token, thief, 'voice'), 'live', 'on another data port it was not redeemed yet')
  t.strictSame(a.answers.at(-1)?.grant?.consumed, ['default'], 'and its proxy learns where it was')
})

void t.test('the minter learns that its token was redeemed elsewhere', async t => {
  const rig = new ReplicaRig(t)
  const [a, b] = await rig.start('a', 'b') as [TestReplica, TestReplica]
  const token = await a.query()
  t.equal(a.registry.pending(target.key), 1)
  await b.ask(token, player)
  await b.ask(token, player)
  await rig.settle()
  t.equal(a.registry.pending(target.key), 0)
  t.equal(b.counted.redeemedElsewhere, 1)
  t.equal(a.counted.redeemedElsewhere, 0)
})

void t.test('two clients at two replicas at the same moment: one of them', async t => {
  const rig = new ReplicaRig(t)
  const [a, b] = await rig.start('a', 'b') as [TestReplica, TestReplica]
  rig.twin.setWeather({ leastMs: 0, mostMs: 3 })
  for (let round = 0; round < 50; round++) {
    const token = await a.query()
    const ids = [a.asks(token, player), b.asks(token, thief)] as const
    await rig.settle(20)
    t.strictSame([a.verdictOf(ids[0]), b.verdictOf(ids[1])].sort(), ['consumed', 'live'])
  }
})

void t.test('a token that is bound to a client prefix works for it alone, everywhere', async t => {
  const rig = new ReplicaRig(t)
  const [a, b] = await rig.start('a', 'b') as [TestReplica, TestReplica]
  const token = await a.query({ client: '2001:db8:0:1::7' })
  t.equal(await b.ask(token, player), 'not_theirs')
  t.equal(await b.ask(token, '[2001:db8:0:1::9]:5000'), 'live', 'it stays live for its owner')
  t.match(b.answers.at(-1)?.grant?.client, '2001:db8:0:1::')
})

void t.test('a token that nobody made is refused, and so is one that is over', async t => {
  const rig = new ReplicaRig(t)
  const [a, b] = await rig.start('a', 'b') as [TestReplica, TestReplica]
  const token = await a.query({}, 1)
  await rig.settle(SETTLING_MS)
  t.equal(await b.ask(token, player), 'unknown')
})

void t.test('a token is void everywhere, whoever takes it back', async t => {
  const rig = new ReplicaRig(t)
  const [a, b] = await rig.start('a', 'b') as [TestReplica, TestReplica]
  const token = await a.query()
  t.equal(await b.revoke(token), 'void', 'it is of another replica')
  await rig.settle()
  t.ok(a.revoked.includes(token), 'the minter\'s proxy is told')
  t.equal(a.registry.size, 0)
  t.equal(await a.ask(token, player), 'void')
  t.equal(await b.ask(token, player), 'void')
  t.equal(await b.revoke('00000000-0000-4000-8000-000000000000'), 'TOKEN_NOT_FOUND')
  const other = await a.query()
  a.replicas.sink.withdraw([other as Token], 1000)
  await rig.settle()
  t.equal(await b.ask(other, player), 'void')
  t.ok(b.withdrawn.includes(other))
})

void t.test('a store that is silent refuses nobody', async t => {
  const rig = new ReplicaRig(t)
  const [a, b] = await rig.start('a', 'b') as [TestReplica, TestReplica]
  const token = await a.query()
  rig.twin.pause()
  t.equal(await b.ask(token, player), 'late')
  t.equal(await a.ask(token, player), 'late', 'it may have been redeemed elsewhere')
  rig.twin.wake()
  await rig.settle(2000)
  t.equal(await b.ask(token, player), 'live', 'what was done late was done for the same client')
})

void t.test('nobody waits longer for an answer than the store may take, however often it is asked', async t => {
  const rig = new ReplicaRig(t)
  const [a] = await rig.start('a') as [TestReplica]
  rig.twin.setWeather({ lostRequests: 1 })
  const token = await a.query()
  // 200 ms for each call: that it is unknown, that it is written again, that it is live.
  rig.twin.setWeather({ leastMs: 100, mostMs: 100 })
  const id = a.asks(token, player)
  await rig.settle(251)
  t.equal(a.verdictOf(id), 'late')
  await rig.settle(1000)
  t.equal(a.answers.length, 1, 'once')
  t.equal(await a.ask(token, player), 'live', 'it was done all the same, for this client')
})

void t.test('while the store is told of redemptions, nobody waits longer either', async t => {
  const rig = new ReplicaRig(t)
  const [a] = await rig.start('a') as [TestReplica]
  const [redeemed, taken, token] = [await a.query(), await a.query(), await a.query()]
  t.equal(await a.ask(redeemed, player), 'live')
  rig.twin.goDown()
  await rig.settle()
  t.equal(await a.revoke(taken), 'STORE_UNAVAILABLE')
  rig.twin.setWeather({ leastMs: 100, mostMs: 100 })
  rig.twin.comeUp()
  while (a.replicas.reading().status !== 'up') await rig.settle(1)
  const id = a.asks(token, player)
  await rig.settle(251)
  t.equal(a.verdictOf(id), 'late')
  const { calls } = a.counted
  await rig.settle(1000)
  t.equal(a.answers.filter(answer => answer.id === id).length, 1)
  t.not(a.counted.calls, calls)
  t.equal(await a.ask(token, thief), 'live', 'it was not claimed for somebody who had gone')
})

void t.test('without the store, tokens of this replica are decided here, and nobody knows of others', async t => {
  const rig = new ReplicaRig(t)
  const [a, b] = await rig.start('a', 'b') as [TestReplica, TestReplica]
  const before = await a.query()
  const redeemed = await a.query()
  t.equal(await b.ask(redeemed, player), 'live')
  await rig.settle()
  rig.twin.goDown()
  await rig.settle()
  const calls = a.counted.calls
  t.equal(await a.ask(before, player), 'live')
  t.equal(await a.ask(before, thief), 'consumed', 'once')
  t.equal(await a.ask(redeemed, thief), 'consumed', 'what was redeemed elsewhere is known')
  t.equal(await b.ask(before, player), 'late')
  const bound = await a.query({ client: '192.0.2.7' })
  t.equal(await a.ask(bound, thief), 'not_theirs')
  t.equal(await a.ask(bound, player), 'live')
  t.equal(a.counted.calls, calls, 'the store is not asked')
  const fresh = await a.query()
  t.equal(await b.ask(fresh, player), 'late')
  rig.twin.comeUp()
  await rig.settle(200)
  t.equal(await b.ask(fresh, player), 'live', 'what was made meanwhile works everywhere once it is back')
  t.equal(await b.ask(before, thief), 'consumed', 'and what was redeemed meanwhile is known there')
  t.match(a.heard.filter(({ kind }) => kind === 'store').map(({ data }) => 'change' in data && data.change), ['up', 'down', 'up'])
})

void t.test('a query is answered with no token that others cannot redeem, where the configuration says so', async t => {
  const rig = new ReplicaRig(t, { shared: 'onUnavailable: refuse' })
  const [a, b] = await rig.start('a', 'b') as [TestReplica, TestReplica]
  rig.twin.setWeather({ lostReplies: 1 })
  t.equal(await a.query(), 'STORE_UNAVAILABLE')
  const [given] = a.tokens.keys()
  t.ok(a.revoked.includes(given!), 'the proxy had it')
  t.equal(a.registry.size, 0)
  rig.twin.setWeather({})
  await rig.settle(3000)
  t.equal(await b.ask(given!, player), 'void', 'and the store, which did not say so')
  rig.twin.goDown()
  t.equal(await a.query(), 'STORE_UNAVAILABLE')
  t.equal(a.tokens.size, 1, 'a proxy is not told what must not be')
})

void t.test('what the store did not take is told again while it is there', async t => {
  const rig = new ReplicaRig(t)
  const [a, b] = await rig.start('a', 'b') as [TestReplica, TestReplica]
  rig.twin.setWeather({ lostRequests: 1 })
  const token = await a.query()
  t.equal(token.length, 36)
  rig.twin.setWeather({})
  t.equal(await b.ask(token, player), 'late', 'it is on its way')
  await rig.settle(SETTLING_MS)
  t.equal(await b.ask(token, player), 'live')
  const other = await a.query()
  rig.twin.setWeather({ lostRequests: 1 })
  t.equal(await a.revoke(other), 'STORE_UNAVAILABLE')
  t.ok(a.revoked.includes(other))
  t.equal(await a.ask(other, player), 'void', 'here it is in force at once')
  rig.twin.setWeather({})
  await rig.settle(3000)
  t.equal(await b.ask(other, player), 'void')
})

void t.test('a proxy that does not answer leaves no token behind, in the store neither', async t => {
  const rig = new ReplicaRig(t)
  const [a, b] = await rig.start('a', 'b') as [TestReplica, TestReplica]
  a.proxyFails = 'PROXY_UNAVAILABLE'
  t.equal(await a.query(), 'PROXY_UNAVAILABLE')
  await rig.settle()
  const made = rig.twin.data.keys.find(key => key.includes(':t:'))!.slice(-37, -1)
  t.match(made, /^.{8}-/, 'it was written at the same time')
  t.equal(await b.ask(made, player), 'void')
})

void t.test('a query that failed leaves no token at a proxy that was told of it with all the others meanwhile', async t => {
  const rig = new ReplicaRig(t)
  const [a] = await rig.start('a') as [TestReplica]
  a.proxyFails = 'PROXY_UNAVAILABLE'
  // The store is waited for, and in that time the proxy is there again and is told all that control knows.
  rig.twin.pause()
  const answer = a.query()
  await until(() => a.registry.size === 1)
  const [grant] = a.registry.grants()
  a.proxyFails = undefined
  t.equal(await answer, 'PROXY_UNAVAILABLE')
  t.ok(a.revoked.includes(grant!.token))
})

void t.test('a token that is made void while the store is asked about it is refused', async t => {
  const rig = new ReplicaRig(t)
  const [a] = await rig.start('a') as [TestReplica]
  for (const end of ['revoke', 'withdraw'] as const) {
    const token = await a.query() as Token
    rig.twin.setWeather({ leastMs: 5, mostMs: 5 })
    const id = a.asks(token, player)
    await rig.settle()
    // The claim comes to the store first, and is told that the token is live.
    void a.replicas.sink[end]([token], 30_000)
    await rig.settle(50)
    t.equal(a.verdictOf(id), 'void', end)
    rig.twin.setWeather({})
  }
})

void t.test('a store that has forgotten is told redemptions before anybody can use that', async t => {
  const rig = new ReplicaRig(t)
  const [a, b] = await rig.start('a', 'b') as [TestReplica, TestReplica]
  const tokens: string[] = []
  for (let count = 0; count < 20; count++) tokens.push(await a.query())
  await rig.settle(5000)
  // Messages of redemptions are lost, too: the minter does not know of them.
  rig.twin.setWeather({ lostMessages: 1 })
  for (const token of tokens) t.equal(await b.ask(token, player), 'live')
  const revoked = await a.query()
  t.equal(await b.revoke(revoked), 'void')
  rig.twin.setWeather({ leastMs: 1, mostMs: 1 })
  rig.twin.failOver(4000, 100)
  // The connections come back after 50 ms, and somebody asks in that very moment.
  await rig.settle(150)
  const thieves = tokens.map(token => b.asks(token, thief))
  const late = b.asks(revoked, thief)
  await rig.settle(200)
  t.strictSame(new Set(thieves.map(id => b.verdictOf(id))), new Set(['consumed']))
  t.equal(b.verdictOf(late), 'void')
  await rig.settle(200)
  t.equal(await a.ask(revoked, thief), 'void', 'its minter has not heard of that, and has written it anew')
  for (const token of tokens) t.equal(await a.ask(token, thief), 'consumed')
})

void t.test('redemptions are told before all the tokens that nobody has redeemed', async t => {
  const rig = new ReplicaRig(t)
  const [a, b] = await rig.start('a', 'b') as [TestReplica, TestReplica]
  const token = await a.query()
  await rig.settle(5000)
  rig.twin.setWeather({ lostMessages: 1 })
  t.equal(await b.ask(token, player), 'live')
  for (let count = 0; count < 4100; count++) b.registry.add(`b-${count}` as Token, target, 30_000)
  rig.twin.setWeather({ leastMs: 1, mostMs: 1 })
  rig.twin.failOver(4000, 100)
  await rig.settle(150)
  await rig.settle(2)
  const id = a.asks(token, thief)
  await rig.settle(100)
  t.equal(a.verdictOf(id), 'consumed', 'thousands of tokens of the replica that knows are not in the way')
})

void t.test('an emptied store has everything again once the connection is back', async t => {
  const rig = new ReplicaRig(t)
  const [a, b] = await rig.start('a', 'b') as [TestReplica, TestReplica]
  const [unused, used] = [await a.query(), await a.query()]
  await b.ask(used, player)
  const told = b.keys.told
  rig.twin.goDown()
  rig.twin.empty()
  rig.twin.comeUp()
  await rig.settle(200)
  t.equal(await b.ask(unused, player), 'live')
  t.equal(await a.ask(used, thief), 'consumed')
  t.strictSame(b.keys.told, told, 'tokens are known by the same keys')
  rig.twin.empty()
  await rig.settle(SETTLING_MS)
  const third = await a.query()
  rig.twin.empty()
  t.equal(await a.ask(third, player), 'live', 'a token that this replica knows is written anew')
  t.equal(await b.ask(third, thief), 'consumed')
})

void t.test('a token that is not there right after the store came back is not refused: its minter may still be writing', async t => {
  const rig = new ReplicaRig(t)
  const [a, b] = await rig.start('a', 'b') as [TestReplica, TestReplica]
  rig.twin.goDown()
  const token = await a.query()
  rig.twin.cut('a')
  rig.twin.comeUp()
  await rig.settle(200)
  t.equal(await b.ask(token, player), 'late')
  rig.twin.reconnect('a')
  await rig.settle(200)
  t.equal(await b.ask(token, player), 'live')
})

void t.test('what the store says is held to the rules of targets', async t => {
  const rig = new ReplicaRig(t)
  const [a, b] = await rig.start('a', 'b') as [TestReplica, TestReplica]
  const token = await a.query()
  for (const address of ['169.254.169.254', '127.0.0.1', '192.0.2.1']) {
    const key = rig.twin.data.keys.find(key => key.includes(token) && !key.endsWith(':c'))!
    rig.twin.data.set(key, rig.twin.data.text(key)!.replace(/"address":"[^"]*"/, `"address":"${address}"`), 10_000)
    t.equal(await b.ask(token, player), 'void', address)
  }
  t.equal(b.counted.targetsRefused, 3)
  t.match(b.heard.at(-1), { kind: 'store', data: { change: 'target_refused', reason: 'not_in_allowed_targets', tokenPrefix: token.slice(0, 8) } })
  t.equal(await a.ask(token, player), 'live', 'the minter believes itself')
  t.strictSame(a.answers.at(-1)?.grant?.target, target)
})

void t.test('redemptions that control has not seen are told to the store when it hears of them', async t => {
  const rig = new ReplicaRig(t)
  const [a, b] = await rig.start('a', 'b') as [TestReplica, TestReplica]
  const token = await a.query()
  const former = (await b.query())
  b.registry.delete(former as Token)
  a.bindings = [{ client: player, target, token, tokenTtlMs: 20_000, consumed: ['default'], idleMs: 5 }]
  a.replicas.proxyUp()
  b.bindings = [{ client: player, target, token: former, tokenTtlMs: 20_000, consumed: ['voice'], idleMs: 5 }, { client: thief, target, idleMs: 5 }]
  rig.twin.goDown()
  b.replicas.proxyUp()
  await rig.settle()
  rig.twin.comeUp()
  await rig.settle(200)
  t.equal(await b.ask(token, thief), 'consumed')
  t.equal(await a.ask(former, thief, 'voice'), 'consumed')
  t.equal(await a.ask(former, thief), 'live')
})

void t.test('asks under way are bounded', async t => {
  const rig = new ReplicaRig(t, { limits: 'asksPerSecond: 8' })
  const [a] = await rig.start('a') as [TestReplica]
  const token = await a.query()
  rig.twin.pause()
  const ids = Array.from({ length: 10 }, (_, port) => a.asks(token, `192.0.2.7:${port + 1}`))
  await rig.settle()
  t.equal(ids.filter(id => a.verdictOf(id) === 'late').length, 6, 'answered at once')
  await rig.settle(250)
  t.equal(ids.filter(id => a.verdictOf(id) === 'late').length, 10)
})

void t.test('a start waits for the store, or for the news that it is not there', async t => {
  const rig = new ReplicaRig(t)
  rig.twin.goDown()
  const a = await rig.add('a')
  t.strictSame(await rig.settled(a.replicas.start()), { ok: true, value: undefined }, 'an outage of the store stops no start')
  t.match(a.replicas.reading(), { status: 'down', reason: 'connection refused' })
  t.equal((await a.query()).length, 36)
  rig.twin.comeUp()
  await rig.settle(200)
  t.match(a.replicas.reading(), { status: 'up', reason: undefined })
  rig.twin.setUnsuitable('maxmemory-policy is allkeys-lru.')
  await rig.settle()
  t.match(a.replicas.reading(), { status: 'unsuitable' })
  t.match(a.heard.at(-1), { data: { change: 'down', status: 'unsuitable' } }, 'found later it counts as down')
  const b = await rig.add('b')
  t.strictSame(await rig.settled(b.replicas.start()), { ok: false, error: 'sharedState: maxmemory-policy is allkeys-lru.' })
})

void t.test('tokens are marked by a key that all replicas know', async t => {
  const rig = new ReplicaRig(t)
  const [a, b] = await rig.start('a', 'b') as [TestReplica, TestReplica]
  t.strictSame(a.keys.told, b.keys.told)
  t.ok(isOurs(await a.query(), b))
})

function isOurs (token: string, { keys }: TestReplica): boolean {
  const words = new Uint32Array(TOKEN_WORDS)
  writeTokenWords(token as Token, words)
  return keys.told.some(key => isMarked(words, tokenKeyFrom(key)))
}
