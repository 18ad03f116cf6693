// Which signals ask a process to end, and which of them ask once more: the one place for what is told in docs/operations.md, "Signals".
import { isatty } from 'node:tty'

/** Signals that a process of ours takes. What else there is has its default action. */
export const takenSignals = ['SIGTERM', 'SIGINT', 'SIGHUP', 'SIGUSR1', 'SIGUSR2'] as const

export type TakenSignal = typeof takenSignals[number]

/**
 * A signal that comes again so soon, in ms, is the same request: of Ctrl-C a terminal tells all of its processes, and npm passes
 * it on as well; systemd tells a whole group, and a parent in it its children. A person who means it again takes longer, or presses on.
 */
export const SAME_REQUEST_MS = 1000

/** `stop`: the first one. `again`: end at once. `same`: has been heard already. `ignored`: is told to nobody but the log. */
export type Request = 'stop' | 'again' | 'same' | 'ignored'

/** Whether a terminal belongs to this process now; when it is gone, nobody can tell any more. */
export function hasTerminal (): boolean {
  return [0, 1, 2].some(fd => isatty(fd))
}

export class StopRequests {
  readonly #hasTerminal: boolean
  readonly #heardAtMs = new Map<TakenSignal, number>()

  constructor (hasTerminal: boolean) {
    this.#hasTerminal = hasTerminal
  }

  /** What `signal` asks for. */
  judge (signal: TakenSignal, nowMs: number): Request {
    // A terminal that was closed is a request to stop; without one it is what daemons read their configuration again at.
    if (signal === 'SIGUSR1' || signal === 'SIGUSR2' || (signal === 'SIGHUP' && !this.#hasTerminal)) return 'ignored'
    const isFirst = this.#heardAtMs.size === 0
    const heardAtMs = this.#heardAtMs.get(signal)
    // Since the first of them: somebody who presses on, however fast, is heard.
    if (heardAtMs !== undefined && nowMs - heardAtMs < SAME_REQUEST_MS) return 'same'
    this.#heardAtMs.set(signal, nowMs)
    if (isFirst) return 'stop'
    // Nobody is at the terminal any more, so nobody is impatient.
    return signal === 'SIGHUP' ? 'same' : 'again'
  }
}
