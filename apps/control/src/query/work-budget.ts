// How much work each caller has asked for in the current second: at most so many callers, of whom the one that was quiet
// for longest is forgotten.
import type { Clock } from '#core/clock.js'

const WINDOW_MS = 1000

interface Window {
  units: number
  startMs: number
}

export class WorkBudget {
  readonly #clock: Pick<Clock, 'now'>
  readonly #perSecond: number
  readonly #maxCallers: number
  // In the order of their last work.
  readonly #windows = new Map<string, Window>()

  /** With 0 for `perSecond` there is no bound. */
  constructor (clock: Pick<Clock, 'now'>, perSecond: number, maxCallers: number) {
    this.#clock = clock
    this.#perSecond = perSecond
    this.#maxCallers = maxCallers
  }

  get size (): number {
    return this.#windows.size
  }

  /** Whether the caller has spent all it may in this second. */
  isSpent (caller: string): boolean {
    return this.#perSecond > 0 && this.#unitsOf(caller) >= this.#perSecond
  }

  spend (caller: string, units: number): void {
    if (this.#perSecond === 0) return
    const nowMs = this.#clock.now()
    const spent = this.#unitsOf(caller)
    const startMs = spent === 0 ? nowMs : this.#windows.get(caller)!.startMs
    this.#windows.delete(caller)
    this.#windows.set(caller, { units: spent + units, startMs })
    if (this.#windows.size > this.#maxCallers) this.#windows.delete(this.#windows.keys().next().value!)
  }

  #unitsOf (caller: string): number {
    const window = this.#windows.get(caller)
    return window === undefined || window.startMs + WINDOW_MS <= this.#clock.now() ? 0 : window.units
  }
}
