// The sockets behind the core's upstream socket numbers: one per number and family, opened when first needed. All
// sessions whose flows have the same number share it.
import type { Slices } from '#core/slices.js'
import type { UpstreamPorts } from '../../core/datagrams/upstream-ports.js'
import { closeInSlices } from '../engine.js'
import type { Epoll } from './system/epoll.js'
import type { Outlet } from './send-queue.js'
import type { Family } from './system/socket-address.js'
import { familyOf, type UdpSockets } from './system/udp-socket.js'

const ANY_ADDRESS = new Uint32Array(4)

export interface UpstreamOptions {
  readonly sockets: UdpSockets
  readonly epoll: Epoll
  readonly receiveBufferBytes: number
  readonly sendQueueBytes: number
  /** Ids below this are taken; those from here on are these sockets' own. */
  readonly firstId: number
  /** The port of each of these sockets: learnt here, and asked for when one is opened that had a port before. */
  readonly ports: UpstreamPorts
  /** The mark in the IP header of what is sent; see `askMarks`. */
  readonly usualMark: number
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

  /** Opens the sockets that have a port from before a restart: their targets may speak first. */
  reopen (): void {
    for (let index = 0; index < this.#options.ports.slots; index++) {
      if (this.#options.ports.atSlot(index) > 0) this.#openAt(index, index % 2 === 0)
    }
  }

  /** Closes the sockets whose number has no use left. */
  closeUnused (usesOf: (socketNumber: number) => number): Slices<undefined> {
    return closeInSlices(() => this.#open.length, index => this.#open[index] !== undefined && usesOf(index >> 1) === 0, index => { this.#close(index) })
  }

  /** Lets go of all of them; their ports stay known. */
  close (): void {
    for (const outlet of this.#open) if (outlet !== undefined) this.#options.sockets.close(outlet.fd)
    this.#open.length = 0
    this.#size = 0
  }

  #close (index: number): void {
    const { fd } = this.#open[index]!
    this.#open[index] = undefined
    this.#size--
    this.#options.ports.set(index >> 1, index % 2 === 0, 0)
    this.#options.epoll.remove(fd)
    this.#options.sockets.close(fd)
  }

  #openAt (index: number, isIPv4: boolean): Outlet | undefined {
    const { sockets, epoll, ports, receiveBufferBytes, sendQueueBytes, firstId, usualMark, onError } = this.#options
    const family = familyOf(isIPv4)
    const id = firstId + index
    let fd: number | undefined
    try {
      fd = sockets.open(family)
      sockets.askMarks(fd, family, usualMark)
      this.#bind(fd, family, ports.atSlot(index))
      epoll.add(fd, id)
      ports.set(index >> 1, isIPv4, sockets.port(fd))
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

  // A port that somebody else has by now is lost: the sessions go on, and their game servers see another one.
  #bind (fd: number, family: Family, port: number): void {
    const { sockets, onError } = this.#options
    try {
      sockets.bind(fd, family, ANY_ADDRESS, port)
    } catch (error) {
      if (port === 0) throw error
      onError(error as Error)
      sockets.bind(fd, family, ANY_ADDRESS, 0)
    }
  }
}
