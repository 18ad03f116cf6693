// What a command may touch of the world around it. main.ts makes the real one; tests make their own.
import type { Clock } from '#core/clock.js'
import type { Style } from '#telemetry/log-lines/style.js'
import type { TakenSignal } from '#telemetry/stop-requests.js'
import type { SpawnChild } from './child.js'

export type StopSignal = TakenSignal

export interface Runtime {
  readonly clock: Clock
  readonly spawn: SpawnChild
  /** Writes to stdout; a promise while its reader is behind. */
  readonly out: (text: string) => Promise<void> | undefined
  /** Writes to stderr, in lines that a terminal there has room for. */
  readonly err: (text: string) => void
  /** Whether stdout is a terminal: people read it, not programs. */
  readonly isTerminal: boolean
  /** How wide the terminal is at this moment; undefined if nobody knows. */
  readonly columns?: () => number | undefined
  readonly style: Style
  /** Whether a terminal belongs to this process, for whatever. */
  readonly hasTerminal: boolean
  /** From now on `handle` takes the signals that may ask to stop; without this they end the process as usual. */
  readonly onSignal: (handle: (signal: StopSignal) => void) => void
  /** Runs synchronously when the process ends, whatever ends it but SIGKILL. */
  readonly atExit: (run: () => void) => void
}
