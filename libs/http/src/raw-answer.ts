// Answers to what is not a request: they are written to the connection itself, and end it.
import { STATUS_CODES } from 'node:http'
import type { Socket } from 'node:net'
import type { Clock } from '#core/clock.js'

export interface RawAnswer {
  readonly status: number
  readonly headers: Readonly<Record<string, string>>
  readonly body: string
}

/** How long a connection is still read from after its last answer: closed at once, it would be reset, and the answer be lost on its way. */
const LINGER_MS = 1000

/** Writes `answer` to `socket` and closes it. */
export function answerRaw (socket: Socket, { status, headers, body }: RawAnswer, clock: Clock): void {
  const fields = Object.entries({ ...headers, 'content-length': String(Buffer.byteLength(body)), date: new Date(clock.wallNow()).toUTCString(), connection: 'close' })
  socket.end(`HTTP/1.1 ${status} ${STATUS_CODES[status] ?? ''}\r\n${fields.map(([name, value]) => `${name}: ${value}\r\n`).join('')}\r\n${body}`)
  const cancel = clock.after(LINGER_MS, () => { socket.destroy() })
  socket.once('close', cancel)
  socket.resume()
}
