// When work in slices is to yield: after a number of steps.

export class Pace {
  readonly #steps: number
  #left: number

  /** `steps` is how many make a slice. */
  constructor (steps: number) {
    this.#steps = steps
    this.#left = steps
  }

  /** Counts a step; true if the slice is full with it. */
  isFull (): boolean {
    if (--this.#left > 0) return false
    this.#left = this.#steps
    return true
  }
}
