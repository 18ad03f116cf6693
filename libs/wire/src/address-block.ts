// CIDR blocks over the four words of an address. An IPv4 block is one inside ::ffff:0:0/96, so that an IPv4-mapped IPv6
// address is in the blocks its IPv4 address is in, and no other notation slips past a rule.
import { addressWords, isIPv4Words } from './address.js'

/** Tells whether an address, as its words, lies in the block. */
export type AddressBlock = (words: ArrayLike<number>) => boolean

// Of an IPv4 address in IPv4-mapped form (RFC 4291 §2.5.5.2).
const MAPPED_PREFIX_BITS = 96

/** The block that `text` names: an address, or one with a prefix length (RFC 4632 §3.1). Undefined if it names none. */
export function addressBlock (text: string): AddressBlock | undefined {
  const [, address = '', length] = /^([^/]+)(?:\/(\d{1,3}))?$/.exec(text) ?? []
  const first = addressWords(address)
  if (first === undefined) return undefined
  const offset = isIPv4Words(first) && !address.includes(':') ? MAPPED_PREFIX_BITS : 0
  const bits = length === undefined ? 128 : offset + Number(length)
  return bits > 128 ? undefined : words => sharesPrefix(words, first, bits)
}

function sharesPrefix (left: ArrayLike<number>, right: ArrayLike<number>, bits: number): boolean {
  for (let word = 0, rest = bits; rest > 0; word++, rest -= 32) {
    const mask = rest >= 32 ? -1 : -1 << (32 - rest)
    if (((left[word]! ^ right[word]!) & mask) !== 0) return false
  }
  return true
}
