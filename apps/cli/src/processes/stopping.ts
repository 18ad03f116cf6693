// The signals of a command that keeps others running: when to stop, and when to wait no longer. Taken from the start on, so that
// none is lost while there is nothing yet to stop, or something is being stopped.
import { StopRequests } from '#telemetry/stop-requests.js'
import type { Runtime, StopSignal } from '../runtime/runtime.js'

export class Stopping {
  /** Resolves at the first signal that asks to stop. */
  readonly asked: Promise<'stop'>
  #isUrgent = false
  #hurry: () => void = () => undefined
  #tell: (signal: StopSignal) => void = () => undefined

  constructor ({ onSignal, clock, hasTerminal }: Pick<Runtime, 'onSignal' | 'clock' | 'hasTerminal'>) {
    const requests = new StopRequests(hasTerminal)
    this.asked = new Promise(resolve => {
      onSignal(signal => {
        const request = requests.judge(signal, clock.now())
        if (request === 'stop') resolve('stop')
        else if (request === 'ignored') this.#tell(signal)
        else if (request === 'again') {
          this.#isUrgent = true
          this.#hurry()
        }
      })
    })
  }

  /** Runs `hurry` when a signal asks to wait no longer, also if that has happened; `tell` at those that ask for nothing. */
  follow (hurry: () => void, tell: (signal: StopSignal) => void): void {
    this.#hurry = hurry
    this.#tell = tell
    if (this.#isUrgent) hurry()
  }
}
