// A client address as the calls of the proxy write it, and the prefix that a token may be bound to.
import { addressWords, formatAddress } from '#wire/address.js'
import { addressOfPrefix, PREFIX_WORDS, writeClientPrefix } from '#wire/client-prefix.js'

const prefix = new Uint32Array(PREFIX_WORDS)

/** The address of `ip:port` or `[ip]:port`, without port and brackets. */
export function addressOf (client: string): string {
  const address = client.slice(0, client.lastIndexOf(':'))
  return address.startsWith('[') ? address.slice(1, -1) : address
}

/** The client prefix of an address as text: the IPv4 address, or the first address of the /64 of IPv6. Undefined if it is not an address. */
export function prefixText (address: string): string | undefined {
  const words = addressWords(address)
  if (words === undefined) return undefined
  writeClientPrefix(words, prefix)
  return formatAddress(addressOfPrefix(prefix))
}
