import fc from 'fast-check'
import t from 'tap'
import { createFakeClock } from '#testkit/fake-clock.js'
import type { HubItem } from '../../src/events/event-buffer.js'
import { EventsHub, KEPT_PER_KIND, type EventReader } from '../../src/events/events-hub.js'
import { allKinds, type HubKind } from '../../src/events/hub-kinds.js'

const issued = { tokenPrefix: '01234567', target: 'gameserver/ns/a', via: 'query' } as const
const session = { change: 'established', sessionId: '0-1', client: '192.0.2.7:1', target: 'gameserver/ns/a' } as const

function taken (reader: EventReader): HubItem[] {
  const items: HubItem[] = []
  for (let item = reader.take(); item !== undefined; item = reader.take()) items.push(item)
  return items
}

void t.test('an event is made only for who reads its kind, and once for all of them', t => {
  const hub = new EventsHub(createFakeClock())
  let made = 0
  const publish = (): void => {
    hub.publish('token_issued', () => {
      made++
      return issued
    })
  }
  publish()
  const other = hub.read({ kinds: ['session'], wake: () => undefined })
  publish()
  t.equal(made, 0)
  const readers = [1, 2].map(() => hub.read({ kinds: ['token_issued', 'link'], wake: () => undefined }))
  publish()
  t.equal(made, 1)
  t.strictSame(readers.map(taken), Array(2).fill([{ number: 1, atMs: createFakeClock().wallNow(), kind: 'token_issued', data: issued }]))
  for (const reader of readers) reader.close()
  publish()
  t.equal(made, 1)
  t.strictSame(taken(other), [])
  t.end()
})

void t.test('a reader is woken once until it has found nothing, and who publishes from there overtakes nobody', t => {
  const hub = new EventsHub(createFakeClock())
  let wakes = 0
  const seen: HubItem[] = []
  const slow = hub.read({ kinds: ['session'], wake: () => { wakes++ } })
  const answering = hub.read({
    kinds: ['session'],
    wake: () => {
      const item = answering.take()
      if (item?.number === 1) hub.publish('session', () => session)
      taken(answering)
    }
  })
  const last = hub.read({ kinds: ['session'], wake: () => { seen.push(...taken(last)) } })
  hub.publish('session', () => session)
  hub.publish('session', () => session)
  t.equal(wakes, 1)
  t.strictSame(seen.map(({ number }) => number), [1, 2, 3])
  t.strictSame(taken(slow).map(({ number }) => number), [1, 2, 3])
  hub.publish('session', () => session)
  t.equal(wakes, 2)
  t.end()
})

void t.test('a flood of one kind costs events of that kind alone, and is told where they are missing', t => {
  const hub = new EventsHub(createFakeClock())
  const reader = hub.read({ kinds: ['session', 'token_issued'], wake: () => undefined })
  hub.publish('token_issued', () => issued)
  for (let event = 0; event < KEPT_PER_KIND + 10; event++) hub.publish('session', () => session)
  hub.publish('token_issued', () => issued)
  const items = taken(reader)
  t.strictSame(items[1], { number: 2, kind: 'missed', of: 'session', count: 10, orMore: false })
  t.strictSame(items.map(({ number }) => number), [1, 2, ...Array.from({ length: KEPT_PER_KIND + 1 }, (_, at) => 12 + at)])
  t.end()
})

void t.test('what was lost before it came here is told in its place, and counted with what falls out', t => {
  const hub = new EventsHub(createFakeClock())
  hub.lost('session', 3, false)
  const reader = hub.read({ kinds: ['session'], keptPerKind: 2, wake: () => undefined })
  hub.publish('session', () => session)
  hub.lost('session', 3, false)
  t.strictSame(taken(reader).slice(1), [{ number: 2, kind: 'missed', of: 'session', count: 3, orMore: false }])
  hub.lost('session', 0, true)
  for (let event = 0; event < 3; event++) hub.publish('session', () => session)
  t.strictSame(taken(reader)[0], { number: 3, kind: 'missed', of: 'session', count: 1, orMore: true })
  t.end()
})

void t.test('who passes events on hears when a kind is read for the first time and when it is not read any more', t => {
  const hub = new EventsHub(createFakeClock())
  const read: boolean[] = []
  const stop = hub.onDemand(() => { read.push(hub.isRead('session')) })
  const first = hub.read({ kinds: ['session'], wake: () => undefined })
  const second = hub.read({ kinds: ['session'], wake: () => undefined })
  first.close()
  first.close()
  second.close()
  stop()
  hub.read({ kinds: ['session'], wake: () => undefined })
  t.strictSame(read, [true, false])
  t.end()
})

