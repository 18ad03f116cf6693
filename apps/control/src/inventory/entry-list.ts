// Objects of one namespace in the order of their names, which is the order the Kubernetes API lists them in.
import type { KubeObject } from './inventory.js'
import type { Mark } from './path-index.js'

/** The place of an object under its name. A changed object is put into it, and need be moved in no list. */
export interface Entry {
  readonly name: string
  object: KubeObject
  /** Those of its marks: a handful, so that looking through them is the quickest way to know whether it has one. */
  lists: readonly EntryList[]
}

export class EntryList {
  /** What the entries have in common; undefined if nothing. */
  readonly mark: Mark | undefined
  readonly #entries: Entry[] = []

  constructor (mark?: Mark) {
    this.mark = mark
  }

  /** In the order of their names. The array itself, not a copy: use it up before anything else runs. */
  get entries (): readonly Entry[] {
    return this.#entries
  }

  /** Adds `entry`, whose name none here has. */
  add (entry: Entry): void {
    this.#entries.splice(this.#placeOf(entry.name), 0, entry)
  }

  /** Takes out `entry`, which is here. */
  delete (entry: Entry): void {
    this.#entries.splice(this.#placeOf(entry.name), 1)
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
