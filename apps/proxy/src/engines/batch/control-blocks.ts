// What the kernel tells beside a datagram, and is told: a block of control messages (cmsg(3)) for each message of a batch.
//
//   struct cmsghdr   0 length, header included (8 bytes)   8 level   12 type   16 data …   the next one at a multiple of 8
//
//   IP_TOS, IPV6_TCLASS   16 the mark: one byte, or a number of four         DSCP in the upper six bits, ECN in the lower two
//   UDP_SEGMENT           16 size of each datagram (2 bytes)
//
// RFC 3542 §6.5, ip(7), udp(7). Numbers are in the machine's byte order.
import { IPPROTO_IP, IPPROTO_IPV6, IPPROTO_UDP, IPV6_TCLASS, IP_TOS, UDP_SEGMENT, type Libc } from './libc.js'
import { Memory } from './memory.js'

/** Room for everything that is asked for or told, and then some: what does not fit is left out by the kernel. */
export const CONTROL_BYTES = 96

const WORDS = CONTROL_BYTES / 4
const LEVEL = 2
const TYPE = 3
const DATA = 4
const HEAD_BYTES = 16

export class ControlBlocks {
  readonly memory: Memory
  /** After `read`: the mark the datagram came with, 0 if the kernel told none. */
  mark = 0

  constructor (libc: Pick<Libc, 'addressOf'>, count: number) {
    this.memory = new Memory(libc, count * CONTROL_BYTES)
  }

  /** Where block `index` is, as the kernel sees it. */
  pointer (index: number): number {
    return this.memory.address + index * CONTROL_BYTES
  }

  /** Reads the first `byteLength` bytes of block `index` as the kernel has filled it. */
  read (index: number, byteLength: number): void {
    const { words } = this.memory
    const end = index * WORDS + (byteLength >> 2)
    this.mark = 0
    for (let at = index * WORDS; at + DATA < end;) {
      const length = words[at]!
      if (length <= HEAD_BYTES) return
      const level = words[at + LEVEL]!
      const type = words[at + TYPE]!
      if ((level === IPPROTO_IP && type === IP_TOS) || (level === IPPROTO_IPV6 && type === IPV6_TCLASS)) this.mark = words[at + DATA]! & 0xff
      at += length + 7 >> 3 << 1
    }
  }

  /**
   * Writes block `index` for a datagram to an IPv4 or IPv6 address, or for several that leave as one.
   * @param mark -1 leaves it to the socket
   * @param segmentBytes the size of each of several; 0 for one
   * @returns bytes to show the kernel
   */
  write (index: number, isIPv4: boolean, mark: number, segmentBytes: number): number {
    const { words } = this.memory
    const first = index * WORDS
    let at = first
    let end = first
    if (mark >= 0) {
      this.#head(at, 4, isIPv4 ? IPPROTO_IP : IPPROTO_IPV6, isIPv4 ? IP_TOS : IPV6_TCLASS)
      words[at + DATA] = mark
      end = at + DATA + 1
      at += 6
    }
    if (segmentBytes > 0) {
      this.#head(at, 2, IPPROTO_UDP, UDP_SEGMENT)
      words[at + DATA] = segmentBytes
      end = at + DATA + 1
    }
    return end - first << 2
  }

  #head (at: number, dataBytes: number, level: number, type: number): void {
    const { words } = this.memory
    words[at] = HEAD_BYTES + dataBytes
    words[at + 1] = 0
    words[at + LEVEL] = level
    words[at + TYPE] = type
  }
}
