// The slots datagrams are received into, and sent on from: nothing is copied. Received from several sockets until it is
// full or there is no more, then emptied as a whole.
//
//            0          1          2                    capacity
//   data     │ datagram │ datagram │ …free…             SLOT_BYTES each
//   headers  │ where from, length  │                    one recvmmsg fills any number of them
//            └─ used ──────────────┘
import { CONTROL_BYTES, type ControlBlocks } from './system/control-blocks.js'
import { MSG_TRUNC, type Libc } from './system/libc.js'
import { Memory } from './system/memory.js'
import { MessageHeaders } from './system/message-headers.js'
import { readSockaddr, SOCKADDR_BYTES } from './system/socket-address.js'

/** Longest datagram there is: RFC 768's 16-bit length less its header. */
export const MAX_DATAGRAM_BYTES = 65_535 - 8

// One cache line more than a power of two: the first bytes of all slots would else compete for the same few cache sets.
const SLOT_BYTES = 65_536 + 64

export class ReceiveRing {
  /** All slots; slot `i` starts at `start(i)`. */
  readonly data: Memory
  readonly capacity: number
  /** Slots that hold a datagram; `clear` empties them. */
  used = 0
  readonly #libc: Libc
  readonly #headers: MessageHeaders

  constructor (libc: Libc, capacity: number) {
    this.#libc = libc
    this.capacity = capacity
    // Pages are given out when they are first touched: short datagrams touch one page of a slot each.
    this.data = new Memory(libc, capacity * SLOT_BYTES)
    this.#headers = new MessageHeaders(libc, capacity)
    for (let slot = 0; slot < capacity; slot++) {
      this.#headers.setData(slot, this.pointer(slot))
      this.#headers.setDataLength(slot, SLOT_BYTES)
      this.#offer(slot)
    }
  }

  /** Receives up to `count` datagrams, as far as slots are free. Returns how many they were, or a negative errno. */
  receive (fd: number, count: number): number {
    const first = this.used
    const room = Math.min(count, this.capacity - first)
    const received = this.#libc.recvmmsg(fd, this.#headers.pointer(first), room)
    if (received > 0) this.used += received
    return received
  }

  /** Takes in a datagram that came earlier, into a slot as if it had been received. Call only while a slot is free. Returns the slot. */
  put (bytes: Uint8Array): number {
    const slot = this.used++
    this.data.bytes.set(bytes, this.start(slot))
    this.#headers.setLength(slot, bytes.length)
    return slot
  }

  /** Takes note that nothing in the slots is needed any more. */
  clear (): void {
    for (let slot = 0; slot < this.used; slot++) this.#offer(slot)
    this.used = 0
  }

  // Says how much room there is, where the kernel says how much of it was filled.
  #offer (slot: number): void {
    this.#headers.setAddressLength(slot, SOCKADDR_BYTES)
    this.#headers.setControlLength(slot, CONTROL_BYTES)
  }

  /** Where the slot starts in `data.bytes`. */
  start (slot: number): number {
    return slot * SLOT_BYTES
  }

  pointer (slot: number): number {
    return this.data.address + slot * SLOT_BYTES
  }

  /** The datagram's length in bytes. */
  length (slot: number): number {
    return this.#headers.length(slot)
  }

  isTruncated (slot: number): boolean {
    return (this.#headers.flags(slot) & MSG_TRUNC) !== 0
  }

  /** The mark in the datagram's IP header: DSCP and ECN, as far as the socket was told to ask for it. */
  mark (slot: number): number {
    return this.told(slot).mark
  }

  /** What the kernel told beside the datagram; in force until the next call. */
  told (slot: number): ControlBlocks {
    const { controls } = this.#headers
    controls.read(slot, this.#headers.controlLength(slot))
    return controls
  }

  /** Reads where the datagram came from; see `readSockaddr`. */
  readSource (slot: number, words: Uint32Array): number {
    return readSockaddr(this.#headers.addresses, this.#headers.addressOffset(slot), words)
  }
}
