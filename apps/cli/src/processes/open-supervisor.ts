// The director's two processes under a supervisor, tied to the signals and the end of this process.
import type { Environment } from '#config/env.js'
import { createLogger } from '#telemetry/logger.js'
import { CLOSE_DEADLINE_MS } from '#telemetry/stop-on-signal.js'
import type { OnLine } from '../runtime/child.js'
import type { Runtime } from '../runtime/runtime.js'
import { directorSpecs } from './director.js'
import type { Stopping } from './stopping.js'
import { Supervisor } from './supervisor.js'

export interface SupervisorSettings extends Omit<Environment, 'statePath'> {
  /** Left out: where the environment says. */
  readonly statePath?: string
  /** Of the configuration. */
  readonly drainTimeoutSeconds: number
}

// Beyond what a process allows itself, so that it is killed only if it hangs.
const STOP_SLACK_MS = 5000

/** How long each process may take to stop, in ms. */
export function stopGraceMs (drainTimeoutSeconds: number): number {
  return drainTimeoutSeconds * 1000 + Math.max(...Object.values(CLOSE_DEADLINE_MS)) + STOP_SLACK_MS
}

/**
 * Makes a supervisor, not started yet. `onLine` gets what the processes say, and what the supervisor itself logs.
 * A second request to stop ends the processes at once, and none of them outlives this process.
 */
export function openSupervisor ({ drainTimeoutSeconds, ...settings }: SupervisorSettings, { clock, spawn, atExit }: Runtime, stopping: Stopping, onLine: OnLine): Supervisor {
  const log = createLogger({
    name: 'cli',
    level: settings.logLevel,
    destination: { write: line => { void onLine({ stream: 'stdout', text: line.trimEnd() }) } }
  })
  const supervisor = new Supervisor(directorSpecs(settings), { clock, spawn, log, onLine, stopGraceMs: stopGraceMs(drainTimeoutSeconds) })
  stopping.follow(() => { supervisor.kill() }, signal => { log.info({ signal }, 'Signal ignored') })
  atExit(() => { supervisor.kill() })
  return supervisor
}
