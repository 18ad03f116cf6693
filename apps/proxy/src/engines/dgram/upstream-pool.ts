// The real sockets behind the core's upstream socket numbers: one per number and family, opened when first needed.
import type { Socket } from 'node:dgram'
import { openUpstreamSocket, type Family } from './socket.js'

type OnMessage = (socketNumber: number, message: Uint8Array, address: string, port: number) => void

export class UpstreamPool {
  readonly #ipv4: (Socket | undefined)[] = []
  readonly #ipv6: (Socket | undefined)[] = []
  readonly #onMessage: OnMessage
  readonly #onError: (error: Error) => void
  readonly #receiveBufferBytes: number
  #size = 0

  constructor (onMessage: OnMessage, onError: (error: Error) => void, receiveBufferBytes: number) {
    this.#onMessage = onMessage
    this.#onError = onError
    this.#receiveBufferBytes = receiveBufferBytes
  }

  get size (): number { return this.#size }

  /** The socket with this number; undefined, with the error reported, if the system has none to give. */
  get (socketNumber: number, isIPv4: boolean): Socket | undefined {
    const sockets = isIPv4 ? this.#ipv4 : this.#ipv6
    return sockets[socketNumber] ?? this.#open(sockets, socketNumber, isIPv4 ? 'udp4' : 'udp6')
  }

  /** Closes the sockets whose number has no use left. */
  closeUnused (usesOf: (socketNumber: number) => number): void {
    for (const sockets of [this.#ipv4, this.#ipv6]) {
      for (const [socketNumber, socket] of sockets.entries()) {
        if (socket !== undefined && usesOf(socketNumber) === 0) this.#discard(sockets, socketNumber, socket)
      }
    }
  }

  close (): void {
    this.closeUnused(() => 0)
  }

  #open (sockets: (Socket | undefined)[], socketNumber: number, family: Family): Socket | undefined {
    const socket = openUpstreamSocket(family)
    if (socket instanceof Error) {
      this.#onError(socket)
      return undefined
    }
    socket.on('message', (message, { address, port }) => { this.#onMessage(socketNumber, message, address, port) })
    socket.on('error', this.#onError)
    sockets[socketNumber] = socket
    this.#size++
    this.#askBuffer(socket)
    return socket
  }

  #askBuffer (socket: Socket): void {
    try {
      socket.setRecvBufferSize(this.#receiveBufferBytes)
    } catch {
      // The system's default serves; only the data ports' buffers are reported.
    }
  }

  #discard (sockets: (Socket | undefined)[], socketNumber: number, socket: Socket): void {
    sockets[socketNumber] = undefined
    this.#size--
    socket.close()
  }
}
