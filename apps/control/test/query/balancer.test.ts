// Each way to choose among candidates, with loads and dice the test holds.
import fc from 'fast-check'
import t from 'tap'
import type { LoadBalancing } from '#config/schema.js'
import { createBalancer, MAX_TURNS, type Balancer } from '../../src/query/balancer.js'
import type { Candidate } from '../../src/targets/candidate.js'
import { gameServer } from '../inventory/kube-objects.js'

function candidate (name: string, labels: Record<string, string> = {}): Candidate {
  return { object: gameServer(name, { labels }), target: { key: name, address: '10.0.0.1', ports: { default: 7777 } } }
}

const a = candidate('a')
const b = candidate('b')
const c = candidate('c')

interface Loads { [key: string]: number }

function balancer (type: LoadBalancing['type'], loads: Loads = {}, random: () => number = () => 0): Balancer {
  return createBalancer({ type, overlap: 0 }, { loadOf: key => loads[key] ?? 0, random })
}

const keyOf = (chosen: Candidate | undefined): string | undefined => chosen?.target.key
const keysOf = (candidates: readonly Candidate[]): string => candidates.map(keyOf).join('')

void t.test('no candidates, no choice', async t => {
  for (const type of ['first', 'leastSessions', 'roundRobin', 'random'] as const) {
    t.equal(balancer(type).choose([]), undefined, type)
    t.strictSame(balancer(type).ordered([]), [], type)
  }
})

void t.test('first takes the first', async t => {
  const { choose, ordered } = balancer('first', { a: 9 })
  t.equal(choose([a, b]), a)
  t.equal(choose([a, b]), a)
  t.equal(keysOf(ordered([c, a, b])), 'cab')
})

void t.test('leastSessions takes the least loaded, among equals the first, and does not herd', async t => {
  const loads: Loads = { a: 2, b: 1, c: 1 }
  const { choose, ordered } = balancer('leastSessions', loads)
  t.equal(choose([a, b, c]), b)
  t.equal(keysOf(ordered([a, b, c])), 'bca')
  const chosen = Array.from({ length: 5 }, () => {
    const key = keyOf(choose([a, b, c]))!
    // As a token that nobody has redeemed yet does.
    loads[key]!++
    return key
  })
  t.equal(chosen.join(''), 'bcabc')
})

void t.test('roundRobin gives everyone a turn', async t => {
  const { choose, ordered } = balancer('roundRobin')
  const turns = (candidates: readonly Candidate[], count: number): string => Array.from({ length: count }, () => keyOf(choose(candidates))).join('')
  t.equal(turns([a, b, c], 7), 'abcabca')
  t.equal(keysOf(ordered([a, b, c])), 'bca')
  t.equal(keysOf(ordered([a, b, c])), 'bca', 'looking is not a turn')
  t.equal(turns([b, c], 3), 'bcb', 'one that is gone')
  t.equal(turns([a, b, c], 3), 'acb', 'one that is back')
  t.equal(turns([a, b, c, candidate('d')], 2), 'da', 'one that is new comes first')
})

void t.test('roundRobin is even over selections that alternate and overlap', async t => {
  const { choose } = balancer('roundRobin')
  const counts = new Map<string, number>()
  for (let round = 0; round < 60; round++) {
    for (const candidates of [[a, b], [b, c], [a, c]]) {
      const key = keyOf(choose(candidates))!
      counts.set(key, (counts.get(key) ?? 0) + 1)
    }
  }
  t.strictSame(new Map([...counts].sort()), new Map([['a', 60], ['b', 60], ['c', 60]]))
})

void t.test('roundRobin remembers a bounded number of turns', async t => {
  const { choose, ordered } = balancer('roundRobin')
  choose([a])
  for (let number = 0; number < MAX_TURNS; number++) choose([{ ...b, target: { ...b.target, key: `b${number}` } }])
  t.equal(keysOf(ordered([{ ...b, target: { ...b.target, key: 'b0' } }, a])), 'ab0', 'the oldest turn is forgotten first')
})

