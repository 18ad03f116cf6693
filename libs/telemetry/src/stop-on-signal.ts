// How a process of ours ends when it is asked to: the first signal drains and closes, a second one ends it at once.
import closeWithGrace from 'close-with-grace'
import { flushLogs } from './logger.js'
import { hasTerminal, StopRequests, takenSignals } from './stop-requests.js'

/** How long closing may take once nothing is waited for any more, in ms: requests under way of control, sockets of the proxy. */
export const CLOSE_DEADLINE_MS = { control: 10_000, proxy: 5000 } as const

// What the library would take. After a fault in native code its handler would return to the faulting instruction, for ever
// (https://nodejs.org/api/process.html#signal-events): such a process has to end at once, and be started again. Those that
// ask for something are judged here: to the library every second one is a reason to exit.
const notTheLibrarys = ['SIGTERM', 'SIGINT', 'SIGHUP', 'SIGQUIT', 'SIGILL', 'SIGTRAP', 'SIGABRT', 'SIGBUS', 'SIGFPE', 'SIGSEGV', 'SIGUSR2', 'uncaughtException', 'unhandledRejection', 'beforeExit'] as const

export interface StopOptions {
  readonly process: keyof typeof CLOSE_DEADLINE_MS
  /** How long `stop` may wait before it closes, in ms. */
  readonly drainMs: number
  readonly log: { readonly info: (fields: object, message: string) => void }
  /** Exit code 0 when it is done; 1 when it throws, takes longer than it may, or a second signal comes. */
  readonly stop: (signal: string) => Promise<void>
  /** Ends the process with 1, in this turn. */
  readonly endNow: () => void
}

/** From now on SIGTERM and SIGINT end this process by `stop`, and SIGHUP if it has a terminal. Others are told to the log, unless they are faults. */
export function stopOnSignal ({ process: name, drainMs, log, stop, endNow }: StopOptions): void {
  // EIO: the terminal is gone, and what is said there last says nothing any more.
  process.stderr.on('error', () => undefined)
  let asked = 'none'
  const { close } = closeWithGrace({
    delay: drainMs + CLOSE_DEADLINE_MS[name],
    logger: false,
    skip: [...notTheLibrarys],
    // The logger's lines would come too late: after this the process ends in the same turn.
    onTimeout: () => { process.stderr.write(`${name}: closing takes too long, ending now.\n`) }
  }, async () => {
    await stop(asked)
    await flushLogs()
  })
  const requests = new StopRequests(hasTerminal())
  for (const signal of takenSignals) {
    process.on(signal, () => {
      const request = requests.judge(signal, performance.now())
      if (request === 'ignored') log.info({ signal }, 'Signal ignored')
      if (request === 'again') {
        process.stderr.write(`${name}: ${signal} came again, ending now.\n`)
        endNow()
      }
      if (request !== 'stop') return
      asked = signal
      close()
    })
  }
}
