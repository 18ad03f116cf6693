// Objects of one namespace in the order of their names, which is the order the Kubernetes API lists them in, and a
// quick answer to whether one of them is here.
import type { KubeObject } from '../objects/inventory.js'
import type { Mark } from './path-index.js'

/** The place of an object under its name. A changed object is put into it, and need be moved in no list. */
export interface Entry {
  readonly name: string
  /** A small number that no other entry of the namespace has; it is used again when this one is gone. */
  readonly id: number
  object: KubeObject
  /** Those of its marks. */
  lists: readonly EntryList[]
}

// Looking through so many numbers takes no longer than finding a bit.
const FEW = 8

export class EntryList {
  /** What the entries have in common; undefined if nothing. */
  readonly mark: Mark | undefined
  readonly #entries: Entry[] = []
  // Of the entries, in their order. A search goes through these: numbers lie side by side, while each entry is somewhere
  // else in memory, which with thousands of them is what a search costs.
  readonly #ids: number[] = []
  // One for each id, made when first asked for.
  #bits: Uint32Array | undefined

  constructor (mark?: Mark) {
    this.mark = mark
  }

  /** In the order of their names. The array itself, not a copy: use it up before anything else runs. */
  get entries (): readonly Entry[] {
    return this.#entries
  }

  /** Of the entries, in their order. */
  get ids (): readonly number[] {
    return this.#ids
  }

  /** Whether the entry of this id is here. */
  has (id: number): boolean {
    if (this.#ids.length <= FEW) return this.#ids.includes(id)
    this.#bits ??= bitsOf(this.#ids)
    return ((this.#bits[id >>> 5] ?? 0) & (1 << (id & 31))) !== 0
  }

  /** Adds `entry`, whose name none here has. */
  add (entry: Entry): void {
    const place = this.#placeOf(entry.name)
    this.#entries.splice(place, 0, entry)
    this.#ids.splice(place, 0, entry.id)
    if (this.#bits === undefined) return
    if (entry.id >>> 5 < this.#bits.length) this.#bits[entry.id >>> 5]! |= 1 << (entry.id & 31)
    else this.#bits = undefined
  }

  /** Takes out `entry`, which is here. */
  delete (entry: Entry): void {
    const place = this.#placeOf(entry.name)
    this.#entries.splice(place, 1)
    this.#ids.splice(place, 1)
    if (this.#bits !== undefined) this.#bits[entry.id >>> 5]! &= ~(1 << (entry.id & 31))
  }

  // Where `name` is, or would have to be: the first place whose name is not smaller.
  #placeOf (name: string): number {
    let low = 0
    let high = this.#entries.length
    while (low < high) {
      const middle = (low + high) >>> 1
      if (this.#entries[middle]!.name < name) low = middle + 1
      else high = middle
    }
    return low
  }
}

// With room for a quarter more, so that an inventory that grows seldom needs others.
function bitsOf (ids: readonly number[]): Uint32Array {
  const largest = ids.reduce((largest, id) => Math.max(largest, id), 0)
  const bits = new Uint32Array((largest + (largest >>> 2) >>> 5) + 1)
  for (const id of ids) bits[id >>> 5]! |= 1 << (id & 31)
  return bits
}
