// The logger of every process: JSON lines for machines, a readable form for a terminal. Both are written by this
// process itself: no worker threads, whose start-up and memory a small proxy would feel.
import { pino, stdTimeFunctions, type DestinationStream, type LevelWithSilent, type Logger } from 'pino'
import PinoPretty from 'pino-pretty'

/** What may wait for a slow reader of stdout, in bytes; lines beyond it are lost rather than kept in memory. */
const MAX_BUFFERED_BYTES = 4 * 1024 * 1024

export interface LoggerOptions {
  /** The process that speaks; the field `process` of every line. */
  readonly name: 'control' | 'proxy' | 'cli'
  readonly level: LevelWithSilent
  /** Default: whether stdout is a terminal. */
  readonly pretty?: boolean
  /** Where lines go instead of stdout. */
  readonly destination?: DestinationStream
}

/** Makes a logger. Lines still buffered are written when the process exits, by whatever way but a signal unheard. */
export function createLogger ({ name, level, destination, pretty = destination === undefined && process.stdout.isTTY }: LoggerOptions): Logger {
  return pino({
    level,
    base: { process: name },
    timestamp: stdTimeFunctions.isoTime,
    formatters: { level: label => ({ level: label }) }
  }, pretty ? prettyStream(destination) : destination ?? stdoutStream())
}

// Asynchronous: a reader that falls behind must not stop the proxy from forwarding.
function stdoutStream (): DestinationStream {
  return pino.destination({ fd: 1, sync: false, maxLength: MAX_BUFFERED_BYTES })
}

function prettyStream (destination: DestinationStream | undefined): DestinationStream {
  const prettify = PinoPretty.prettyFactory({
    // Unless told, pino-pretty asks stdout whether it shows colours.
    ...destination === undefined ? {} : { colorize: false },
    singleLine: true,
    translateTime: 'SYS:HH:MM:ss.l',
    ignore: 'process',
    messageFormat: '{process}: {msg}'
  })
  const target = destination ?? pino.destination({ fd: 1, sync: true })
  return { write: line => { target.write(prettify(line)) } }
}
