// The last events of one resource type: what a watch replays, and what a list of the past is computed from.
// Compaction, or more events than the ring holds, ends how far back both can reach.
import { keyOf, type KubeObject } from './resource-type.js'

/** A change, with both sides of it: a selector needs to know what an object was before. */
export interface StoreEvent {
  readonly resourceVersion: number
  readonly before: KubeObject | undefined
  /** For a deletion the last state, under the deletion's resource version. */
  readonly after: KubeObject
  readonly deleted: boolean
}

export class EventRing {
  readonly #capacity: number
  #events: StoreEvent[] = []
  #oldest: number

  /** @param start the version before the first event: watches from there on can be served */
  constructor (capacity: number, start: number) {
    this.#capacity = capacity
    this.#oldest = start
  }

  /** The oldest version a watch may start after. */
  get oldest (): number {
    return this.#oldest
  }

  push (event: StoreEvent): void {
    this.#events.push(event)
    // Cut in halves: a shift per event would move the whole array each time.
    if (this.#events.length >= this.#capacity * 2) this.#cut(this.#events.length - this.#capacity)
  }

  /** Forgets what happened up to and including `version`. */
  compact (version: number): void {
    const kept = this.#events.findIndex(event => event.resourceVersion > version)
    this.#events.splice(0, kept === -1 ? this.#events.length : kept)
    this.#oldest = Math.max(this.#oldest, version)
  }

  /** Events after `version`, oldest first; undefined when some of them are forgotten. */
  since (version: number): readonly StoreEvent[] | undefined {
    if (version < this.#oldest) return undefined
    let first = this.#events.length
    while (first > 0 && this.#events[first - 1]!.resourceVersion > version) first--
    return this.#events.slice(first)
  }

  /** Takes back in `objects` what happened after `version`; false when some of it is forgotten. */
  rewind (objects: Map<string, KubeObject>, version: number): boolean {
    const events = this.since(version)
    for (const { before, after } of events?.toReversed() ?? []) {
      if (before === undefined) objects.delete(keyOf(after))
      else objects.set(keyOf(before), before)
    }
    return events !== undefined
  }

  #cut (count: number): void {
    const [last] = this.#events.splice(0, count).slice(-1)
    this.#oldest = last!.resourceVersion
  }
}
