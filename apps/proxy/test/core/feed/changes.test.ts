// Readers of one feed: each at its own pace, some late, some gone; and any number of them against a naive model.
import fc from 'fast-check'
import t from 'tap'
import { createCore } from '../../../src/core/core.js'
import { Changes } from '../../../src/core/feed/changes.js'
import type { Marks } from '../../../src/core/feed/marks.js'
import { addressWords } from '#wire/address.js'
import { bytesOf, servers, silentObserver, testOptions } from '../core-driver.js'

const CAPACITY = 12

const listOf = (marks: Marks): number[] => Array.from({ length: marks.size }, (_, index) => marks.at(index))

void t.test('a reader keeps their own pace', t => {
  const changes = new Changes(CAPACITY)
  const [quick, slow] = [changes.join(), changes.join()]
  changes.mark(3)
  changes.mark(5)
  quick.clear()
  changes.mark(3)
  t.strictSame([listOf(quick), listOf(slow)], [[3], [3, 5]], 'each slot once, in the order of its first change')
  slow.removeFirst(1)
  changes.mark(3)
  changes.mark(0)
  t.strictSame([listOf(quick), listOf(slow)], [[3, 0], [5, 3, 0]])
  t.end()
})

void t.test('to a reader who comes late everything has changed that was ever used', t => {
  const changes = new Changes(CAPACITY)
  t.strictSame(listOf(changes.join()), [], 'nothing was')
  changes.mark(4)
  changes.mark(1)
  t.strictSame(listOf(changes.join()), [0, 1, 2, 3, 4])
  t.end()
})

void t.test('who has left is told nothing more, and the others are', t => {
  const changes = new Changes(CAPACITY)
  const [one, two, three] = [changes.join(), changes.join(), changes.join()]
  changes.mark(1)
  changes.leave(two)
  changes.leave(two)
  changes.mark(2)
  t.strictSame([one, two, three].map(listOf), [[1, 2], [1], [1, 2]])
  t.end()
})

type Step =
  | { readonly do: 'mark', readonly slot: number }
  | { readonly do: 'join' }
  | { readonly do: 'leave', readonly reader: number }
  | { readonly do: 'clear', readonly reader: number }
  | { readonly do: 'take', readonly reader: number, readonly count: number }

const reader = fc.nat({ max: 20 })
const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 6, arbitrary: fc.record({ do: fc.constant('mark' as const), slot: fc.nat({ max: CAPACITY - 1 }) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('join' as const) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('leave' as const), reader }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('clear' as const), reader }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('take' as const), reader, count: fc.nat({ max: CAPACITY }) }) }
)

/** Marks, and what a list that is searched and spliced has in their place. */
interface Pair { readonly marks: Marks, expected: number[], hasLeft: boolean }

void t.test('any number of readers have what a naive model has', t => {
  fc.assert(fc.property(fc.array(step, { maxLength: 200 }), steps => {
    const changes = new Changes(CAPACITY)
    const pairs: Pair[] = []
    let used = 0
    for (const step of steps) {
      const pair = 'reader' in step ? pairs[step.reader % Math.max(1, pairs.length)] : undefined
      if (step.do === 'mark') {
        changes.mark(step.slot)
        used = Math.max(used, step.slot + 1)
        for (const pair of pairs) if (!pair.hasLeft && !pair.expected.includes(step.slot)) pair.expected.push(step.slot)
      } else if (step.do === 'join') {
        pairs.push({ marks: changes.join(), expected: Array.from({ length: used }, (_, slot) => slot), hasLeft: false })
      } else if (pair === undefined) {
        continue
      } else if (step.do === 'leave') {
        changes.leave(pair.marks)
        pair.hasLeft = true
      } else if (step.do === 'clear') {
        pair.marks.clear()
        pair.expected = []
      } else {
        const count = Math.min(step.count, pair.marks.size)
        pair.marks.removeFirst(count)
        pair.expected = pair.expected.slice(count)
      }
      for (const { marks, expected } of pairs) if (listOf(marks).join() !== expected.join()) return false
    }
    return true
  }))
  t.end()
})

void t.test('every table of a core has readers of its own', t => {
  const { state, packets, operations } = createCore(testOptions({}), silentObserver)
  const feeds = { sessions: state.sessions.changes, tokens: state.tokens.changes, targets: state.targets.changes, flows: state.flows.changes, ports: state.upstreamPorts.changes, locals: state.locals.changes }
  const readers = Object.values(feeds).map(feed => feed.join())
  operations.setDefaultTargets([servers.A])
  packets.fromClient(0, addressWords('192.0.2.7')!, 1000, bytesOf({ data: 'x' }), false, 0)
  state.upstreamPorts.set(0, true, 40_000)
  state.locals.intern(addressWords('192.0.2.1')!, 0)
  t.strictSame(readers.map(listOf), [[0], [], [0], [0], [0], [1]])
  t.strictSame(Object.values(feeds).map(feed => listOf(feed.join())), [[0], [], [0], [0], [0], [0, 1]])
  t.end()
})
