// What a core knows of its sessions, flows, tokens and counters is what the next life knows: each thing that can be asked.
import t from 'tap'
import { countersOf, factsOf } from './core-facts.js'
import { fullLife, nextLife, openLog } from './full-life.js'

void t.test('the next life knows everything that this one knew', async t => {
  const { core, clock, storage } = fullLife()
  // Its own time began at another moment.
  const later = { ...clock, now: () => clock.now() + 5000 }
  const [next] = nextLife(storage, later)
  t.strictSame(factsOf(next!, 0), factsOf(core, 5000))
  t.strictSame(countersOf(next!), countersOf(core))
})

void t.test('all that a log begins with says the same as all the changes that led there', async t => {
  const { core, clock } = fullLife()
  const { storage } = openLog(core, clock)
  const [next] = nextLife(storage, clock)
  t.strictSame(factsOf(next!, 0), factsOf(core, 0))
})

void t.test('with another number of shards everything is known once, but for flows', async t => {
  const { core, clock, storage } = fullLife()
  const { sessions, tokens } = factsOf(core, 0)
  const shards = nextLife(storage, clock, 3).map(next => factsOf(next, 0))
  const byText = (one: unknown, other: unknown): number => JSON.stringify(one) < JSON.stringify(other) ? -1 : 1
  t.strictSame(shards.flatMap(shard => shard['sessions']!).sort(byText), sessions)
  for (const shard of shards) t.strictSame(shard['tokens'], tokens)
})
