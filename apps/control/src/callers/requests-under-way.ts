// Requests under way, in all and for each caller. One caller gets a quarter at most, so that bodies that trickle in from
// one place cannot keep all others out. Pure.

export type Admission = 'admitted' | 'full' | 'caller_full'

/** What one caller may have of the bound. */
const CALLER_SHARE = 1 / 4

export class RequestsUnderWay {
  readonly #max: number
  readonly #maxPerCaller: number
  readonly #byCaller = new Map<string, number>()
  #count = 0

  constructor (max: number) {
    this.#max = max
    this.#maxPerCaller = Math.max(1, Math.floor(max * CALLER_SHARE))
  }

  /** Takes a request in; one that is admitted must `leave`. */
  enter (caller: string): Admission {
    if (this.#count >= this.#max) return 'full'
    const own = this.#byCaller.get(caller) ?? 0
    if (own >= this.#maxPerCaller) return 'caller_full'
    this.#byCaller.set(caller, own + 1)
    this.#count++
    return 'admitted'
  }

  leave (caller: string): void {
    const own = this.#byCaller.get(caller) ?? 0
    if (own > 1) this.#byCaller.set(caller, own - 1)
    else this.#byCaller.delete(caller)
    this.#count--
  }

  get count (): number {
    return this.#count
  }

  get maxPerCaller (): number {
    return this.#maxPerCaller
  }
}
