// Datagrams that wait for an answer about their client, in memory of a fixed size: whoever floods us fills it, and it never grows.
//
//   slot    [ data port, local address, IP mark, what is known, length, first block, next slot of the same client ]
//   block   512 bytes of one datagram, and the number of the block that goes on
//
// Blocks are what makes a bound in bytes exact: lifetimes differ, and nothing is ever moved to close a gap.

const NONE = -1
const BLOCK = 512

/** Most bytes that wait at once, counted in whole blocks. */
export const HELD_BYTES = 8 * 1024 * 1024

/** One that waits; `bytes` is valid until the next is read. */
export interface HeldDatagram {
  dataPort: number
  /** Number of the address of ours that it was sent to. */
  local: number
  /** Of its IP header, as the engine noted it. */
  mark: number
  /** All of it. */
  bytes: Uint8Array
}

/** A stack of free numbers: those that were never used lie in no memory yet. */
class Numbers {
  readonly #capacity: number
  readonly #free: Int32Array
  #freeCount = 0
  #highWater = 0

  constructor (capacity: number) {
    this.#capacity = capacity
    this.#free = new Int32Array(capacity)
  }

  /** How many can be taken. */
  get left (): number { return this.#capacity - this.#highWater + this.#freeCount }

  take (): number {
    return this.#freeCount > 0 ? this.#free[--this.#freeCount]! : this.#highWater++
  }

  give (number: number): void {
    this.#free[this.#freeCount++] = number
  }
}

export class HeldDatagrams {
  readonly capacity: number
  readonly #slots: Numbers
  readonly #blocks: Numbers
  readonly #bytes: Uint8Array
  readonly #nextBlock: Int32Array
  readonly #dataPort: Uint8Array
  readonly #local: Uint16Array
  readonly #mark: Uint8Array
  readonly #note: Uint8Array
  readonly #length: Int32Array
  readonly #firstBlock: Int32Array
  readonly #next: Int32Array
  readonly #scratch: Uint8Array

  /**
   * @param capacity most datagrams at once; 0 where none ever waits
   * @param maxBytes the longest there is
   */
  constructor (capacity: number, maxBytes: number) {
    const blocks = capacity === 0 ? 0 : HELD_BYTES / BLOCK
    this.capacity = capacity
    this.#slots = new Numbers(capacity)
    this.#blocks = new Numbers(blocks)
    // The system hands out pages when they are first touched.
    this.#bytes = new Uint8Array(blocks * BLOCK)
    this.#nextBlock = new Int32Array(blocks)
    this.#dataPort = new Uint8Array(capacity)
    this.#local = new Uint16Array(capacity)
    this.#mark = new Uint8Array(capacity)
    this.#note = new Uint8Array(capacity)
    this.#length = new Int32Array(capacity)
    this.#firstBlock = new Int32Array(capacity)
    this.#next = new Int32Array(capacity)
    this.#scratch = new Uint8Array(capacity === 0 ? 0 : maxBytes)
  }

  get size (): number { return this.capacity - this.#slots.left }

  /** Whether one of `byteCount` bytes finds room and leaves `share`, 0 to 1, of slots and bytes free. */
  hasRoom (byteCount: number, share: number): boolean {
    return this.#slots.left > this.capacity * share && this.#blocks.left - blocksOf(byteCount) >= HELD_BYTES / BLOCK * share
  }

  /** Copies what is in `bytes[start..end - 1]`. Call only if it has room. Returns its slot. */
  add ({ dataPort, local }: Pick<HeldDatagram, 'dataPort' | 'local'>, bytes: Uint8Array, start: number, end: number): number {
    const slot = this.#slots.take()
    this.#dataPort[slot] = dataPort
    this.#local[slot] = local
    this.#mark[slot] = 0
    this.#note[slot] = 0
    this.#length[slot] = end - start
    this.#next[slot] = NONE
    let last = NONE
    this.#firstBlock[slot] = NONE
    for (let from = start; from < end; from += BLOCK) {
      const block = this.#blocks.take()
      copy(bytes, from, Math.min(end, from + BLOCK), this.#bytes, block * BLOCK)
      this.#nextBlock[block] = NONE
      if (last === NONE) this.#firstBlock[slot] = block
      else this.#nextBlock[last] = block
      last = block
    }
    return slot
  }

  setMark (slot: number, mark: number): void { this.#mark[slot] = mark }
  next (slot: number): number { return this.#next[slot]! }
  setNext (slot: number, next: number): void { this.#next[slot] = next }
  /** What its judge has written down about it: 0 at first. */
  note (slot: number): number { return this.#note[slot]! }
  setNote (slot: number, note: number): void { this.#note[slot] = note }

  /** Copies it to `into`. */
  read (slot: number, into: HeldDatagram): void {
    const length = this.#length[slot]!
    let at = 0
    for (let block = this.#firstBlock[slot]!; block !== NONE; block = this.#nextBlock[block]!) {
      const size = Math.min(BLOCK, length - at)
      copy(this.#bytes, block * BLOCK, block * BLOCK + size, this.#scratch, at)
      at += size
    }
    into.dataPort = this.#dataPort[slot]!
    into.local = this.#local[slot]!
    into.mark = this.#mark[slot]!
    into.bytes = this.#scratch.subarray(0, length)
  }

  /** It waits no more. */
  remove (slot: number): void {
    for (let block = this.#firstBlock[slot]!; block !== NONE;) {
      const next = this.#nextBlock[block]!
      this.#blocks.give(block)
      block = next
    }
    this.#slots.give(slot)
  }
}

function blocksOf (byteCount: number): number {
  return Math.ceil(byteCount / BLOCK)
}

// No view: it would be garbage for each block.
function copy (from: Uint8Array, start: number, end: number, to: Uint8Array, at: number): void {
  for (let index = start; index < end; index++) to[at + index - start] = from[index]!
}
