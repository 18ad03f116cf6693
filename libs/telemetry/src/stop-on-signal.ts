// How a process of ours ends when it is asked to: the first signal drains and closes, a second one ends it at once.
import closeWithGrace from 'close-with-grace'
import { flushLogs } from './logger.js'

/** How long closing may take once nothing is waited for any more, in ms: requests under way of control, sockets of the proxy. */
export const CLOSE_DEADLINE_MS = { control: 10_000, proxy: 5000 } as const

// What else the library takes. After a fault in native code its handler would return to the faulting instruction, for
// ever (https://nodejs.org/api/process.html#signal-events): such a process has to end at once, and be started again.
const notOurs = ['SIGHUP', 'SIGQUIT', 'SIGILL', 'SIGTRAP', 'SIGABRT', 'SIGBUS', 'SIGFPE', 'SIGSEGV', 'SIGUSR2', 'uncaughtException', 'unhandledRejection', 'beforeExit'] as const

export interface StopOptions {
  readonly process: keyof typeof CLOSE_DEADLINE_MS
  /** How long `stop` may wait before it closes, in ms. */
  readonly drainMs: number
  /** Exit code 0 when it is done; 1 when it throws, takes longer than it may, or a second signal comes. */
  readonly stop: (signal: string) => Promise<void>
}

/** From now on SIGTERM and SIGINT end this process by `stop`. SIGHUP is ignored: there is nothing to read again. */
export function stopOnSignal ({ process: name, drainMs, stop }: StopOptions): void {
  process.on('SIGHUP', () => undefined)
  closeWithGrace({
    delay: drainMs + CLOSE_DEADLINE_MS[name],
    logger: false,
    skip: [...notOurs],
    // The logger's lines would come too late: after these the process ends in the same turn.
    onSecondSignal: signal => { process.stderr.write(`${name}: ${signal} came again, ending now.\n`) },
    onTimeout: () => { process.stderr.write(`${name}: closing takes too long, ending now.\n`) }
  }, async ({ signal = 'none' }) => {
    await stop(signal)
    await flushLogs()
  })
}
