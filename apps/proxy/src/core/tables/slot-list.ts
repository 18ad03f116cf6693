// Some of a table's slots, in no order: adding, removing and picking cost the same however many there are.
//
//   slots      [ 7 | 2 | 9 | … ]        position[7] = 0, position[2] = 1, …
const NONE = -1

export class SlotList {
  readonly #slots: Int32Array
  readonly #position: Int32Array
  #size = 0
  #hand = 0

  /** @param capacity of the table: slots are below it */
  constructor (capacity: number) {
    this.#slots = new Int32Array(capacity)
    this.#position = new Int32Array(capacity)
  }

  get size (): number { return this.#size }

  /** One of them, or -1. */
  get any (): number { return this.#size === 0 ? NONE : this.#slots[this.#size - 1]! }

  /** Adds a slot that is not in the list. */
  add (slot: number): void {
    this.#slots[this.#size] = slot
    this.#position[slot] = this.#size++
  }

  /** Removes a slot that is in the list: the last one takes its place. */
  remove (slot: number): void {
    const last = this.#slots[--this.#size]!
    const position = this.#position[slot]!
    this.#slots[position] = last
    this.#position[last] = position
  }

  /**
   * Of the next `looks` slots the one with the smallest value, or -1 if the list is empty. Each call goes on where the
   * one before stopped, so that all have their turn.
   */
  smallestOf (looks: number, valueOf: (slot: number) => number): number {
    let best = NONE
    let bestValue = Infinity
    for (let look = Math.min(looks, this.#size); look > 0; look--) {
      if (this.#hand >= this.#size) this.#hand = 0
      const slot = this.#slots[this.#hand++]!
      const value = valueOf(slot)
      if (value >= bestValue) continue
      best = slot
      bestValue = value
    }
    return best
  }
}
