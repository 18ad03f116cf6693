// Ends an attempt at the API server that takes too long, as a whole or between two signs of life. It has one timer, which is set
// again only when it runs out, so a sign of life costs an addition.
import type { Cancel, Clock } from '#core/clock.js'

export type Overrun = 'idle' | 'overdue'

export class Watchdog {
  readonly #clock: Clock
  readonly #abort = new AbortController()
  readonly #overdueMs: number
  #idleMs: number
  #cancel: Cancel
  #overrun: Overrun | undefined

  /** Allows `totalMs` for everything and `idleMs` until the first sign of life. */
  constructor (clock: Clock, totalMs: number, idleMs: number) {
    this.#clock = clock
    this.#overdueMs = clock.now() + totalMs
    this.#idleMs = clock.now() + idleMs
    this.#cancel = this.#arm()
  }

  /** Aborted when time is up, or by `end`. */
  get signal (): AbortSignal {
    return this.#abort.signal
  }

  /** Which time was up, if one was. */
  get overrun (): Overrun | undefined {
    return this.#overrun
  }

  /** A sign of life: the next one must come within `idleMs`. */
  touch (idleMs: number): void {
    const dueMs = this.#clock.now() + idleMs
    const isSooner = dueMs < this.#idleMs
    this.#idleMs = dueMs
    if (!isSooner) return
    this.#cancel()
    this.#cancel = this.#arm()
  }

  /** Ends the attempt, and lets go of the timer. */
  end (): void {
    this.#cancel()
    this.#abort.abort()
  }

  #arm (): Cancel {
    return this.#clock.after(Math.min(this.#overdueMs, this.#idleMs) - this.#clock.now(), () => { this.#look() })
  }

  #look (): void {
    const nowMs = this.#clock.now()
    if (nowMs < this.#overdueMs && nowMs < this.#idleMs) {
      this.#cancel = this.#arm()
      return
    }
    this.#overrun = nowMs >= this.#overdueMs ? 'overdue' : 'idle'
    this.#abort.abort()
  }
}
