// Whether what a shard knows is written, so that a restart finds it; and one word about it whenever that changes.

/**
 * `written`: a restart finds it. `late`: the disk takes what it is given more slowly than it should, and what is on the way
 * would be lost. `failed`: it cannot be written.
 */
export type StateStatus = 'written' | 'late' | 'failed'

export interface StateHealthReport {
  readonly status: StateStatus
  /** Of the system, for `failed`. */
  readonly error?: Error
}

/** What has waited for the disk for longer is late, in ms. */
const LATE_MS = 2000

export class StateHealth {
  readonly #onChange: (report: StateHealthReport) => void
  status: StateStatus = 'written'
  /** Times that writing failed. */
  faults = 0
  // The log is on time as long as these bytes of it are written soon after this moment.
  #markBytes = 0
  #markMs = 0

  constructor (onChange: (report: StateHealthReport) => void) {
    this.#onChange = onChange
  }

  /** A log has begun; if it goes on from another one, what waits of that is still waited for. */
  begin (now: number, isContinued: boolean): void {
    this.#markBytes = 1
    if (!isContinued) this.#markMs = now
  }

  fail (error: Error): void {
    this.faults++
    this.#become('failed', error)
  }

  /** To be called every now and then while there is a log. */
  look (now: number, appended: number, written: number, isComplete: boolean): void {
    const isOnTime = written >= this.#markBytes
    if (isOnTime) {
      this.#markBytes = appended
      this.#markMs = now
    }
    if (isOnTime && (this.status === 'late' || (this.status === 'failed' && isComplete))) this.#become('written')
    else if (now - this.#markMs > LATE_MS && this.status === 'written') this.#become('late')
  }

  #become (status: StateStatus, error?: Error): void {
    if (status === this.status) return
    this.status = status
    this.#onChange({ status, ...error === undefined ? {} : { error } })
  }
}
