// Which records of a table have changed since one reader last looked: each once, however often it changed.
// Marking costs a byte's look and allocates nothing.

export class Marks {
  readonly #isIn: Uint8Array
  readonly #slots: Int32Array
  #size = 0

  /** @param capacity slots are below this */
  constructor (capacity: number) {
    // Pages of both are given out by the system when they are first touched.
    this.#isIn = new Uint8Array(capacity)
    this.#slots = new Int32Array(capacity)
  }

  get size (): number { return this.#size }

  add (slot: number): void {
    if (this.#isIn[slot] !== 0) return
    this.#isIn[slot] = 1
    this.#slots[this.#size++] = slot
  }

  /** The slot at `index`, below `size`, in the order in which they were added. */
  at (index: number): number {
    return this.#slots[index]!
  }

  /** Takes the first `count` out; the others stay in their order. */
  removeFirst (count: number): void {
    for (let index = 0; index < count; index++) this.#isIn[this.#slots[index]!] = 0
    this.#slots.copyWithin(0, count, this.#size)
    this.#size -= count
  }

  clear (): void {
    for (let index = 0; index < this.#size; index++) this.#isIn[this.#slots[index]!] = 0
    this.#size = 0
  }
}
