// Who is asking, as limits and lists see it. Pure.
import { addressWords, formatAddress, isIPv4Words } from '#wire/address.js'
import { callerBehind, forwardedHeaders, nodesOf, otherHeaders, type ForwardedHeader, type Words } from './forwarded.js'

export interface Caller {
  /** Canonical address the request came from; an IPv4-mapped one as IPv4. */
  readonly ip: string
  readonly words: Words
  /** What limits count by: the name or subject it authenticated with, or else its IPv4 address or IPv6 /64. */
  readonly key: string
}

export interface Trust {
  readonly isTrusted: (words: Words) => boolean
  readonly header: ForwardedHeader
}

type Headers = Readonly<Record<string, string | string[] | undefined>>

/**
 * The caller whose connection comes from `peer`, or for whom `peer` speaks if that is trusted. `unclear` if a trusted
 * proxy names a caller that is not an address: to take the proxy for the caller would let everybody behind it in by its
 * address. Undefined if `peer` is not an address, as on a connection that is gone.
 */
export function callerOf (peer: string | undefined, headers: Headers, { isTrusted, header }: Trust): Caller | 'unclear' | undefined {
  // A link-local peer has a zone (fe80::1%eth0), which says nothing about who it is.
  const words = addressWords(peer?.replace(/%.*$/, '') ?? '')
  if (words === undefined) return undefined
  if (!isTrusted(words)) return callerAt(words)
  const value = textOf(headers[header])
  // Of a proxy that is configured to write another one. With none at all it is the proxy that asks, as for its own checks.
  if (value === '') return [...forwardedHeaders, ...otherHeaders].some(other => textOf(headers[other]) !== '') ? 'unclear' : callerAt(words)
  const nodes = nodesOf(header, value)
  const caller = nodes === undefined || nodes.length === 0 ? undefined : callerBehind(words, nodes, isTrusted)
  return caller === undefined ? 'unclear' : callerAt(caller)
}

function callerAt (words: Words): Caller {
  return { ip: formatAddress(words), words, key: `ip:${prefixOf(words)}` }
}

/** The same caller, by the name it has proved to have. */
export function namedCaller (caller: Caller, name: string): Caller {
  return { ...caller, key: `name:${name}` }
}

function textOf (value: string | string[] | undefined): string {
  return (Array.isArray(value) ? value.join(',') : value ?? '').trim()
}

// One customer of a network gets at least an IPv6 /64 (RFC 6177), and can take any address in it.
function prefixOf (words: Words): string {
  return isIPv4Words(words) ? formatAddress(words) : `${formatAddress([words[0]!, words[1]!, 0, 0])}/64`
}
