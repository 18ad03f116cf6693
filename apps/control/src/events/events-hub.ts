// Where events meet their readers. An event is made when somebody reads its kind, once for all of them; each reader has a bounded
// buffer of its own and takes from it when it likes, so a slow one costs nobody anything but itself. Nobody waits here.
import type { Clock } from '#core/clock.js'
import { EventBuffer, type HubItem } from './event-buffer.js'
import type { EventRelay } from './event-sink.js'
import { allKinds, type HubData, type HubEvent, type HubKind } from './hub-kinds.js'

/** Events of one kind that wait for a slow reader, unless it says otherwise; a few hundred bytes each. */
export const KEPT_PER_KIND = 1000

export interface ReaderOptions {
  readonly kinds: readonly HubKind[]
  /**
   * Called when something waits after nothing did, from within `publish`: take it now, or plan to. It is called again once
   * `take` has returned undefined.
   */
  readonly wake: () => void
  /** Default: KEPT_PER_KIND. */
  readonly keptPerKind?: number
}

export interface EventReader {
  /** The next event, or how many of a kind are missing before the next of that kind; undefined if nothing waits. */
  readonly take: () => HubItem | undefined
  /** Nothing comes to it any more. */
  readonly close: () => void
}

interface Reader {
  readonly buffer: EventBuffer
  readonly wake: () => void
  /** Woken, and has not found its buffer empty since. */
  isAwake: boolean
}

export class EventsHub implements EventRelay {
  readonly #clock: Pick<Clock, 'wallNow'>
  readonly #readers: ReadonlyMap<HubKind, Set<Reader>> = new Map(allKinds.map(kind => [kind, new Set()]))
  readonly #watchers = new Set<() => void>()
  #number = 0

  constructor (clock: Pick<Clock, 'wallNow'>) {
    this.#clock = clock
  }

  /** Reads these kinds from now on, until `close`. */
  read ({ kinds, wake, keptPerKind = KEPT_PER_KIND }: ReaderOptions): EventReader {
    const reader: Reader = { buffer: new EventBuffer(keptPerKind), wake, isAwake: false }
    this.#change(kinds, readers => readers.add(reader))
    return {
      take: () => {
        const item = reader.buffer.take()
        if (item === undefined) reader.isAwake = false
        return item
      },
      close: () => { this.#change(kinds, readers => readers.delete(reader)) }
    }
  }

  readonly publish = <Kind extends HubKind>(kind: Kind, make: () => HubData<Kind>): void => {
    if (!this.isRead(kind)) return
    this.#give(kind, { number: ++this.#number, atMs: this.#clock.wallNow(), kind, data: make() } as HubEvent)
  }

  readonly lost = (kind: HubKind, count: number, orMore: boolean): void => {
    if (this.isRead(kind)) this.#give(kind, { number: ++this.#number, kind: 'missed', of: kind, count, orMore })
  }

  readonly isRead = (kind: HubKind): boolean => this.#readersOf(kind).size > 0

  readonly onDemand = (changed: () => void): (() => void) => {
    this.#watchers.add(changed)
    return () => { this.#watchers.delete(changed) }
  }

  // All have it before the first is woken: whoever publishes from there does not overtake.
  #give (kind: HubKind, item: HubItem): void {
    const readers = this.#readersOf(kind)
    for (const reader of readers) reader.buffer.add(item)
    for (const reader of readers) {
      if (reader.isAwake) continue
      reader.isAwake = true
      reader.wake()
    }
  }

  #readersOf (kind: HubKind): Set<Reader> {
    return this.#readers.get(kind)!
  }

  // Someone joins or leaves.
  #change (kinds: readonly HubKind[], change: (readers: Set<Reader>) => void): void {
    const wereRead = kinds.map(this.isRead)
    for (const kind of kinds) change(this.#readersOf(kind))
    if (kinds.some((kind, at) => this.isRead(kind) !== wereRead[at])) for (const changed of this.#watchers) changed()
  }
}
