// The addresses of this host that clients have sent to, by number: a flow remembers with twelve bits where its replies have
// to come from. What a number means is the engine's business; the core keeps it, and a restart finds it again.
//
//   0                   nobody knows, or it does not matter: the system chooses
//   1 … MAX_LOCALS      an address and its interface, where the address alone says too little (fe80::…)
import { ADDRESS_WORDS } from '#wire/address.js'
import { RecordTable } from '../tables/record-table.js'
import { Changes } from '../feed/changes.js'

const KEY_WORDS = ADDRESS_WORDS + 1

/** No address in particular. */
export const NO_LOCAL = 0

/** Most addresses at once: what twelve bits can tell apart, less NO_LOCAL. */
export const MAX_LOCALS = 4095

export class LocalAddresses {
  readonly #records: RecordTable
  readonly #key = new Uint32Array(KEY_WORDS)
  readonly #isPinned = new Uint8Array(MAX_LOCALS + 1)
  /** Numbers that were given to an address, or taken back. */
  readonly changes = new Changes(MAX_LOCALS + 1)

  constructor (seed: number) {
    this.#records = new RecordTable({ capacity: MAX_LOCALS, keyWords: KEY_WORDS, stride: KEY_WORDS, seed })
  }

  get size (): number { return this.#records.size }

  /** One past the largest number ever given. */
  get highWater (): number { return this.#records.highWater + 1 }

  isUsed (local: number): boolean { return local > 0 && this.#records.isLive(local - 1) }

  /** The number of this address, or NO_LOCAL if it has none. */
  find (words: Uint32Array, zone: number): number {
    return this.#records.find(this.#keyOf(words, zone)) + 1
  }

  /** The number of this address, a new one if need be; NO_LOCAL if all are given away. Allocates nothing. */
  intern (words: Uint32Array, zone: number): number {
    const known = this.find(words, zone)
    if (known !== NO_LOCAL) return known
    const local = this.#records.insert(this.#key) + 1
    if (local !== NO_LOCAL) this.changes.mark(local)
    return local
  }

  /** Keeps the number for as long as this table lives. */
  pin (local: number): void {
    if (local !== NO_LOCAL) this.#isPinned[local] = 1
  }

  /** Takes back the numbers that nothing uses. */
  forgetUnused (usesOf: (local: number) => number): void {
    for (let local = 1; local < this.highWater; local++) {
      if (!this.isUsed(local) || this.#isPinned[local] === 1 || usesOf(local) > 0) continue
      this.#records.remove(local - 1)
      this.changes.mark(local)
    }
  }

  /** Whether `local` is this address: quicker than `find`. */
  matches (local: number, words: Uint32Array, zone: number): boolean {
    if (!this.isUsed(local)) return false
    const at = (local - 1) * KEY_WORDS
    for (let word = 0; word < ADDRESS_WORDS; word++) if (this.#records.words[at + word] !== words[word]) return false
    return this.#records.words[at + ADDRESS_WORDS] === zone
  }

  /** Copies the address with this number to `words[0..3]`, and returns its interface; 0 is any. */
  read (local: number, words: Uint32Array): number {
    const at = (local - 1) * KEY_WORDS
    for (let word = 0; word < ADDRESS_WORDS; word++) words[word] = this.#records.words[at + word]!
    return this.#records.words[at + ADDRESS_WORDS]!
  }

  /** Whether the address has a number, on whatever interface. A walk: not for every datagram. */
  hasAddress (words: Uint32Array): boolean {
    for (let slot = 0; slot < this.#records.highWater; slot++) {
      if (this.#records.isLive(slot) && isAt(this.#records.words, slot * KEY_WORDS, words)) return true
    }
    return false
  }

  #keyOf (words: Uint32Array, zone: number): Uint32Array {
    for (let word = 0; word < ADDRESS_WORDS; word++) this.#key[word] = words[word]!
    this.#key[ADDRESS_WORDS] = zone
    return this.#key
  }
}

function isAt (table: Uint32Array, at: number, words: Uint32Array): boolean {
  for (let word = 0; word < ADDRESS_WORDS; word++) if (table[at + word] !== words[word]) return false
  return true
}
