// Addresses that name one host. Whatever else a target may be, it is one.
import { addressBlock, type AddressBlock } from './address-block.js'

// IANA's IPv4 and IPv6 Special-Purpose Address Registries. 0.0.0.0/8 is "this network"; Linux takes it for itself.
const others = ['0.0.0.0/8', '224.0.0.0/4', '255.255.255.255/32', '::/128', 'ff00::/8'].map(addressBlock) as AddressBlock[]

/** False for unspecified, multicast and broadcast addresses. */
export function isUnicast (words: ArrayLike<number>): boolean {
  return !others.some(contains => contains(words))
}
