// The logger of every process: JSON lines for machines, a readable form for a terminal. Both are written by this
// process itself: no worker threads, whose start-up and memory a small proxy would feel.
import { pino, stdTimeFunctions, type DestinationStream, type LevelWithSilent, type Logger } from 'pino'
import { LineLimits, type LineLimitsOptions } from './line-limits.js'

/**
 * How long a line waits for others, in milliseconds. A write costs more than making the line, and a busy process has
 * thousands of lines a second, each from a turn of the event loop of its own.
 */
const GATHER_MS = 10

/** What may wait for a slow reader of stdout, in bytes; lines beyond it are lost rather than kept in memory. */
const MAX_BUFFERED_BYTES = 4 * 1024 * 1024

export interface LoggerOptions {
  /** The process that speaks; the field `process` of every line. */
  readonly name: 'control' | 'proxy' | 'cli'
  readonly level: LevelWithSilent
  /** Where lines go instead of stdout. */
  readonly destination?: DestinationStream | undefined
  /** How many lines of one cause there may be; left out, the fewest. */
  readonly limits?: Partial<LineLimitsOptions> | undefined
}

/**
 * Makes a logger. It writes at most `limits` lines a second of each cause, and says how many it left out. Before `process.exit`,
 * await `flushLogs`.
 */
export function createLogger ({ name, level, destination, limits }: LoggerOptions): Logger {
  const lines = new LineLimits({
    warningsPerSecond: 0,
    linesPerSecond: 0,
    now: () => performance.now(),
    after: (delayMs, callback) => { setTimeout(callback, delayMs).unref() },
    ...limits
  })
  return pino({
    level,
    base: { process: name },
    hooks: {
      logMethod (args, method, level) {
        const tell = (fields: object): void => { method.call(this, fields, 'Log lines left out') }
        if (lines.allows(level, args, tell)) method.apply(this, args)
      }
    },
    timestamp: stdTimeFunctions.isoTime,
    formatters: { level: label => ({ level: label }) }
  }, destination ?? stdoutStream())
}

/** The bounds on log lines, in the configuration's words. */
export function lineLimits ({ warningsPerSecond, sessionLinesPerSecond }: { readonly warningsPerSecond: number, readonly sessionLinesPerSecond: number }): LoggerOptions['limits'] {
  return { warningsPerSecond, linesPerSecond: sessionLinesPerSecond }
}

/** Where lines become readable, if stdout is a terminal. Nobody else waits until what does that is loaded. */
export async function terminalStream (): Promise<DestinationStream | undefined> {
  return process.stdout.isTTY ? (await import('./log-lines/pretty-stream.js')).prettyStream() : undefined
}

// Asynchronous: a reader that falls behind must not stop the proxy from forwarding.
function stdoutStream (): DestinationStream {
  const stream = pino.destination({ fd: 1, sync: false, maxLength: MAX_BUFFERED_BYTES })
  stream.on('drain', () => {
    isWritten = true
    for (const resolve of waiting.splice(0)) resolve()
  })
  let lines = ''
  let timer: NodeJS.Timeout | undefined
  sendGathered = () => {
    clearTimeout(timer)
    timer = undefined
    if (lines !== '') stream.write(lines)
    lines = ''
  }
  return {
    write: line => {
      isWritten = false
      lines += line
      timer ??= setTimeout(sendGathered, GATHER_MS)
    }
  }
}

// There is one stdout, so these are the process's.
let isWritten = true
let sendGathered = (): void => undefined
const waiting: Array<() => void> = []

/**
 * Resolves when every line is with the system, or after `timeoutMs` if its reader has stopped reading. Await it before
 * `process.exit`: a line that is just being written is lost otherwise.
 */
export async function flushLogs (timeoutMs = 1000): Promise<void> {
  if (isWritten) return
  sendGathered()
  await new Promise<void>(resolve => {
    const timer = setTimeout(resolve, timeoutMs)
    waiting.push(() => {
      clearTimeout(timer)
      resolve()
    })
  })
}
