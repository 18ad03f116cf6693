// A rate limit on telling people things. Bad packets arrive at any rate an attacker chooses; log lines must not.

/** Allows up to `perSecond` calls in each second, and counts those it did not allow. */
export class Budget {
  readonly #perSecond: number
  #second = -1
  #used = 0
  #told = 0
  /** Calls that were not allowed, ever. */
  suppressed = 0

  constructor (perSecond: number) {
    this.#perSecond = perSecond
  }

  /** @param now in milliseconds */
  allows (now: number): boolean {
    const second = Math.floor(now / 1000)
    if (second !== this.#second) {
      this.#second = second
      this.#used = 0
    }
    if (this.#used < this.#perSecond) {
      this.#used++
      return true
    }
    this.suppressed++
    return false
  }

  /** Calls that were not allowed since this was last asked. */
  takeLeftOut (): number {
    const leftOut = this.suppressed - this.#told
    this.#told = this.suppressed
    return leftOut
  }
}
