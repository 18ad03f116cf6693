// The sockets behind the core's upstream socket numbers: one per number and family, opened when first needed. All
// sessions whose flows have the same number share it.
import type { Epoll } from './epoll.js'
import type { Outlet } from './send-queue.js'
import { familyOf, type UdpSockets } from './udp-socket.js'

const ANY_ADDRESS = new Uint32Array(4)

export interface UpstreamOptions {
  readonly sockets: UdpSockets
  readonly epoll: Epoll
  readonly receiveBufferBytes: number
  readonly sendQueueBytes: number
  /** Ids below this are taken; those from here on are these sockets' own. */
  readonly firstId: number
  readonly onError: (error: Error) => void
}

export class UpstreamSockets {
  readonly #options: UpstreamOptions
  // By id less the first: socket number × 2, and one more for IPv6.
  readonly #open: (Outlet | undefined)[] = []
  #size = 0

  constructor (options: UpstreamOptions) {
    this.#options = options
  }

  get size (): number { return this.#size }

  /** The socket with this number; undefined, with the error reported, if the system has none to give. */
  get (socketNumber: number, isIPv4: boolean): Outlet | undefined {
    const index = socketNumber * 2 + (isIPv4 ? 0 : 1)
    return this.#open[index] ?? this.#openAt(index, isIPv4)
  }

  /** The socket with this id, if it is open. */
  withId (id: number): Outlet | undefined {
    return this.#open[id - this.#options.firstId]
  }

  /** The core's number of the socket with this id. */
  numberOf (id: number): number {
    return id - this.#options.firstId >> 1
  }

  /** Closes the sockets whose number has no use left. */
  closeUnused (usesOf: (socketNumber: number) => number): void {
    for (const [index, outlet] of this.#open.entries()) {
      if (outlet === undefined || usesOf(index >> 1) > 0) continue
      this.#open[index] = undefined
      this.#size--
      this.#options.epoll.remove(outlet.fd)
      this.#options.sockets.close(outlet.fd)
    }
  }

  close (): void {
    this.closeUnused(() => 0)
  }

  #openAt (index: number, isIPv4: boolean): Outlet | undefined {
    const { sockets, epoll, receiveBufferBytes, sendQueueBytes, firstId, onError } = this.#options
    const family = familyOf(isIPv4)
    const id = firstId + index
    let fd: number | undefined
    try {
      fd = sockets.open(family)
      sockets.bind(fd, family, ANY_ADDRESS, 0)
      epoll.add(fd, id)
    } catch (error) {
      if (fd !== undefined) sockets.close(fd)
      onError(error as Error)
      return undefined
    }
    sockets.askReceiveBuffer(fd, receiveBufferBytes)
    sockets.askSendBuffer(fd, sendQueueBytes)
    const outlet = { id, fd, family }
    this.#open[index] = outlet
    this.#size++
    return outlet
  }
}
