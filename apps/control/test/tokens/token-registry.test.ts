import t, { type Test } from 'tap'
import type { Token } from '#wire/token.js'
import { createFakeClock, type FakeClock } from '#testkit/fake-clock.js'
import { SessionCounts } from '../../src/proxies/session-counts.js'
import { TargetLoad } from '../../src/proxies/target-load.js'
import { TokenRegistry } from '../../src/tokens/token-registry.js'

const a = { key: 'gameserver/ns/a', address: '192.0.2.1', ports: { default: 7777 } }
const b = { key: 'gameserver/ns/b', address: '192.0.2.2', ports: { default: 7777 } }
const [one, two, three] = ['one', 'two', 'three'] as [Token, Token, Token]

function makeRegistry (t: Test, maxTokens = 10): { clock: FakeClock, registry: TokenRegistry } {
  const clock = createFakeClock(100)
  const registry = new TokenRegistry(clock, maxTokens)
  t.teardown(() => {
    registry.close()
    if (clock.pending() > 0) throw new Error('The sweep goes on.')
  })
  return { clock, registry }
}

void t.test('a token lives exactly as long as its TTL, and is forgotten soon after', async t => {
  const { clock, registry } = makeRegistry(t)
  t.equal(registry.add(one, a, 1000), true)
  t.equal(registry.add(two, b, 60_000), true)
  clock.advance(999)
  t.equal(registry.targetOf(one), a)
  clock.advance(1)
  t.equal(registry.targetOf(one), undefined)
  t.equal(registry.delete(one), false, 'an expired token is not there to delete')
  clock.advance(250)
  t.equal(registry.size, 1)
  t.strictSame([...registry.grants()], [{ token: two, ttlMs: 58_750, target: b }])
  clock.advance(10 * 60_000)
  t.equal(registry.size, 0)
})

void t.test('at the bound nothing is taken in, until something ends', async t => {
  const { clock, registry } = makeRegistry(t, 2)
  t.strictSame([registry.add(one, a, 1000), registry.add(two, a, 5000), registry.add(three, a, 5000)], [true, true, false])
  clock.advance(1250)
  t.equal(registry.add(three, a, 5000), true)
  t.equal(registry.delete(two), true)
  t.equal(registry.size, 1)
})

void t.test('a token is pending until it is redeemed, deleted or expired', async t => {
  const { clock, registry } = makeRegistry(t)
  registry.add(one, a, 1000)
  registry.add(two, a, 5000)
  registry.add(three, a, 5000)
  t.equal(registry.pending(a.key), 3)
  registry.consume(two, 'default')
  registry.consume(two, 'voice')
  registry.consume(two, 'voice')
  t.equal(registry.pending(a.key), 2, 'redeemed is redeemed, on however many data ports')
  t.strictSame([...registry.grants()][1], { token: two, ttlMs: 5000, target: a, consumed: ['default', 'voice'] })
  registry.delete(three)
  clock.advance(1250)
  t.equal(registry.pending(a.key), 0)
  registry.delete(two)
  t.equal(registry.pending(a.key), 0, 'and does not become negative')
  registry.consume('unknown' as Token, 'default')
  t.equal(registry.pending(b.key), 0)
})

void t.test('unredeemed tokens that depend on an object are found by its key', async t => {
  const { registry } = makeRegistry(t)
  const selection = { resourceType: 'gameserver', namespace: 'ns' }
  registry.add(one, a, 1000, selection)
  registry.add(two, a, 1000, selection)
  registry.add(three, a, 1000)
  t.strictSame([...registry.unredeemed(a.key)], [{ token: one, target: a, selection }, { token: two, target: a, selection }], 'not one for an address')
  registry.consume(one, 'default')
  t.strictSame([...registry.unredeemed(a.key)].map(({ token }) => token), [two])
  registry.delete(two)
  t.strictSame([[...registry.unredeemed(a.key)], [...registry.unredeemed(b.key)]], [[], []])
  t.strictSame([registry.has(one), registry.has(two)], [true, false])
})

void t.test('a target\'s load is its sessions at every proxy and its pending tokens', async t => {
  const { registry } = makeRegistry(t)
  const counts = [new SessionCounts(), new SessionCounts()] as const
  const load = new TargetLoad(counts, registry)
  counts[0].apply({ [a.key]: 2, [b.key]: 1 })
  counts[1].apply({ [a.key]: 1 })
  registry.add(one, a, 1000)
  t.strictSame([load.of(a.key), load.of(b.key), load.sessions(a.key)], [4, 1, 3])
  counts[0].apply({ [b.key]: 0 })
  t.strictSame([load.of(a.key), load.of(b.key), load.total], [4, 0, 3])
  for (const each of counts) each.clear()
  t.equal(load.of(a.key), 1)
})

void t.test('thousands of tokens that end at once are forgotten over some turns, and none of them works meanwhile', t => {
  const clock = createFakeClock()
  const registry = new TokenRegistry(clock, 10_000)
  const target = { key: 'k', address: '192.0.2.1', ports: { default: 1 } }
  const tokens = Array.from({ length: 3500 }, (_, number) => `${String(number).padStart(8, '0')}-0000-4000-8000-000000000000` as Token)
  for (const token of tokens) registry.add(token, target, 1000)
  t.equal(registry.unredeemedTokens, 3500)
  clock.advance(1250)
  t.ok(registry.size > 0 && registry.size < 3500, `${registry.size} left after one turn`)
  t.equal(registry.targetOf(tokens[0]!), undefined)
  t.same([...registry.grants()], [])
  clock.advance(10)
  t.equal(registry.size, 0)
  t.equal(registry.unredeemedTokens, 0)
  registry.close()
  t.end()
})
