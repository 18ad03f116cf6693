// What is divided among shards, asked of shards that only note it.
import t from 'tap'
import { createFakeClock } from '#testkit/fake-clock.js'
import type { TokenGrant } from '#rpc/contract.js'
import type { Shard } from '../../src/shards/calls/shard.js'
import { TokenClaims } from '../../src/shards/calls/token-claims.js'
import { Shards } from '../../src/shards/shards.js'

const grant = (token: string): TokenGrant => ({ token, ttlMs: 1000, target: { key: 'A', address: '10.0.0.1', ports: { game: 7001 } } })

void t.test('an answer goes to the shard that asked, with the word of its token as long as there are any', async t => {
  const told: unknown[] = []
  const shard = (number: number): Shard => ({ call: async (_name: string, answers: unknown) => { told.push([number, answers]) } }) as unknown as Shard
  const clock = createFakeClock(0)
  // Two words.
  const shards = new Shards([shard(0), shard(1)], new TokenClaims(clock, 1), clock)
  await shards.answerAsks([{ id: 2, verdict: 'live', grant: grant('a') }, { id: 3, verdict: 'none' }, { id: 4, verdict: 'live', grant: grant('b') }])
  await shards.answerAsks([{ id: 5, verdict: 'live', grant: grant('c') }, { id: 7, verdict: 'live', grant: grant('a') }])
  t.strictSame(told, [
    [0, [{ id: 2, verdict: 'live', grant: { ...grant('a'), claim: 0 } }, { id: 4, verdict: 'live', grant: { ...grant('b'), claim: 1 } }]],
    [1, [{ id: 3, verdict: 'none' }]],
    [1, [{ id: 5, verdict: 'live', grant: grant('c') }, { id: 7, verdict: 'live', grant: { ...grant('a'), claim: 0 } }]]
  ])
})
