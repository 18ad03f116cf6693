// What the kernel tells beside a datagram, and is told: a block of control messages (cmsg(3)) for each message of a batch.
//
//   struct cmsghdr   0 length, header included (8 bytes)   8 level   12 type   16 data …   the next one at a multiple of 8
//
//   IP_TOS, IPV6_TCLASS   16 the mark: one byte, or a number of four         DSCP in the upper six bits, ECN in the lower two
//   IP_PKTINFO            16 interface (4 bytes)    20 local address (4)    24 address in the header (4)
//   IPV6_PKTINFO          16 address (16)           32 interface (4)
//   UDP_SEGMENT           16 size of each datagram (2 bytes)
//
// The address is the one that the datagram was sent to, or is to come from. Of IPv4 the local one is taken, which is one of
// this host's even if the header's is a broadcast address; an IPv6 socket tells an IPv4 address in its mapped form, and only the
// header's. RFC 3542 §6, ip(7), udp(7). Numbers are in the machine's byte order, addresses are not.
import { IPPROTO_IP, IPPROTO_IPV6, IPPROTO_UDP, IPV6_PKTINFO, IPV6_TCLASS, IP_PKTINFO, IP_TOS, UDP_SEGMENT, type Libc } from './libc.js'
import { Memory } from './memory.js'
import { swap32 } from './socket-address.js'

/** Room for everything that is asked for or told, and then some: what does not fit is left out by the kernel. */
export const CONTROL_BYTES = 96

const WORDS = CONTROL_BYTES / 4
const LEVEL = 2
const TYPE = 3
const DATA = 4
const HEAD_BYTES = 16

// fe80::/10, its ten bits.
const LINK_LOCAL = 0xfe80 >>> 6

export class ControlBlocks {
  readonly memory: Memory
  /** After `read`: the mark the datagram came with, 0 if the kernel told none. */
  mark = 0
  // Where the address is that it was sent to, in words; 0 if the kernel told none.
  #ipv4At = 0
  #ipv6At = 0

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
    this.#ipv4At = 0
    this.#ipv6At = 0
    for (let at = index * WORDS; at + DATA < end;) {
      const length = words[at]!
      if (length <= HEAD_BYTES) return
      const level = words[at + LEVEL]!
      const type = words[at + TYPE]!
      if ((level === IPPROTO_IP && type === IP_TOS) || (level === IPPROTO_IPV6 && type === IPV6_TCLASS)) this.mark = words[at + DATA]! & 0xff
      else if (level === IPPROTO_IPV6 && type === IPV6_PKTINFO) this.#ipv6At = at + DATA
      else if (level === IPPROTO_IP && type === IP_PKTINFO) this.#ipv4At = at + DATA + 1
      at += length + 7 >> 3 << 1
    }
  }

  /** After `read`: whether the kernel told which address the datagram was sent to. */
  get hasLocal (): boolean { return this.#ipv6At !== 0 || this.#ipv4At !== 0 }

  /** After `read`: copies that address to `local[0..3]` and returns its interface, or 0 where the address says enough. */
  readLocal (local: Uint32Array): number {
    const { words } = this.memory
    if (this.#ipv6At === 0) {
      local[0] = 0
      local[1] = 0
      local[2] = 0xffff
      local[3] = swap32(words[this.#ipv4At]!)
      return 0
    }
    for (let word = 0; word < 4; word++) local[word] = swap32(words[this.#ipv6At + word]!)
    return local[0]! >>> 22 === LINK_LOCAL ? words[this.#ipv6At + 4]! : 0
  }

  /**
   * Writes block `index` for a datagram to an IPv4 or IPv6 address, or for several that leave as one.
   * @param mark -1 leaves it to the socket
   * @param from the address it is to come from; undefined leaves it to the kernel
   * @param zone the interface of that address, 0 for any
   * @param segmentBytes the size of each of several; 0 for one
   * @returns bytes to show the kernel
   */
  write (index: number, isIPv4: boolean, mark: number, from: Uint32Array | undefined, zone: number, segmentBytes: number): number {
    const { words } = this.memory
    const first = index * WORDS
    let at = first
    // The last message is shown without its padding: a short block, of an address alone, the kernel reads without allocating.
    let end = first
    if (mark >= 0) {
      this.#head(at, 4, isIPv4 ? IPPROTO_IP : IPPROTO_IPV6, isIPv4 ? IP_TOS : IPV6_TCLASS)
      words[at + DATA] = mark
      end = at + DATA + 1
      at += 6
    }
    if (from !== undefined && isIPv4) {
      this.#head(at, 12, IPPROTO_IP, IP_PKTINFO)
      words[at + DATA] = 0
      words[at + DATA + 1] = swap32(from[3]!)
      words[at + DATA + 2] = 0
      end = at + DATA + 3
      at += 8
    } else if (from !== undefined) {
      this.#head(at, 20, IPPROTO_IPV6, IPV6_PKTINFO)
      for (let word = 0; word < 4; word++) words[at + DATA + word] = swap32(from[word]!)
      words[at + DATA + 4] = zone
      end = at + DATA + 5
      at += 10
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
