// Who is asking, as limits and lists see it. Pure.
import { addressWords, formatAddress, isIPv4Words } from '#wire/address.js'

export interface Caller {
  /** Canonical address the request came from; an IPv4-mapped one as IPv4. */
  readonly ip: string
  readonly words: ArrayLike<number>
  /** What limits count by: the name or subject it authenticated with, or else its IPv4 address or IPv6 /64. */
  readonly key: string
}

/**
 * The caller at an address, which proxies may have told us; where that is none, the one at `peer`, whose connection it
 * is. Undefined if neither is an address, as on a connection that is gone.
 */
export function callerAt (told: string, peer: string | undefined): Caller | undefined {
  // A link-local peer has a zone (fe80::1%eth0), which says nothing about who it is.
  const words = addressWords(told) ?? addressWords(peer?.replace(/%.*$/, '') ?? '')
  if (words === undefined) return undefined
  return { ip: formatAddress(words), words, key: `ip:${prefixOf(words)}` }
}

/** The same caller, by the name it has proved to have. */
export function namedCaller (caller: Caller, name: string): Caller {
  return { ...caller, key: `name:${name}` }
}

// One customer of a network gets at least an IPv6 /64 (RFC 6177), and can take any address in it.
function prefixOf (words: ArrayLike<number>): string {
  return isIPv4Words(words) ? formatAddress(words) : `${formatAddress([words[0]!, words[1]!, 0, 0])}/64`
}
