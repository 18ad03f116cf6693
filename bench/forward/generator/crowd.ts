// The clients: few sockets, many addresses. Every message is made in advance, so that sending costs the generator a system
// call for 64 of them and next to nothing else.
import { addressWords } from '#wire/address.js'
import { AF_INET, type Libc } from '../../../apps/proxy/src/engines/batch/system/libc.js'
import { Memory } from '../../../apps/proxy/src/engines/batch/system/memory.js'
import { SOCKADDR_BYTES, sockaddrLength, writeSockaddr } from '../../../apps/proxy/src/engines/batch/system/socket-address.js'
import { SystemError } from '../../../apps/proxy/src/engines/batch/system/udp-socket.js'
import { clientAddress, CLIENTS_PER_PORT, type Endpoint } from '../endpoints.js'
import { LoopbackSockets, writeSource } from '../loopback-socket.js'
import { MessageBlock } from '../message-block.js'

/** Most datagrams of one system call. */
export const BATCH = 64

const CONTROL_BYTES = 32

/** Where the datagrams' time is, in bytes; the rest is the same all the time. */
export const TIME_OFFSET = 0

export class Crowd {
  readonly fds: readonly number[]
  /** What every datagram carries; `payload.bytes` may be written between two calls of `send`. */
  readonly payload: Memory
  readonly #libc: Libc
  readonly #sockets: LoopbackSockets
  readonly #messages: number
  readonly #block: MessageBlock
  readonly #controls: Memory
  #destinations: Memory
  #next = 0

  /** @param bytes length of each datagram, 16 or more */
  constructor (libc: Libc, clients: number, bytes: number) {
    this.#libc = libc
    this.#sockets = new LoopbackSockets(libc)
    // Few clients have several messages each, so that a call is full nevertheless.
    this.#messages = clients * Math.ceil(BATCH / clients)
    this.#block = new MessageBlock(libc, this.#messages, true)
    this.#controls = new Memory(libc, clients * CONTROL_BYTES)
    this.payload = new Memory(libc, Math.ceil(bytes / 8) * 8)
    this.payload.bytes.fill(0x2e)
    this.#destinations = new Memory(libc, SOCKADDR_BYTES)
    this.#block.setData(0, { address: this.payload.address, bytes })
    for (let client = 0; client < clients; client++) {
      const source = writeSource(this.#controls, client * CONTROL_BYTES, clientAddress(client))
      for (let message = client; message < this.#messages; message += clients) this.#block.setControl(message, source)
    }
    this.fds = Array.from({ length: Math.ceil(clients / CLIENTS_PER_PORT) }, () => this.#sockets.open())
  }

  /** Lets all datagrams from now on go to these, in turn. */
  aim (destinations: readonly Endpoint[]): void {
    this.#destinations = new Memory(this.#libc, destinations.length * SOCKADDR_BYTES)
    for (const [index, { address, port }] of destinations.entries()) writeSockaddr(this.#destinations, index * SOCKADDR_BYTES, AF_INET, addressWords(address)!, port)
    for (let message = 0; message < this.#messages; message++) {
      const address = this.#destinations.address + message % destinations.length * SOCKADDR_BYTES
      this.#block.setName(message, { address, bytes: sockaddrLength(AF_INET) })
    }
    this.#next = 0
  }

  /** Sends up to `count` datagrams, of the next clients; returns how many the kernel took. Throws SystemError. */
  send (count: number): number {
    const first = this.#next
    const socket = this.fds.length === 1 ? 0 : Math.floor(first / CLIENTS_PER_PORT)
    const end = this.fds.length === 1 ? this.#messages : Math.min(this.#messages, (socket + 1) * CLIENTS_PER_PORT)
    const sent = this.#libc.sendmmsg(this.fds[socket]!, this.#block.pointer(first), Math.min(count, BATCH, end - first))
    if (sent < 0) {
      const error = new SystemError('sendmmsg', sent)
      if (error.code === 'EAGAIN' || error.code === 'ENOBUFS') return 0
      throw error
    }
    this.#next = (first + sent) % this.#messages
    return sent
  }

  receiveDrops (): number {
    return this.fds.reduce((sum, fd) => sum + this.#sockets.receiveDrops(fd), 0)
  }

  close (): void {
    for (const fd of this.fds) this.#sockets.close(fd)
  }
}
