// An array of `struct mmsghdr` as recvmmsg(2) and sendmmsg(2) want it, 64 bytes each on 64-bit Linux:
//
//   0 msg_name   8 msg_namelen   16 msg_iov   24 msg_iovlen   32 msg_control   40 msg_controllen   48 msg_flags   56 msg_len
//
// and, per message, the `struct iovec` (16 bytes: base, length) and the socket address it points to. The pointers to what
// belongs to a message are written once. A header may take the data of several messages in a row, which the kernel then
// sends as datagrams of `segmentBytes` each (UDP_SEGMENT, udp(7)), told by a control message:
//
//   struct cmsghdr   0 cmsg_len 18 (8 bytes)   8 level SOL_UDP   12 type UDP_SEGMENT   16 segment size (2 bytes)   – 24
import type { Libc } from './libc.js'
import { Memory } from './memory.js'
import { SOCKADDR_BYTES } from './socket-address.js'

const HEADER_BYTES = 64
const IOVEC_BYTES = 16
const HEADER_WORDS = HEADER_BYTES / 4
const NAME_LENGTH = 8 / 4
const VECTORS = 24 / 4
const CONTROL_LENGTH = 40 / 4
const FLAGS = 48 / 4
const LENGTH = 56 / 4

const CONTROL_BYTES = 24
const CMSG_LENGTH = 16 + 2
const SOL_UDP = 17
const UDP_SEGMENT = 103

export class MessageHeaders {
  /** Socket addresses: message `i` has `addressOffset(i)`. */
  readonly addresses: Memory
  readonly #headers: Memory
  readonly #iovecs: Memory
  readonly #controls: Memory

  constructor (libc: Libc, count: number) {
    this.#headers = new Memory(libc, count * HEADER_BYTES)
    this.#iovecs = new Memory(libc, count * IOVEC_BYTES)
    this.addresses = new Memory(libc, count * SOCKADDR_BYTES)
    this.#controls = new Memory(libc, count * CONTROL_BYTES)
    for (let index = 0; index < count; index++) {
      this.pointTo(index, index)
      this.#headers.words[index * HEADER_WORDS + VECTORS] = 1
      this.#headers.writePointer(index * HEADER_BYTES + 32, this.#controls.address + index * CONTROL_BYTES)
      this.#controls.words[index * CONTROL_BYTES / 4] = CMSG_LENGTH
      this.#controls.words[index * CONTROL_BYTES / 4 + 2] = SOL_UDP
      this.#controls.words[index * CONTROL_BYTES / 4 + 3] = UDP_SEGMENT
    }
  }

  /** Where the header of message `index` is, for a call that starts with it. */
  pointer (index: number): number {
    return this.#headers.address + index * HEADER_BYTES
  }

  addressOffset (index: number): number {
    return index * SOCKADDR_BYTES
  }

  /** Makes header `index` use address and data of `message`. */
  pointTo (index: number, message: number): void {
    this.#headers.writePointer(index * HEADER_BYTES, this.addresses.address + message * SOCKADDR_BYTES)
    this.#headers.writePointer(index * HEADER_BYTES + 16, this.#iovecs.address + message * IOVEC_BYTES)
  }

  /** Makes header `index` send the data of `count` messages, from the one it points to on, as datagrams of this size. */
  setSegments (index: number, count: number, segmentBytes: number): void {
    this.#headers.words[index * HEADER_WORDS + VECTORS] = count
    this.#headers.words[index * HEADER_WORDS + CONTROL_LENGTH] = count > 1 ? CONTROL_BYTES : 0
    if (count > 1) this.#controls.halves[index * CONTROL_BYTES / 2 + 8] = segmentBytes
  }

  setData (message: number, pointer: number): void {
    this.#iovecs.writePointer(message * IOVEC_BYTES, pointer)
  }

  /** How many bytes of data there are, or are room for. */
  setDataLength (message: number, bytes: number): void {
    this.#iovecs.words[message * 4 + 2] = bytes
  }

  setAddressLength (index: number, bytes: number): void {
    this.#headers.words[index * HEADER_WORDS + NAME_LENGTH] = bytes
  }

  flags (index: number): number {
    return this.#headers.words[index * HEADER_WORDS + FLAGS]!
  }

  /** How many bytes the kernel received or sent. */
  length (index: number): number {
    return this.#headers.words[index * HEADER_WORDS + LENGTH]!
  }
}
