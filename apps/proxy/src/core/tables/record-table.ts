// A hash table of fixed capacity over one typed array: no object per entry, no allocation after construction,
// cost independent of size. Sessions, tokens and endpoints are such tables.
//
//   words   slot 0: [ key | payload ]  slot 1: [ key | payload ] …     stride words each
//   index   open addressing, linear probing, at most half full; holds slot + 1, 0 is empty
//
// A slot number stays valid until its record is removed. Removal shifts followers back, so there are no tombstones and
// a table that churns for months probes as briefly as a new one.

const EMPTY = 0

export interface RecordTableOptions {
  /** Most records at once. */
  readonly capacity: number
  /** Key length, in 32-bit words; the key is the first part of a record. */
  readonly keyWords: number
  /** Record length, in 32-bit words, key included. */
  readonly stride: number
  /** Secret start value of the hash, so that a client cannot choose addresses that collide. */
  readonly seed: number
}

export class RecordTable {
  /** All records; word `i` of slot `s` is `words[s * stride + i]`. Write payloads, never keys. */
  readonly words: Uint32Array
  readonly stride: number
  readonly capacity: number
  readonly #keyWords: number
  readonly #seed: number
  readonly #index: Int32Array
  readonly #mask: number
  readonly #live: Uint8Array
  readonly #free: Int32Array
  #freeCount = 0
  #highWater = 0
  #size = 0

  constructor (options: RecordTableOptions) {
    this.capacity = options.capacity
    this.stride = options.stride
    this.#keyWords = options.keyWords
    this.#seed = options.seed | 0
    // The system hands out zeroed pages when they are first touched: a large capacity costs nothing until it is used.
    this.words = new Uint32Array(options.capacity * options.stride)
    const indexSize = 2 ** Math.ceil(Math.log2(Math.max(2, options.capacity * 2)))
    this.#index = new Int32Array(indexSize)
    this.#mask = indexSize - 1
    this.#live = new Uint8Array(options.capacity)
    this.#free = new Int32Array(options.capacity)
  }

  get size (): number { return this.#size }

  /** One past the largest slot ever used: the bound of a loop over `isLive`. */
  get highWater (): number { return this.#highWater }

  isLive (slot: number): boolean { return this.#live[slot] === 1 }

  /** The slot of the record with this key, or -1. */
  find (key: Uint32Array): number {
    let at = this.#hash(key, 0) & this.#mask
    for (;;) {
      const entry = this.#index[at]!
      if (entry === EMPTY) return -1
      if (this.#keyEquals(entry - 1, key)) return entry - 1
      at = at + 1 & this.#mask
    }
  }

  /**
   * Adds a record with this key, which must not be present, and a payload of zeros.
   * Returns its slot, or -1 if the table is full.
   */
  insert (key: Uint32Array): number {
    if (this.#size === this.capacity) return -1
    const slot = this.#freeCount > 0 ? this.#free[--this.#freeCount]! : this.#highWater++
    const base = slot * this.stride
    this.words.fill(0, base, base + this.stride)
    for (let word = 0; word < this.#keyWords; word++) this.words[base + word] = key[word]!
    this.#live[slot] = 1
    this.#size++
    let at = this.#hash(key, 0) & this.#mask
    while (this.#index[at] !== EMPTY) at = at + 1 & this.#mask
    this.#index[at] = slot + 1
    return slot
  }

  remove (slot: number): void {
    let hole = this.#home(slot)
    while (this.#index[hole] !== slot + 1) hole = hole + 1 & this.#mask
    this.#closeHole(hole)
    this.#live[slot] = 0
    this.#free[this.#freeCount++] = slot
    this.#size--
  }

  // Moves back every follower that may stand in the hole, i.e. whose home is not between the hole and itself.
  #closeHole (start: number): void {
    let hole = start
    let at = hole + 1 & this.#mask
    for (let entry = this.#index[at]!; entry !== EMPTY; entry = this.#index[at]!) {
      const distance = at - this.#home(entry - 1) & this.#mask
      if (distance >= (at - hole & this.#mask)) {
        this.#index[hole] = entry
        hole = at
      }
      at = at + 1 & this.#mask
    }
    this.#index[hole] = EMPTY
  }

  #home (slot: number): number {
    return this.#hash(this.words, slot * this.stride) & this.#mask
  }

  #keyEquals (slot: number, key: Uint32Array): boolean {
    const base = slot * this.stride
    for (let word = 0; word < this.#keyWords; word++) if (this.words[base + word] !== key[word]) return false
    return true
  }

  // MurmurHash3's 32-bit rounds and finaliser (Austin Appleby, public domain): two multiplications a word.
  #hash (source: Uint32Array, offset: number): number {
    let hash = this.#seed
    for (let word = 0; word < this.#keyWords; word++) {
      let mixed = Math.imul(source[offset + word]!, 0xcc9e2d51)
      mixed = Math.imul(mixed << 15 | mixed >>> 17, 0x1b873593)
      hash ^= mixed
      hash = Math.imul(hash << 13 | hash >>> 19, 5) + 0xe6546b64 | 0
    }
    hash = Math.imul(hash ^ hash >>> 16, 0x85ebca6b)
    hash = Math.imul(hash ^ hash >>> 13, 0xc2b2ae35)
    return hash ^ hash >>> 16
  }
}
