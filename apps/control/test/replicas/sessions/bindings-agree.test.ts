// Whatever is lost, late or crosses: when it is quiet again, all sessions of a client are where the store says.
import t from 'tap'
import { KEEP_PERIOD_MS } from '../../../src/replicas/sessions/keep-rounds.js'
import { replicasHere, target, type Here, type ReplicasHere } from './replicas-here.js'

const clients = ['192.0.2.1:1', '192.0.2.1:2', '192.0.2.1:3']
const targets = ['x', 'y', 'z'].map(target)

/** The same numbers for the same seed, in [0, 1): Mulberry32. */
function randomFrom (seed: number): () => number {
  let state = seed
  return () => {
    state = state + 0x6d2b79f5 | 0
    let mixed = Math.imul(state ^ state >>> 15, 1 | state)
    mixed = mixed + Math.imul(mixed ^ mixed >>> 7, 61 | mixed) ^ mixed
    return ((mixed ^ mixed >>> 14) >>> 0) / 4_294_967_296
  }
}

type Step = (here: ReplicasHere, replica: Here, random: () => number) => void

function oneOf<Item> (items: readonly Item[], random: () => number): Item {
  return items[Math.floor(random() * items.length)]!
}

const steps: readonly Step[] = [
  (_, { proxy }, random) => { proxy.data(oneOf(clients, random)) },
  (_, { proxy }, random) => { proxy.data(oneOf(clients, random)) },
  (_, { proxy }, random) => { proxy.token(oneOf(clients, random), oneOf(targets, random), String(random())) },
  (_, { proxy }, random) => { proxy.token(oneOf(clients, random), oneOf(targets, random), String(random())) },
  (_, { proxy }, random) => { proxy.move(oneOf(clients, random), oneOf(targets, random)) },
  (_, { part }, random) => { void part.shared.move(oneOf(clients, random), oneOf(targets, random)) },
  (_, { proxy, part }) => {
    proxy.isSynchronised = false
    proxy.isSynchronised = true
    part.onProxyUp?.()
  },
  ({ twin }, _, random) => { twin.setWeather({ leastMs: 0, mostMs: 100, lostRequests: 0.05, lostReplies: 0.1, lateReplies: 0.1, lostMessages: random() / 2 }) },
  ({ twin }) => { twin.setWeather({ mostMs: 20 }) },
  ({ twin }, _, random) => { if (random() < 0.3) twin.failOver(200, 300) }
]

// Some, and those that have found something.
const seeds = [1, 2, 3, 4, 5, 6, 14, 19, 25, 109, 148, 149]

for (const seed of seeds) {
  void t.test(`seed ${seed}`, async t => {
    const random = randomFrom(seed)
    const here = replicasHere(random)
    const replicas = ['a', 'b', 'c'].map(name => here.open(name))
    for (const { proxy } of replicas) proxy.eventMs = random() < 0.5 ? 0 : 30
    await here.pass(100)
    for (let step = 0; step < 80; step++) {
      oneOf(steps, random)(here, oneOf(replicas, random), random)
      await here.pass(oneOf([0, 0, 10, 50, 400], random))
    }
    here.twin.setWeather({})
    for (let ms = 0; ms < KEEP_PERIOD_MS * 2.5; ms += 5000) {
      for (const { proxy } of replicas) for (const client of clients) if (proxy.at(client) !== undefined) proxy.data(client)
      await here.pass(5000)
    }
    for (const client of clients) {
      const record = here.twin.data.text(`ud1:s:${client}`)
      const at = record === undefined ? undefined : (JSON.parse(record.slice(record.indexOf('{'))) as { t: { key: string } }).t.key
      t.strictSame([...new Set(replicas.map(({ proxy }) => proxy.at(client) ?? at))], [at])
    }
    for (const replica of replicas) await replica.close()
  })
}
