// An array of `struct mmsghdr` as recvmmsg(2) and sendmmsg(2) want it, 64 bytes each on 64-bit Linux:
//
//   0 msg_name   8 msg_namelen   16 msg_iov   24 msg_iovlen   32 msg_control   40 msg_controllen   48 msg_flags   56 msg_len
//
// and, per message, the `struct iovec` (16 bytes: base, length), the socket address and the control block it points to. The
// pointers to what belongs to a message are written once. A header may take the data of several messages in a row, which the
// kernel then sends as datagrams of one size (UDP_SEGMENT, udp(7)).
import { ControlBlocks } from './control-blocks.js'
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

export class MessageHeaders {
  /** Socket addresses: message `i` has `addressOffset(i)`. */
  readonly addresses: Memory
  /** Control blocks: header `i` has block `i`. */
  readonly controls: ControlBlocks
  readonly #headers: Memory
  readonly #iovecs: Memory

  constructor (libc: Libc, count: number) {
    this.#headers = new Memory(libc, count * HEADER_BYTES)
    this.#iovecs = new Memory(libc, count * IOVEC_BYTES)
    this.addresses = new Memory(libc, count * SOCKADDR_BYTES)
    this.controls = new ControlBlocks(libc, count)
    for (let index = 0; index < count; index++) {
      this.pointTo(index, index)
      this.setCount(index, 1)
      this.#headers.writePointer(index * HEADER_BYTES + 32, this.controls.pointer(index))
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

  /** Makes header `index` send the data of `count` messages, from the one it points to on. */
  setCount (index: number, count: number): void {
    this.#headers.words[index * HEADER_WORDS + VECTORS] = count
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

  /** How many bytes of the control block the kernel may fill, or is to read. */
  setControlLength (index: number, bytes: number): void {
    this.#headers.words[index * HEADER_WORDS + CONTROL_LENGTH] = bytes
  }

  /** How many bytes of the control block the kernel has filled. */
  controlLength (index: number): number {
    return this.#headers.words[index * HEADER_WORDS + CONTROL_LENGTH]!
  }

  flags (index: number): number {
    return this.#headers.words[index * HEADER_WORDS + FLAGS]!
  }

  /** How many bytes the kernel received or sent. */
  length (index: number): number {
    return this.#headers.words[index * HEADER_WORDS + LENGTH]!
  }

  /** Notes the length of a datagram, in bytes, as the kernel does when it receives one. */
  setLength (index: number, bytes: number): void {
    this.#headers.words[index * HEADER_WORDS + LENGTH] = bytes
  }
}
