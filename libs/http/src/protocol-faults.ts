// What Node refuses before there is a request, with an answer of the application's own in place of Node's: no HTTP,
// headers that are too long, requests that do not come in time, expectations, and the method CONNECT.
import type { IncomingMessage, Server, ServerResponse } from 'node:http'
import type { Socket } from 'node:net'
import type { Clock } from '#core/clock.js'
import { answerRaw, type RawAnswer } from './raw-answer.js'
import type { Connections } from './connections.js'

export const protocolFaults = ['malformed', 'headers_too_large', 'uri_too_long', 'body_too_large', 'timeout', 'expectation', 'connect'] as const
export type ProtocolFault = typeof protocolFaults[number]

export interface ProtocolFaultOptions {
  readonly connections: Connections
  readonly clock: Clock
  readonly answerTo: (fault: ProtocolFault) => RawAnswer
}

// Of Node's parser and of its server (https://nodejs.org/api/errors.html, https://nodejs.org/api/http.html#event-clienterror).
const faultOfCode: Readonly<Record<string, ProtocolFault>> = {
  HPE_HEADER_OVERFLOW: 'headers_too_large',
  HPE_CHUNK_EXTENSIONS_OVERFLOW: 'body_too_large',
  ERR_HTTP_REQUEST_TIMEOUT: 'timeout'
}

// A request line that is most of what a header may have, or longer than what came in one piece.
const LONG_REQUEST_LINE = /^[A-Z-]+ [^\r\n]*$|^[A-Z-]+ [^\r\n]{8192}/

interface ParserError extends NodeJS.ErrnoException {
  readonly rawPacket?: Buffer
}

/** Answers with `answerTo` from now on. */
export function answerProtocolFaults (server: Server, { connections, clock, answerTo }: ProtocolFaultOptions): void {
  const refused = new WeakSet<Socket>()
  const refuse = (socket: Socket, fault: ProtocolFault): void => {
    if (refused.has(socket)) return
    refused.add(socket)
    if (socket.writable) answerRaw(socket, answerTo(fault), clock)
    else socket.destroy()
  }
  server.removeAllListeners('clientError')
  server.on('clientError', (error: ParserError, socket: Socket) => {
    if (refused.has(socket)) return
    if (error.code === 'ECONNRESET' || socket.destroyed) socket.destroy()
    else inTurn(socket, connections.requestsOf(socket), () => { refuse(socket, faultOf(error)) })
  })
  server.on('checkExpectation', (request: IncomingMessage, response: ServerResponse) => {
    const { status, headers, body } = answerTo('expectation')
    response.writeHead(status, { ...headers, connection: 'close' }).end(body)
    request.resume()
  })
  server.on('connect', (_request: IncomingMessage, socket: Socket) => {
    // Node has let go of the connection: nobody reads it any more, and a reset would be an error that nobody hears.
    socket.on('error', () => { socket.destroy() })
    socket.resume()
    inTurn(socket, connections.requestsOf(socket), () => { refuse(socket, 'connect') })
  })
}

// Answers leave in the order of the requests. What does not parse is the end of the last one, or comes after it.
function inTurn (socket: Socket, requests: ReadonlySet<ServerResponse>, refuse: () => void): void {
  const last = [...requests].find(({ req }) => !req.complete)
  if (last?.headersSent === true) {
    socket.destroy()
    return
  }
  const ahead = [...requests].filter(response => response !== last)
  if (ahead.length === 0) {
    refuse()
    return
  }
  ahead.at(-1)!.once('close', refuse)
}

function faultOf ({ code = '', rawPacket }: ParserError): ProtocolFault {
  const fault = faultOfCode[code] ?? 'malformed'
  return fault === 'headers_too_large' && rawPacket !== undefined && LONG_REQUEST_LINE.test(rawPacket.toString('latin1')) ? 'uri_too_long' : fault
}
