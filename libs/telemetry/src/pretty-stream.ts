// Log lines in a form for people.
import { pino, type DestinationStream } from 'pino'
import PinoPretty from 'pino-pretty'

// What SIGHUP asks for goes on when the terminal has gone, without words. Whatever else fails is as before.
function passGoneTerminal (stream: ReturnType<typeof pino.destination>): typeof stream {
  return stream.on('error', (error: NodeJS.ErrnoException) => { if (error.code !== 'EIO') throw error })
}

/** Where lines go as JSON and come out readable: at `destination`, or else on stdout, in colours if that shows them. */
export function prettyStream (destination?: DestinationStream): DestinationStream {
  const prettify = PinoPretty.prettyFactory({
    // Unless told, pino-pretty asks stdout whether it shows colours.
    ...destination === undefined ? {} : { colorize: false },
    singleLine: true,
    translateTime: 'SYS:HH:MM:ss.l',
    ignore: 'process',
    messageFormat: '{process}: {msg}'
  })
  const target = destination ?? passGoneTerminal(pino.destination({ fd: 1, sync: true }))
  return { write: line => { target.write(prettify(line)) } }
}
