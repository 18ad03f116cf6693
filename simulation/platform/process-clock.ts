// The clock of one simulated process: its monotonic time starts anywhere, and its timers die with it.
import type { BootTime, Cancel, Clock } from '#core/clock.js'
import type { Plan, VirtualTime } from '../basics/virtual-time.js'

/** How long the machine had been running then. */
const UPTIME_MS = 3_600_000

/** What the wall says when virtual time is 0: 2024-01-01T00:00:00Z. */
const EPOCH_MS = 1_704_067_200_000

export class ProcessClock implements Clock {
  readonly #time: VirtualTime
  readonly #startMs: number
  readonly #wallOffsetMs: number
  #isStopped = false

  /**
   * @param startMs what `now` says at the start of the process
   * @param wallOffsetMs how far its wall clock is off
   */
  constructor (time: VirtualTime, startMs: number, wallOffsetMs: number) {
    this.#time = time
    this.#startMs = startMs - time.nowMs
    this.#wallOffsetMs = wallOffsetMs
  }

  readonly now = (): number => this.#time.nowMs + this.#startMs

  readonly wallNow = (): number => EPOCH_MS + Math.floor(this.#time.nowMs) + this.#wallOffsetMs

  readonly boot = (): BootTime => ({ id: 'boot', nowMs: UPTIME_MS + this.#time.nowMs })

  readonly after = (delayMs: number, run: () => void): Cancel => {
    const plan = this.#time.plan(delayMs, () => { if (!this.#isStopped) run() }, true)
    return () => { plan.isCancelled = true }
  }

  readonly every = (periodMs: number, run: () => void): Cancel => {
    let plan: Plan
    const again = (): void => {
      if (this.#isStopped) return
      plan = this.#time.plan(Math.max(1, periodMs), again, true)
      run()
    }
    plan = this.#time.plan(Math.max(1, periodMs), again, true)
    return () => { plan.isCancelled = true }
  }

  /** The process is gone: none of its timers runs any more. */
  stop (): void {
    this.#isStopped = true
  }
}
