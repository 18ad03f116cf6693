// Log lines in a form for people, on a terminal.
import { pino, type DestinationStream } from 'pino'
import { parseLogLine } from './log-line.js'
import { renderLogLine } from './render-log-line.js'
import { createStyle } from './style.js'

// A terminal that was closed (EIO) sends SIGHUP, too: the process goes on to stop, without lines. Other errors are thrown.
function passGoneTerminal (stream: ReturnType<typeof pino.destination>): typeof stream {
  return stream.on('error', (error: NodeJS.ErrnoException) => { if (error.code !== 'EIO') throw error })
}

/** Where lines go as JSON and come out readable: at `destination`, or else on stdout, in its width, in colours if it shows them. */
export function prettyStream (destination?: DestinationStream): DestinationStream {
  const { stdout } = process
  const isStdout = destination === undefined
  const style = createStyle(isStdout && stdout.isTTY && stdout.hasColors())
  const target = destination ?? passGoneTerminal(pino.destination({ fd: 1, sync: true }))
  return {
    write: text => {
      const line = parseLogLine(text)
      target.write(line === undefined ? text : `${renderLogLine(line, style, isStdout ? stdout.columns : undefined)}\n`)
    }
  }
}
