// The listening side: HTTP or HTTPS on a port of 127.0.0.1 that stays the same while it is open, and every TCP
// connection in reach, so that tests can refuse, drop and reset them.
import { once } from 'node:events'
import { createServer, type IncomingMessage, type RequestListener, type Server } from 'node:http'
import { createServer as createTlsServer, type Server as TlsServer } from 'node:https'
import type { AddressInfo, Socket } from 'node:net'

/** PEM. */
export interface KeyPair {
  readonly key: string
  readonly cert: string
}

export interface TlsOptions extends KeyPair {
  /** PEM of the authority of client certificates. */
  readonly ca: string
}

interface Connection {
  readonly number: number
  readonly socket: Socket
}

export class HttpServer {
  readonly #handler: RequestListener
  readonly #onClosed: () => void
  readonly #connections = new Map<number, Connection>()
  #tls: TlsOptions | undefined
  #server: Server | TlsServer | undefined
  #port = 0
  #made = 0

  /** @param onClosed called after a connection is gone */
  constructor (handler: RequestListener, tls: TlsOptions | undefined, onClosed: () => void) {
    this.#handler = handler
    this.#onClosed = onClosed
    this.#tls = tls
  }

  get address (): string {
    return `127.0.0.1:${this.#port}`
  }

  get url (): string {
    return `${this.#tls === undefined ? 'http' : 'https'}://${this.address}`
  }

  /** Open TCP connections. */
  get connections (): number {
    return this.#connections.size
  }

  /** Listens, again on the same port after `refuse`. */
  async listen (): Promise<void> {
    if (this.#server !== undefined) return
    const server = this.#tls === undefined
      ? createServer(this.#handler)
      : createTlsServer({ ...this.#tls, requestCert: true, rejectUnauthorized: false }, this.#handler)
    // Nothing here ends a connection but a test.
    server.keepAliveTimeout = 0
    server.requestTimeout = 0
    server.on('connection', (socket: Socket) => { this.#track(socket) })
    await new Promise<void>((resolve, reject) => { server.once('error', reject).listen(this.#port, '127.0.0.1', resolve) })
    this.#server = server
    this.#port = (server.address() as AddressInfo).port
  }

  /** New connections are refused from now on; those with a request under way go on. */
  refuse (): void {
    this.#server?.close()
    this.#server = undefined
  }

  /** Ends all connections. */
  drop (how: 'fin' | 'reset'): void {
    for (const { socket } of this.#connections.values()) {
      if (how === 'reset') socket.resetAndDestroy()
      else socket.end()
    }
  }

  /** New connections see this certificate. */
  setTls (tls: TlsOptions): void {
    this.#tls = tls
    if (this.#server !== undefined && 'setSecureContext' in this.#server) this.#server.setSecureContext(tls)
  }

  /** The TCP connection that a request came on. */
  connectionOf ({ socket }: IncomingMessage): Connection | undefined {
    return this.#connections.get(socket.remotePort ?? 0)
  }

  async close (): Promise<void> {
    const closed = [...this.#connections.values()].map(async ({ socket }) => { await once(socket, 'close') })
    this.refuse()
    for (const { socket } of this.#connections.values()) socket.destroy()
    await Promise.all(closed)
  }

  // Under TLS this is the socket below: the one above it cannot be reset.
  #track (socket: Socket): void {
    const port = socket.remotePort
    if (port === undefined) return
    this.#connections.set(port, { number: ++this.#made, socket })
    socket.setNoDelay(true)
    socket.on('error', () => { /* Clients reset connections; 'close' follows. */ })
    socket.once('close', () => {
      if (this.#connections.get(port)?.socket === socket) this.#connections.delete(port)
      this.#onClosed()
    })
  }
}
