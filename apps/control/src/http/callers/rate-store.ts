// How often each caller has asked in the current window, for @fastify/rate-limit: at most so many callers, of whom the
// one that was quiet for longest is forgotten. The plugin's own store does the same, but reads the wall clock, which may
// jump, and tells nobody how full it is.
import type { Clock } from '#core/clock.js'

interface Window {
  count: number
  startMs: number
}

type Answer = (error: Error | null, result?: { current: number, ttl: number }) => void

export class RateStore {
  readonly #clock: Clock
  readonly #maxCallers: number
  // In the order of their last request.
  readonly #windows = new Map<string, Window>()

  constructor (clock: Clock, maxCallers: number) {
    this.#clock = clock
    this.#maxCallers = maxCallers
  }

  /** Counts a request; `ttl` is what is left of the window, in milliseconds. */
  incr (key: string, answer: Answer, windowMs: number): void {
    const nowMs = this.#clock.now()
    const window = this.#windows.get(key) ?? { count: 0, startMs: nowMs }
    if (window.startMs + windowMs <= nowMs) {
      window.count = 0
      window.startMs = nowMs
    }
    window.count++
    this.#windows.delete(key)
    this.#windows.set(key, window)
    if (this.#windows.size > this.#maxCallers) this.#windows.delete(this.#windows.keys().next().value!)
    answer(null, { current: window.count, ttl: window.startMs + windowMs - nowMs })
  }

  /** Routes share it. */
  child (): this {
    return this
  }

  get size (): number {
    return this.#windows.size
  }
}
