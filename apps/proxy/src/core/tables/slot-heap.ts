// Some of a table's slots, the one that is due first always at hand: what has expired is found without a walk over the table.
// A binary heap (Williams 1964); adding and removing touch as many places as the number of slots has bits.
//
//   slots      [ 7 | 2 | 9 | 4 | … ]     dueAt[7] ≤ dueAt[2], dueAt[9]; dueAt[2] ≤ dueAt[4], …
//   place      place[7] = 0, place[2] = 1, …
const NONE = -1

export class SlotHeap {
  readonly #dueAt: Float64Array
  readonly #slots: Int32Array
  readonly #place: Int32Array
  #size = 0

  /** @param dueAt by slot; it must not change while the slot is in the heap */
  constructor (dueAt: Float64Array) {
    this.#dueAt = dueAt
    this.#slots = new Int32Array(dueAt.length)
    this.#place = new Int32Array(dueAt.length)
  }

  get size (): number { return this.#size }

  /** The slot that is due first, or -1. */
  get first (): number { return this.#size === 0 ? NONE : this.#slots[0]! }

  /** Adds a slot that is not in the heap. */
  add (slot: number): void {
    this.#rise(this.#size++, slot)
  }

  /** Removes a slot that is in the heap. */
  remove (slot: number): void {
    const place = this.#place[slot]!
    const last = this.#slots[--this.#size]!
    if (last === slot) return
    if (place > 0 && this.#dueAt[last]! < this.#dueAt[this.#slots[place - 1 >> 1]!]!) this.#rise(place, last)
    else this.#sink(place, last)
  }

  #rise (from: number, slot: number): void {
    let place = from
    while (place > 0) {
      const parent = this.#slots[place - 1 >> 1]!
      if (this.#dueAt[parent]! <= this.#dueAt[slot]!) break
      this.#put(place, parent)
      place = place - 1 >> 1
    }
    this.#put(place, slot)
  }

  #sink (from: number, slot: number): void {
    let place = from
    for (let child = 2 * place + 1; child < this.#size; child = 2 * place + 1) {
      if (child + 1 < this.#size && this.#dueAt[this.#slots[child + 1]!]! < this.#dueAt[this.#slots[child]!]!) child++
      if (this.#dueAt[slot]! <= this.#dueAt[this.#slots[child]!]!) break
      this.#put(place, this.#slots[child]!)
      place = child
    }
    this.#put(place, slot)
  }

  #put (place: number, slot: number): void {
    this.#slots[place] = slot
    this.#place[slot] = place
  }
}
