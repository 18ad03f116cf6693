// How much of a table is looked at before datagrams have their turn again. Counts, not times: the core has no clock.

export interface SliceSize {
  /** Records looked at in a slice. */
  readonly looks: number
  /** Sessions or tokens that come, go, change or are shown in a slice. */
  readonly changes: number
}

/** 20,000 looks take some 100 µs; 250 changes, with what is written and told of them, well below a millisecond. */
export const defaultSlice: SliceSize = { looks: 20_000, changes: 250 }

/** Counts the work of one slice. */
export class SliceWork {
  readonly #size: SliceSize
  #looks = 0

  constructor (size: SliceSize) {
    this.#size = size
  }

  /** A record was looked at. */
  look (): void {
    this.#looks++
  }

  /** A look that takes as long as `looks` ordinary ones. */
  add (looks: number): void {
    this.#looks += looks
  }

  /** Something was done with it, too. */
  change (): void {
    this.#looks += this.#size.looks / this.#size.changes
  }

  /** Whether the slice is full; the next one is begun then. */
  isOver (): boolean {
    if (this.#looks < this.#size.looks) return false
    this.#looks = 0
    return true
  }
}
