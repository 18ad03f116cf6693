// What waits for one reader: of every kind the latest events, in a ring of its own. What no longer fits falls out at the old end and
// is counted, so the reader learns how much of which kind is missing, at the place where it is. Adding costs the same however
// much waits, and so does taking.
import type { HubEvent, HubKind } from './hub-kinds.js'

/** Events of one kind that a reader did not get. They were between what it took of that kind before and what it takes next. */
export interface Missed {
  /** Of the first of them, if they fell out here; otherwise of the moment they were found to be lost. */
  readonly number: number
  readonly kind: 'missed'
  readonly of: HubKind
  readonly count: number
  /** More may be missing than were counted. */
  readonly orMore: boolean
}

export type HubItem = HubEvent | Missed

export class EventBuffer {
  readonly #capacity: number
  readonly #queues = new Map<HubKind, KindQueue>()

  /** `capacity` is how many events of each kind are kept. */
  constructor (capacity: number) {
    this.#capacity = capacity
  }

  add (item: HubItem): void {
    const kind = item.kind === 'missed' ? item.of : item.kind
    let queue = this.#queues.get(kind)
    if (queue === undefined) this.#queues.set(kind, queue = new KindQueue(this.#capacity))
    queue.add(item)
  }

  /** Takes what is next in the order of their numbers; undefined if nothing waits. */
  take (): HubItem | undefined {
    let first: KindQueue | undefined
    for (const queue of this.#queues.values()) if (first === undefined || queue.nextNumber < first.nextNumber) first = queue
    return first?.take()
  }
}

class KindQueue {
  readonly #capacity: number
  readonly #ring: Array<HubItem | undefined> = []
  #head = 0
  #length = 0
  // What fell out, all of it older than the rest.
  #missed: Missed | undefined

  constructor (capacity: number) {
    this.#capacity = capacity
  }

  /** Infinity if nothing waits. */
  get nextNumber (): number {
    return this.#missed?.number ?? this.#ring[this.#head]?.number ?? Infinity
  }

  add (item: HubItem): void {
    if (this.#length === this.#capacity) this.#missed = joined(this.#missed, this.#shift()!)
    this.#ring[(this.#head + this.#length++) % this.#capacity] = item
  }

  take (): HubItem | undefined {
    const missed = this.#missed
    if (missed === undefined) return this.#shift()
    this.#missed = undefined
    return missed
  }

  #shift (): HubItem | undefined {
    const item = this.#ring[this.#head]
    this.#ring[this.#head] = undefined
    this.#head = (this.#head + 1) % this.#capacity
    if (item !== undefined) this.#length--
    return item
  }
}

// Of what fell out before, and what falls out now.
function joined (missed: Missed | undefined, item: HubItem): Missed {
  const { of, count, orMore } = item.kind === 'missed' ? item : { of: item.kind, count: 1, orMore: false }
  return { number: missed?.number ?? item.number, kind: 'missed', of, count: count + (missed?.count ?? 0), orMore: orMore || missed?.orMore === true }
}
