// From a resource mapping to the addresses and ports in an object. Paths are compiled once per mapping.
import type { ResourceMapping } from '#config/schema.js'
import { err, ok, type Result } from '#core/result.js'
import { compilePath } from '#jsonpath/compile-path.js'
import { evaluatePath } from '#jsonpath/evaluate-path.js'
import { addressWords, formatAddress } from '#wire/address.js'
import type { KubeObject } from '../inventory/inventory.js'
import { isServiceBased } from '../inventory/resource-types.js'
import { findPort, portFrom } from './find-port.js'

export interface Reach {
  /** IP addresses in canonical text, in the object's order; at least one. Policy decides which of them is used. */
  readonly addresses: readonly [string, ...string[]]
  /** The object's port by data port name; one for each data port that the mapping serves. */
  readonly ports: Readonly<Record<string, number>>
}

export type ReachFailure = 'no_address' | 'no_port'

/** What a mapping says about one object. An object that lacks one of several mapped ports is not reachable. */
export type ReachOf = (object: KubeObject) => Result<Reach, ReachFailure>

type PortOf = (object: KubeObject) => number | undefined

/**
 * Compiles `mapping` for these data ports. For a service-based mapping the answer is about the Service, not about the
 * object it stands for. Throws on a path that does not parse or a port that is not said, which the configuration has
 * checked.
 */
export function compileReach (mapping: ResourceMapping, dataPorts: readonly string[]): ReachOf {
  const addressesOf = compileAddresses(mapping)
  const portOf = compilePorts(mapping, dataPorts)
  return object => {
    const [first, ...others] = addressesOf(object).flatMap(canonical)
    if (first === undefined) return err('no_address')
    const ports = Object.entries(portOf).map(([dataPort, find]) => [dataPort, find(object)] as const)
    if (ports.some(([, port]) => port === undefined)) return err('no_port')
    return ok({ addresses: [first, ...others], ports: Object.fromEntries(ports) as Record<string, number> })
  }
}

function compileAddresses (mapping: ResourceMapping): (object: KubeObject) => readonly unknown[] {
  const nodesOf = compileNodes(isServiceBased(mapping) ? 'spec.clusterIP' : mapping.addressPath ?? '')
  const { addressType } = mapping
  if (addressType === undefined) return nodesOf
  // The path leads to the array, or by a wildcard or filter to its elements.
  return object => nodesOf(object).flat().filter(isTypedAddress).filter(({ type }) => type === addressType).map(({ address }) => address)
}

function compilePorts (mapping: ResourceMapping, dataPorts: readonly string[]): Readonly<Record<string, PortOf>> {
  if (mapping.ports !== undefined) return Object.fromEntries(mapping.ports.map(port => [port.name, compilePort(port)]))
  const portOf = compilePort(isServiceBased(mapping) ? { portName: mapping.serviceTargetPortName } : mapping)
  return Object.fromEntries(dataPorts.map(name => [name, portOf]))
}

function compilePort ({ portName, portPath }: { readonly portName?: string | undefined, readonly portPath?: string | undefined }): PortOf {
  if (portName !== undefined) return object => findPort(object, portName)
  const nodesOf = compileNodes(portPath ?? '')
  return object => portFrom(nodesOf(object)[0])
}

function compileNodes (text: string): (object: KubeObject) => readonly unknown[] {
  const path = compilePath(text)
  if (!path.ok) throw new Error(`${JSON.stringify(text)} is no JSONPath: ${path.error.message}`)
  return object => evaluatePath(path.value, object)
}

// Host names are no addresses: nothing here waits for a resolver.
function canonical (address: unknown): string[] {
  const words = typeof address === 'string' ? addressWords(address) : undefined
  return words === undefined ? [] : [formatAddress(words)]
}

function isTypedAddress (value: unknown): value is { readonly type: unknown, readonly address: unknown } {
  return typeof value === 'object' && value !== null && 'type' in value && 'address' in value
}
