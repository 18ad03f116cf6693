// The address in a Service or a Node, as clients outside of the cluster reach it. Pure; what it reads is the API server's, so
// every step is looked at.
import { addressFault } from '#config/advertised.js'
import type { Advertise } from '#config/schema.js'
import { err, ok, type Result } from '#core/result.js'
import { isMap } from '../inventory/objects/json.js'

/** Reads an address out of an object; the fault is the rest of a sentence about it: "has no …". */
export type AddressOf = (object: unknown) => Result<string, string>

export type NodeAddressType = NonNullable<Advertise['node']>

/** The first address of the load balancer (core/v1 LoadBalancerIngress: `ip` or `hostname`), or else the first of `externalIPs`. */
export const serviceAddress: AddressOf = object => {
  const ingress = itemsAt(object, ['status', 'loadBalancer', 'ingress'])
  const [external] = itemsAt(object, ['spec', 'externalIPs'])
  const texts = [...ingress.flatMap(item => isMap(item) ? [item['ip'], item['hostname']] : []), external]
  return usable(texts, 'has no address of a load balancer yet, and no externalIPs')
}

/** The first address of that type (core/v1 NodeAddress). */
export function nodeAddress (type: NodeAddressType): AddressOf {
  return object => {
    const addresses = itemsAt(object, ['status', 'addresses']).filter(isMap)
    const types = addresses.flatMap(address => typeof address['type'] === 'string' ? [address['type']] : [])
    const has = types.length === 0 ? 'none at all' : [...new Set(types)].join(', ')
    return usable(addresses.filter(address => address['type'] === type).map(({ address }) => address), `has no address of type ${type}; it has ${has}`)
  }
}

function usable (texts: readonly unknown[], fault: string): Result<string, string> {
  const given = texts.filter(text => typeof text === 'string' && text !== '') as string[]
  const address = given.find(text => addressFault(text) === undefined)
  if (address !== undefined) return ok(address)
  return err(given[0] === undefined ? fault : `has an address that nobody can send to: it ${addressFault(given[0]) ?? ''}`.replace(/\.$/, ''))
}

function itemsAt (value: unknown, path: readonly string[]): readonly unknown[] {
  const found = path.reduce<unknown>((part, key) => isMap(part) ? part[key] : undefined, value)
  return Array.isArray(found) ? found : []
}
