// The connections of a server, within bounds of their number, of what one of them asks before it takes the answers, and
// of the time it may leave an answer untaken. Node has none of the three: it closes those that come too late rather than
// those that do nothing, reads as many requests as are sent, and keeps an answer for as long as nobody takes it.
import type { IncomingMessage, Server, ServerResponse } from 'node:http'
import type { Socket } from 'node:net'
import type { Clock } from '#core/clock.js'
import type { RawAnswer } from './raw-answer.js'

export interface ConnectionBounds {
  /** At the bound the connection without a request that was so for longest is closed for a new one; if all have one, the new one is. */
  readonly max: number
  /** Requests of one connection that are not answered and taken yet; it is closed after the answer to one more. */
  readonly maxRequests: number
  /** How long a connection may leave what was written to it untaken, in milliseconds. */
  readonly answerTimeoutMs: number
}

export interface ConnectionOptions {
  readonly bounds: ConnectionBounds
  readonly clock: Clock
  /** The answer to a request beyond `maxRequests`. */
  readonly tooManyRequests: () => RawAnswer
  /** A connection was closed because of `max`. */
  readonly onClosed: () => void
}

const LOOK_PERIOD_MS = 1000

/** How long a connection that waits for its caller is left alone once the server closes: what is on its way comes by then. */
const ENDING_GRACE_MS = 2000

export class Connections {
  readonly #options: ConnectionOptions
  readonly #all = new Map<Socket, Connection>()
  // Those without a request, in the order in which that began.
  readonly #quiet = new Set<Connection>()
  readonly #stopLooking: () => void
  #endingSinceMs: number | undefined

  /** Takes charge of `server`, before it listens. Stop it with `close`. */
  constructor (server: Server, options: ConnectionOptions) {
    this.#options = options
    server.on('connection', socket => { this.#add(socket) })
    const handlers = server.listeners('request') as Array<(request: IncomingMessage, response: ServerResponse) => void>
    server.removeAllListeners('request')
    server.on('request', (request, response) => { if (this.#admits(request, response)) for (const handle of handlers) handle.call(server, request, response) })
    this.#stopLooking = options.clock.every(LOOK_PERIOD_MS, () => { this.#look() })
  }

  get count (): number {
    return this.#all.size
  }

  /** Requests of a connection that are not over, in the order of their answers. */
  requestsOf (socket: Socket): ReadonlySet<ServerResponse> {
    return this.#all.get(socket)?.responses ?? none
  }

  /**
   * To be called when the server is about to close, which waits for its connections. Those that have said nothing yet are
   * closed at once, and those that wait for their callers soon: Node would wait for as long as these have time for a request.
   */
  end (): void {
    this.#endingSinceMs = this.#options.clock.now()
    for (const { socket } of this.#quiet) if (socket.bytesRead === 0) socket.destroy()
  }

  /** To be called when the server is closed. */
  close (): void {
    this.#stopLooking()
  }

  #add (socket: Socket): void {
    const { bounds, onClosed } = this.#options
    if (this.#all.size >= bounds.max) {
      onClosed()
      const [longest] = this.#quiet
      if (longest === undefined) {
        socket.destroy()
        return
      }
      this.#forget(longest)
      longest.socket.destroy()
    }
    const connection = new Connection(socket)
    this.#all.set(socket, connection)
    this.#quiet.add(connection)
    socket.once('close', () => { this.#forget(connection) })
  }

  #forget (connection: Connection): void {
    this.#all.delete(connection.socket)
    this.#quiet.delete(connection)
  }

  #admits (request: IncomingMessage, response: ServerResponse): boolean {
    const connection = this.#all.get(request.socket)
    if (connection === undefined) return false
    const { responses } = connection
    // Its last answer is on its way: what else it has sent already is ignored.
    if (connection.isEnding) return false
    responses.add(response)
    this.#quiet.delete(connection)
    response.once('close', () => {
      responses.delete(response)
      if (responses.size === 0 && this.#all.has(connection.socket)) this.#quiet.add(connection)
    })
    if (responses.size <= this.#options.bounds.maxRequests) return true
    connection.isEnding = true
    const { status, headers, body } = this.#options.tooManyRequests()
    response.writeHead(status, { ...headers, connection: 'close' }).end(body)
    return false
  }

  #look (): void {
    const nowMs = this.#options.clock.now()
    const isEnding = this.#endingSinceMs !== undefined && nowMs - this.#endingSinceMs >= ENDING_GRACE_MS
    for (const connection of this.#all.values()) {
      if (isEnding && connection.isWaitingForCaller) connection.socket.destroy()
      else if (connection.socket.writableLength === 0) connection.untakenSinceMs = undefined
      else if (nowMs - (connection.untakenSinceMs ??= nowMs) >= this.#options.bounds.answerTimeoutMs) connection.socket.destroy()
    }
  }
}

const none: ReadonlySet<ServerResponse> = new Set()

class Connection {
  readonly socket: Socket
  readonly responses = new Set<ServerResponse>()
  untakenSinceMs: number | undefined
  isEnding = false

  constructor (socket: Socket) {
    this.socket = socket
  }

  get isWaitingForCaller (): boolean {
    return [...this.responses].every(({ req, writableEnded }) => !req.complete || writableEnded)
  }
}
