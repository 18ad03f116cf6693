// Whose address is it? An IPv4 address is one customer's; of IPv6 a customer has a /64 at least (RFC 6177), and can send
// from every address in it. What is counted, limited or bound by client is therefore keyed by this prefix.
//
//   IPv4  192.0.2.7            words  0000ffff c0000207    the whole address
//   IPv6  2001:db8:0:1::7      words  20010db8 00000001    its first 64 bits
//
// The mark of an IPv4 address begins no IPv6 address in use: 0000::/8 is reserved (RFC 4291 §2.4).
import { ADDRESS_WORDS, isIPv4Words } from './address.js'

const MAPPED_MARK = 0xffff

/** Length of a client prefix, in 32-bit words. */
export const PREFIX_WORDS = 2

/** Writes the prefix of the address in `words[0..3]` to `prefix[offset..offset + 1]`. Allocates nothing. */
export function writeClientPrefix (words: ArrayLike<number>, prefix: Uint32Array, offset = 0): void {
  const isIPv4 = isIPv4Words(words)
  prefix[offset] = words[isIPv4 ? 2 : 0]!
  prefix[offset + 1] = words[isIPv4 ? 3 : 1]!
}

/** The words of an address with the prefix in `prefix[offset..offset + 1]`. */
export function addressOfPrefix (prefix: Uint32Array, offset = 0): Uint32Array {
  const words = new Uint32Array(ADDRESS_WORDS)
  words.set(prefix.subarray(offset, offset + PREFIX_WORDS), prefix[offset] === MAPPED_MARK ? 2 : 0)
  return words
}