void t.test('random takes any, each alike', async t => {
  const dice = [0.5, 0.2, 0.9]
  let thrown = 0
  t.equal(balancer('random', {}, () => dice[thrown++]!).choose([a, b, c]), b)
  const { choose } = balancer('random', {}, mulberry32(42))
  const counts: Loads = { a: 0, b: 0, c: 0 }
  for (let number = 0; number < 3000; number++) counts[keyOf(choose([a, b, c]))!]!++
  for (const key of ['a', 'b', 'c']) t.ok(counts[key]! > 900 && counts[key]! < 1100, `${key}: ${counts[key]}`)
})

// A small generator with a seed, so that the counts above are the same in every run.
function mulberry32 (seed: number): () => number {
  let state = seed
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ state >>> 15, 1 | state)
    mixed = mixed + Math.imul(mixed ^ mixed >>> 7, 61 | mixed) ^ mixed
    return ((mixed ^ mixed >>> 14) >>> 0) / 2 ** 32
  }
}

void t.test('labelArithmetic takes the one with the most places left, if there is any', async t => {
  const places = (current: string, max: string, name = 'a'): Candidate => candidate(name, { current, max })
  const choose = (candidates: readonly Candidate[], overlap = 0, loads: Loads = {}): string | undefined => keyOf(createBalancer(
    { type: 'labelArithmetic', currentLabel: 'current', maxLabel: 'max', overlap },
    { loadOf: key => loads[key] ?? 0, random: () => 0 }
  ).choose(candidates))
  t.equal(choose([places('10', '64'), places('5', '64', 'b')]), 'b')
  t.equal(choose([places('5', '64'), places('5', '64', 'b')]), 'a', 'among equals the first')
  t.equal(choose([places('5', '64'), places('5', '64', 'b')], 0, { a: 1 }), 'b', 'our own sessions count')
  t.equal(choose([places('63', '64')]), 'a')
  t.equal(choose([places('64', '64')]), undefined, 'full')
  t.equal(choose([places('65', '64')]), undefined, 'overfull')
  t.equal(choose([places('60', '64')], 4), undefined, 'the overlap is kept free')
  t.equal(choose([places('59', '64')], 4), 'a')
  t.equal(choose([places('60', '64')], 0, { a: 4 }), undefined, 'our own sessions fill it')
  for (const text of ['', 'many', '-1', '1.5', '0x10', '1e3', ' 5', '9'.repeat(16)]) {
    t.equal(choose([places(text, '64')]), undefined, `current "${text}"`)
    t.equal(choose([places('0', text)]), undefined, `max "${text}"`)
  }
  t.equal(choose([a, candidate('b', { current: '0' }), candidate('c', { max: '4' })]), undefined, 'labels that are missing')
  t.throws(() => createBalancer({ type: 'labelArithmetic', overlap: 0 }, { loadOf: () => 0, random: () => 0 }), /needs currentLabel and maxLabel/)
})

void t.test('what is chosen is the first of the order, for every type and load', async () => {
  const count = fc.integer({ min: 0, max: 5 })
  const entries = fc.array(fc.record({ load: count, current: count, max: count }), { maxLength: 6 })
  const types = fc.constantFrom('first', 'leastSessions', 'labelArithmetic', 'roundRobin')
  fc.assert(fc.property(types, entries, count, (type, rows, overlap) => {
    const candidates = rows.map(({ current, max }, at) => candidate(String(at), { current: String(current), max: String(max) }))
    const { choose, ordered } = createBalancer({ type, currentLabel: 'current', maxLabel: 'max', overlap }, { loadOf: key => rows[Number(key)]!.load, random: () => 0 })
    for (let round = 0; round < 4; round++) if (ordered(candidates)[0] !== choose(candidates)) return false
    return true
  }))
})
