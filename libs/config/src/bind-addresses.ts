// `bindAddress` and `dataBindAddress` as lists of addresses, each in its canonical form.
import { addressWords, formatAddress } from '#wire/address.js'
import type { Config } from './schema.js'

/** Every address, of IPv6 and IPv4. */
export const ANY_ADDRESS = '::'
export const ANY_IPV4 = '0.0.0.0'

/** What the HTTP listeners are bound to. */
export function listenAddresses ({ bindAddress }: Pick<Config, 'bindAddress'>): readonly string[] {
  return listOf(bindAddress)
}

/** What each data port is bound to. */
export function dataAddresses ({ bindAddress, dataBindAddress }: Pick<Config, 'bindAddress' | 'dataBindAddress'>): readonly string[] {
  return listOf(dataBindAddress ?? bindAddress)
}

/** Whether the address stands for others. */
export function isUnspecified (address: string): boolean {
  return address === ANY_ADDRESS || address === ANY_IPV4
}

function listOf (given: string | readonly string[]): readonly string[] {
  return (typeof given === 'string' ? [given] : given).map(address => {
    const words = addressWords(address)
    // One with a zone has no words: only HTTP listeners may have it.
    return words === undefined ? address : formatAddress(words)
  })
}
