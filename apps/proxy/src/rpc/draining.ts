// Whether the proxy drains, and until when: by control's order, by its own signal, or both. In a pod control drains first
// and the proxy is asked to stop after it: the time that control has spent counts.
import type { Cancel, Clock } from '#core/clock.js'
import { drain, type DrainLeft } from '#core/drain.js'

/**
 * Extra time that a drain order of control stays valid after its deadline, in ms. A control process that went away for good
 * without cancelling it must not leave a proxy that turns clients away; in a pod that is going, the signal comes within this.
 */
export const WORD_HOLD_MS = 30_000

export interface DrainingDeps {
  readonly clock: Clock
  /** `drainTimeoutSeconds`, in ms. */
  readonly timeoutMs: number
  /** Makes the shards take new sessions on the default endpoint, or none. */
  readonly apply: (isDraining: boolean) => Promise<void>
  readonly look: () => Promise<DrainLeft>
  readonly log: { readonly info: (fields: object, message: string) => void }
}

export class Draining {
  readonly #deps: DrainingDeps
  /** What control said, in ms of the clock. */
  #wordUntilMs: number | undefined
  #cancelWord: Cancel | undefined
  /** Set by the signal, and not changed any more. */
  #ownUntilMs: number | undefined
  #isApplied = false

  constructor (deps: DrainingDeps) {
    this.#deps = deps
  }

  get isDraining (): boolean {
    return this.#wordUntilMs !== undefined || this.isStopping
  }

  /** Whether this process itself has been asked to stop. */
  get isStopping (): boolean {
    return this.#ownUntilMs !== undefined
  }

  /** Control drains for that many ms more, or (undefined) does not drain. In force when this resolves. */
  async told (remainingMs: number | undefined): Promise<void> {
    const { clock } = this.#deps
    this.#cancelWord?.()
    this.#cancelWord = undefined
    this.#wordUntilMs = remainingMs === undefined ? undefined : clock.now() + remainingMs
    if (remainingMs !== undefined) this.#cancelWord = clock.after(remainingMs + WORD_HOLD_MS, () => { void this.told(undefined) })
    await this.#apply()
  }

  /** Waits until nothing is left or the time is over: the configured one, or what is left of control's. With a time of 0 it does nothing. */
  async stop (): Promise<void> {
    const { clock, timeoutMs, look, log } = this.#deps
    if (timeoutMs === 0) return
    const untilMs = Math.min(clock.now() + timeoutMs, this.#wordUntilMs ?? Infinity)
    this.#ownUntilMs = untilMs
    await this.#apply()
    const secondsLeft = (): number => Math.max(0, Math.ceil((untilMs - clock.now()) / 1000))
    const { outcome, left } = await drain({ clock, untilMs, look, onProgress: progress => { log.info({ ...progress, secondsLeft: secondsLeft() }, 'Proxy draining') } })
    log.info({ outcome, ...left }, 'Proxy drained')
  }

  close (): void {
    this.#cancelWord?.()
  }

  async #apply (): Promise<void> {
    const { apply, log } = this.#deps
    const isDraining = this.isDraining
    if (isDraining === this.#isApplied) return
    this.#isApplied = isDraining
    log.info({ byControl: this.#wordUntilMs !== undefined, bySignal: this.isStopping }, isDraining ? 'Default endpoint takes no new sessions' : 'Default endpoint takes new sessions again')
    await apply(isDraining)
  }
}
