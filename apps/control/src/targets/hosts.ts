// From a resource mapping to what an object is called on the network: IP addresses, or names that have to be resolved.
import type { ResourceMapping } from '#config/schema.js'
import { addressWords, formatAddress } from '#wire/address.js'
import type { KubeObject } from '../inventory/objects/inventory.js'
import { isServiceBased } from '../inventory/objects/resource-types.js'
import { compileNodes } from './nodes.js'

export interface Hosts {
  /** IP addresses in canonical text, in the object's order. */
  readonly addresses: readonly string[]
  /** DNS names in lower case, in the object's order; none where there is an address. */
  readonly names: readonly string[]
}

export type HostsOf = (object: KubeObject) => Hosts

/**
 * Compiles where `mapping` says that hosts are. A Service's clusterIP is never a name: `None` marks a headless one.
 * Throws on a path that does not parse, which the configuration has checked.
 */
export function compileHosts (mapping: ResourceMapping): HostsOf {
  const textsOf = compileTexts(mapping)
  const namesOf = isServiceBased(mapping) ? () => [] : hostName
  return object => {
    const texts = textsOf(object).filter(text => typeof text === 'string')
    const addresses = texts.flatMap(canonical)
    return { addresses, names: addresses.length > 0 ? [] : texts.flatMap(namesOf) }
  }
}

function compileTexts (mapping: ResourceMapping): (object: KubeObject) => readonly unknown[] {
  const nodesOf = compileNodes(isServiceBased(mapping) ? 'spec.clusterIP' : mapping.addressPath ?? '')
  const { addressType } = mapping
  if (addressType === undefined) return nodesOf
  // The path leads to the array, or by a wildcard or filter to its elements.
  return object => nodesOf(object).flat().filter(isTypedAddress).filter(({ type }) => type === addressType).map(({ address }) => address)
}

function canonical (address: string): string[] {
  const words = addressWords(address)
  return words === undefined ? [] : [formatAddress(words)]
}

// RFC 1123 §2.1, and underscores, which are in use. With a dot, for no search list is applied; the last label has a
// letter, or a mistyped address would be asked for in the DNS.
const namePattern = /^(?=.{3,253}$)(?:[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?\.)+(?=[0-9-]*[a-z])[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?$/

function hostName (text: string): string[] {
  const name = text.toLowerCase().replace(/\.$/, '')
  return namePattern.test(name) ? [name] : []
}

function isTypedAddress (value: unknown): value is { readonly type: unknown, readonly address: unknown } {
  return typeof value === 'object' && value !== null && 'type' in value && 'address' in value
}
