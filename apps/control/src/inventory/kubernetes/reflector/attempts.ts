// What a reflector is at: one attempt at the API server, or the wait between two. Either can be ended.
import type { Clock } from '#core/clock.js'
import type { ApiFailure } from '../api/api-failure.js'
import type { Transport } from '../api/transport.js'
import { Watchdog } from './watchdog.js'

/** How often credentials are looked at while the next attempt is waited for. */
const LOOK_MS = 1000

/** What an attempt that ran out of time has failed of. */
export const silent: ApiFailure = { reason: 'timeout', detail: 'the server was silent for too long' }

export class Attempts {
  readonly #clock: Clock
  readonly #transport: Pick<Transport, 'credentialsMark' | 'refreshCredentials'>
  #interrupt: () => void = () => undefined
  #isStopped = false

  constructor (clock: Clock, transport: Pick<Transport, 'credentialsMark' | 'refreshCredentials'>) {
    this.#clock = clock
    this.#transport = transport
  }

  get isStopped (): boolean {
    return this.#isStopped
  }

  /** Begins an attempt, with the time that it has: see Watchdog. */
  begin (totalMs: number, idleMs: number): Watchdog {
    const watchdog = new Watchdog(this.#clock, totalMs, idleMs)
    this.#interrupt = () => { watchdog.end() }
    if (this.#isStopped) watchdog.end()
    return watchdog
  }

  /** Resolves after `delayMs`, or sooner: when all is stopped, or the credentials are others than those of `mark`. */
  async wait (delayMs: number, mark?: string): Promise<void> {
    if (delayMs <= 0 || this.#isStopped) return
    await new Promise<void>(resolve => {
      const end = (): void => {
        for (const cancel of cancels) cancel()
        resolve()
      }
      const look = async (): Promise<void> => {
        if (await this.#transport.credentialsMark() === mark) return
        this.#transport.refreshCredentials()
        end()
      }
      const cancels = [this.#clock.after(delayMs, end)]
      if (mark !== undefined && delayMs > LOOK_MS) cancels.push(this.#clock.every(LOOK_MS, () => { void look() }))
      this.#interrupt = end
    })
  }

  /** Ends what is under way; nothing is begun afterwards that is not over at once. */
  stop (): void {
    this.#isStopped = true
    this.#interrupt()
  }
}
