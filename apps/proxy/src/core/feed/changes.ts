// The change feed of a table: whoever changes a record marks it, and every reader finds it among their own marks when they
// come to look. A reader who is slow costs memory that is bounded, and holds up nobody.
//
//   table ── mark(7) ──▶ Changes ──┬─▶ Marks of the state log   7
//                                  └─▶ Marks of another reader  2 9 7
//
// What a mark says is "look at this slot again": how often it changed, and what it was before, is not kept.
import { Marks } from './marks.js'

export class Changes {
  readonly #capacity: number
  readonly #readers: Marks[] = []
  #highWater = 0

  /** @param capacity of the table: slots are below it */
  constructor (capacity: number) {
    this.#capacity = capacity
  }

  /** The record in `slot` has come, changed or gone. A step for each reader; allocates nothing. */
  mark (slot: number): void {
    if (slot >= this.#highWater) this.#highWater = slot + 1
    for (let reader = 0; reader < this.#readers.length; reader++) this.#readers[reader]!.add(slot)
  }

  /**
   * The marks of one more reader, 5 bytes a slot. They know nothing yet, so every slot that was ever used counts as changed.
   * Give them to `leave` when they are not read any more.
   */
  join (): Marks {
    const marks = new Marks(this.#capacity)
    for (let slot = 0; slot < this.#highWater; slot++) marks.add(slot)
    this.#readers.push(marks)
    return marks
  }

  /** Marks no more of what changes in these. */
  leave (marks: Marks): void {
    const reader = this.#readers.indexOf(marks)
    if (reader >= 0) this.#readers.splice(reader, 1)
  }
}
