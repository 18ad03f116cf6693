// The real sockets behind the core's upstream socket numbers: one per number and family, opened when first needed.
import type { Socket } from 'node:dgram'
import type { Slices } from '#core/slices.js'
import type { UpstreamPorts } from '../../core/datagrams/upstream-ports.js'
import { closeInSlices } from '../engine.js'
import { openUpstreamSocket, type Descriptors, type Family } from './socket.js'

export interface UpstreamPoolOptions {
  readonly onMessage: (socketNumber: number, message: Uint8Array, address: string, port: number) => void
  readonly onError: (error: Error) => void
  readonly receiveBufferBytes: number
  /** The port of each of these sockets: learnt here, and asked for when one is opened that had a port before. */
  readonly ports: UpstreamPorts
  readonly descriptors: Descriptors
}

export class UpstreamPool {
  readonly #options: UpstreamPoolOptions
  readonly #ports: UpstreamPorts
  readonly #ipv4: (Socket | undefined)[] = []
  readonly #ipv6: (Socket | undefined)[] = []
  #size = 0

  constructor (options: UpstreamPoolOptions) {
    this.#options = options
    this.#ports = options.ports
  }

  get size (): number { return this.#size }

  /** The socket with this number; undefined, with the error reported, if the system has none to give. */
  get (socketNumber: number, isIPv4: boolean): Socket | undefined {
    const sockets = isIPv4 ? this.#ipv4 : this.#ipv6
    return sockets[socketNumber] ?? this.#open(sockets, socketNumber, isIPv4)
  }

  /** Opens the sockets that have a port from before a restart: their targets may speak first. */
  reopen (): void {
    for (let slot = 0; slot < this.#ports.slots; slot++) if (this.#ports.atSlot(slot) > 0) this.get(slot >> 1, slot % 2 === 0)
  }

  /** Closes the sockets whose number has no use left. */
  * closeUnused (usesOf: (socketNumber: number) => number): Slices<undefined> {
    for (const sockets of [this.#ipv4, this.#ipv6]) {
      yield * closeInSlices(() => sockets.length, number => sockets[number] !== undefined && usesOf(number) === 0, number => {
        this.#ports.set(number, sockets === this.#ipv4, 0)
        sockets[number]!.close()
        sockets[number] = undefined
        this.#size--
      })
    }
    return undefined
  }

  /** Lets go of all of them; their ports stay known. */
  close (): void {
    for (const sockets of [this.#ipv4, this.#ipv6]) {
      for (const socket of sockets) socket?.close()
      sockets.length = 0
    }
    this.#size = 0
  }

  #open (sockets: (Socket | undefined)[], socketNumber: number, isIPv4: boolean): Socket | undefined {
    const { onMessage, onError } = this.#options
    const socket = this.#bound(isIPv4 ? 'udp4' : 'udp6', this.#ports.get(socketNumber, isIPv4))
    if (socket instanceof Error) {
      onError(socket)
      return undefined
    }
    socket.on('message', (message, { address, port }) => { onMessage(socketNumber, message, address, port) })
    socket.on('error', onError)
    sockets[socketNumber] = socket
    this.#size++
    this.#ports.set(socketNumber, isIPv4, socket.address().port)
    this.#askBuffer(socket)
    return socket
  }

  #askBuffer (socket: Socket): void {
    try {
      socket.setRecvBufferSize(this.#options.receiveBufferBytes)
    } catch {
      // The system's default serves; only the data ports' buffers are reported.
    }
  }

  // A port that somebody else has by now is lost: the sessions go on, and their game servers see another one.
  #bound (family: Family, port: number): Socket | Error {
    const { onError, descriptors } = this.#options
    const socket = openUpstreamSocket(family, port, descriptors)
    if (!(socket instanceof Error) || port === 0) return socket
    onError(socket)
    return openUpstreamSocket(family, 0, descriptors)
  }
}
