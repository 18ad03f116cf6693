// UDP sockets that have every address of 127.0.0.0/8 and can be reached from nowhere else: bound to no address, but to
// the loopback device. Each datagram carries in its control data which address it is from, or for (ip(7)).
//
//   cmsghdr      0 length (8)   8 level (4)   12 type (4)
//   in_pktinfo  16 interface   20 local address   24 destination
import { AF_INET, SOL_SOCKET, type Libc } from '../../apps/proxy/src/engines/batch/system/libc.js'
import { Memory } from '../../apps/proxy/src/engines/batch/system/memory.js'
import { SystemError, UdpSockets } from '../../apps/proxy/src/engines/batch/system/udp-socket.js'
import { addressWords } from '#wire/address.js'
import type { Piece } from './message-block.js'

// uapi/asm-generic/socket.h, uapi/linux/in.h.
const SO_BINDTODEVICE = 25
const SO_TIMESTAMPNS = 35
const IPPROTO_IP = 0
const IP_PKTINFO = 8

/** Room for the control data of one message, in bytes. */
export const CONTROL_BYTES = 64
const PKTINFO_LENGTH = 28
/** What the kernel wants to hear as the length of the control data: that of the message, rounded up. */
const PKTINFO_SPACE = 32

const BUFFER_BYTES = 8 * 1024 * 1024

export class LoopbackSockets {
  readonly #libc: Libc
  readonly #sockets: UdpSockets
  readonly #value: Memory

  constructor (libc: Libc) {
    this.#libc = libc
    this.#sockets = new UdpSockets(libc)
    this.#value = new Memory(libc, 8)
  }

  /** Throws SystemError; EPERM from SO_BINDTODEVICE on Linux before 5.7, but for root. */
  open (): number {
    const fd = this.#sockets.open(AF_INET)
    this.#value.bytes.set(Buffer.from('lo\0'))
    this.#set('SO_BINDTODEVICE', fd, SOL_SOCKET, SO_BINDTODEVICE, 3)
    this.#sockets.bind(fd, AF_INET, addressWords('0.0.0.0')!, 0)
    this.#sockets.askReceiveBuffer(fd, BUFFER_BYTES)
    this.#sockets.askSendBuffer(fd, BUFFER_BYTES)
    return fd
  }

  /** Lets received datagrams tell which address they were for. */
  tellDestinations (fd: number): void {
    this.#value.words[0] = 1
    this.#set('IP_PKTINFO', fd, IPPROTO_IP, IP_PKTINFO, 4)
  }

  /** Lets received datagrams tell when the kernel had them. */
  tellTimes (fd: number): void {
    this.#value.words[0] = 1
    this.#set('SO_TIMESTAMPNS', fd, SOL_SOCKET, SO_TIMESTAMPNS, 4)
  }

  port (fd: number): number { return this.#sockets.port(fd) }

  /** Datagrams the kernel dropped because the socket was full. */
  receiveDrops (fd: number): number { return this.#sockets.receiveDrops(fd) }

  close (fd: number): void { this.#sockets.close(fd) }

  #set (name: string, fd: number, level: number, option: number, bytes: number): void {
    const result = this.#libc.setsockopt(fd, level, option, this.#value.address, bytes)
    if (result < 0) throw new SystemError(`setsockopt ${name}`, result)
  }
}

/** Writes the control data at `offset` by which a datagram leaves from this address; returns what to send. */
export function writeSource (memory: Memory, offset: number, address: string): Piece {
  const word = offset >> 2
  memory.words[word] = PKTINFO_LENGTH
  memory.words[word + 2] = IPPROTO_IP
  memory.words[word + 3] = IP_PKTINFO
  memory.bytes.set(address.split('.').map(Number), offset + 20)
  return { address: memory.address + offset, bytes: PKTINFO_SPACE }
}

/** When the kernel had the datagram whose control data is at `offset`: milliseconds of the wall clock since `baseSeconds`. */
export function readTime (memory: Memory, offset: number, baseSeconds: number): number {
  const word = (offset >> 2) + 4
  const seconds = memory.words[word]! + memory.words[word + 1]! * 0x1_0000_0000
  return (seconds - baseSeconds) * 1000 + memory.words[word + 2]! / 1e6
}