// All that a reader was given, and what of it has fallen out.
class NaiveReader {
  readonly #kept: number
  items: Array<{ readonly item: HubItem, readonly kind: HubKind, isOut: boolean }> = []

  constructor (kept: number) {
    this.#kept = kept
  }

  add (item: HubItem, kind: HubKind): void {
    const inside = this.items.filter(entry => entry.kind === kind && !entry.isOut)
    if (inside.length === this.#kept) inside[0]!.isOut = true
    this.items.push({ item, kind, isOut: false })
  }

  take (): HubItem | undefined {
    const first = this.items[0]
    if (first === undefined) return undefined
    const { kind, isOut, item } = first
    const goes = isOut ? this.items.filter(entry => entry.isOut && entry.kind === kind) : [first]
    this.items = this.items.filter(entry => !goes.includes(entry))
    if (!isOut) return item
    const counts = goes.map(({ item }) => item.kind === 'missed' ? item.count : 1)
    return {
      number: item.number,
      kind: 'missed',
      of: kind,
      count: counts.reduce((sum, count) => sum + count, 0),
      orMore: goes.some(({ item }) => item.kind === 'missed' && item.orMore)
    }
  }
}

const kindArb = fc.constantFrom<HubKind>('session', 'token_issued', 'link', 'drain')
const stepArb = fc.oneof(
  { weight: 8, arbitrary: fc.record({ do: fc.constant('publish' as const), kind: kindArb, times: fc.integer({ min: 1, max: 6 }) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('lose' as const), kind: kindArb, count: fc.nat({ max: 5 }), orMore: fc.boolean() }) },
  { weight: 3, arbitrary: fc.record({ do: fc.constant('take' as const), reader: fc.nat(), times: fc.integer({ min: 1, max: 8 }) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('join' as const), kinds: fc.uniqueArray(kindArb, { minLength: 1 }), kept: fc.integer({ min: 1, max: 4 }) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('leave' as const), reader: fc.nat() }) }
)

void t.test('whatever is published, read and left: the same as a naive hub that keeps everything', t => {
  fc.assert(fc.property(fc.array(stepArb, { maxLength: 200 }), steps => {
    const hub = new EventsHub({ wallNow: () => 0 })
    const readers: Array<{ kinds: readonly HubKind[], real: EventReader, naive: NaiveReader, mostWaiting: number }> = []
    let number = 0
    const tell = (kind: HubKind, item: (number: number) => HubItem): void => {
      const hearing = readers.filter(({ kinds }) => kinds.includes(kind))
      if (hearing.length === 0) return
      number++
      for (const { naive } of hearing) naive.add(item(number), kind)
    }
    const differ = (reader: typeof readers[number], times: number): boolean => {
      for (let time = 0; time < times; time++) {
        const [real, naive] = [reader.real.take(), reader.naive.take()]
        if (JSON.stringify(real) !== JSON.stringify(naive)) throw new Error(`${JSON.stringify(real)} instead of ${JSON.stringify(naive)}`)
        if (real === undefined) return true
      }
      return false
    }
    for (const step of steps) {
      if (step.do === 'publish') {
        for (let time = 0; time < step.times; time++) {
          const data = { time } as never
          tell(step.kind, number => ({ number, atMs: 0, kind: step.kind, data }))
          hub.publish(step.kind, () => data)
        }
      } else if (step.do === 'lose') {
        tell(step.kind, number => ({ number, kind: 'missed', of: step.kind, count: step.count, orMore: step.orMore }))
        hub.lost(step.kind, step.count, step.orMore)
      } else if (step.do === 'join') {
        readers.push({ kinds: step.kinds, real: hub.read({ kinds: step.kinds, keptPerKind: step.kept, wake: () => undefined }), naive: new NaiveReader(step.kept), mostWaiting: step.kinds.length * (step.kept + 1) })
      } else {
        const reader = readers[step.reader % readers.length]
        if (reader === undefined) continue
        if (step.do === 'take') differ(reader, step.times)
        else {
          reader.real.close()
          readers.splice(readers.indexOf(reader), 1)
        }
      }
    }
    // However much there was, no more waits than the bound of each kind and one count of what is missing.
    for (const reader of readers) if (!differ(reader, reader.mostWaiting + 1)) throw new Error(`More than ${reader.mostWaiting} waited.`)
    return allKinds.every(kind => hub.isRead(kind) === readers.some(({ kinds }) => kinds.includes(kind)))
  }), { numRuns: 300 })
  t.end()
})
