// Socket addresses as the kernel lays them out (uapi/linux/in.h, in6.h), and as the core's four words.
//
//   sockaddr_in   16 bytes   0 family   2 port   4 address
//   sockaddr_in6  28 bytes   0 family   2 port   4 flow info   8 address (16 bytes)   24 scope id
//
// The family is in the machine's byte order; port and address are big-endian.
import { AF_INET, AF_INET6 } from './libc.js'
import type { Memory } from './memory.js'

/** Room for either kind, and a multiple of 8 bytes. */
export const SOCKADDR_BYTES = 32

const SOCKADDR_IN_BYTES = 16
const SOCKADDR_IN6_BYTES = 28
const MAPPED_MARK = 0xffff
const MAPPED_MARK_SWAPPED = 0xffff_0000

export type Family = typeof AF_INET | typeof AF_INET6

/** The length the kernel wants to hear for this family, in bytes. */
export function sockaddrLength (family: Family): number {
  return family === AF_INET ? SOCKADDR_IN_BYTES : SOCKADDR_IN6_BYTES
}

/** Writes an address at `offset`, a multiple of 8. An IPv4 address goes to an IPv6 socket in its mapped form, which it has already. */
export function writeSockaddr (memory: Memory, offset: number, family: Family, words: Uint32Array, port: number): void {
  const word = offset >> 2
  memory.words[word] = family | swap16(port) << 16
  if (family === AF_INET) {
    memory.words[word + 1] = swap32(words[3]!)
    return
  }
  memory.words[word + 1] = 0
  memory.words[word + 2] = swap32(words[0]!)
  memory.words[word + 3] = swap32(words[1]!)
  memory.words[word + 4] = swap32(words[2]!)
  memory.words[word + 5] = swap32(words[3]!)
  memory.words[word + 6] = 0
}

/**
 * Reads the address at `offset` into `words[0..3]` and returns its port. A source that cannot be answered has port 0: a
 * family that is neither, or an IPv6 address with a zone.
 */
export function readSockaddr (memory: Memory, offset: number, words: Uint32Array): number {
  const word = offset >> 2
  const head = memory.words[word]!
  const family = head & 0xffff
  if (family === AF_INET) {
    words[0] = 0
    words[1] = 0
    words[2] = MAPPED_MARK
    words[3] = swap32(memory.words[word + 1]!)
    return swap16(head >>> 16)
  }
  if (family !== AF_INET6 || memory.words[word + 6] !== 0) return 0
  words[0] = swap32(memory.words[word + 2]!)
  words[1] = swap32(memory.words[word + 3]!)
  words[2] = swap32(memory.words[word + 4]!)
  words[3] = swap32(memory.words[word + 5]!)
  return swap16(head >>> 16)
}

/** Whether the addresses of one family at two offsets are the same. */
export function isSameSockaddr (memory: Memory, family: Family, one: number, other: number): boolean {
  const words = family === AF_INET ? 2 : SOCKADDR_IN6_BYTES / 4
  for (let word = 0; word < words; word++) if (memory.words[(one >> 2) + word] !== memory.words[(other >> 2) + word]) return false
  return true
}

/** Whether a socket of this family reaches the address at `offset` by IPv4. */
export function isIPv4Sockaddr (memory: Memory, family: Family, offset: number): boolean {
  const word = offset >> 2
  return family === AF_INET || (memory.words[word + 2] === 0 && memory.words[word + 3] === 0 && memory.words[word + 4] === MAPPED_MARK_SWAPPED)
}

function swap16 (value: number): number {
  return (value & 0xff) << 8 | value >>> 8 & 0xff
}

export function swap32 (value: number): number {
  return value << 24 | (value & 0xff00) << 8 | value >>> 8 & 0xff00 | value >>> 24
}
