// From a resource mapping to the hosts and ports in an object. Paths are compiled once per mapping.
import type { ResourceMapping } from '#config/schema.js'
import { err, ok, type Result } from '#core/result.js'
import type { KubeObject } from '../inventory/objects/inventory.js'
import { isServiceBased } from '../inventory/objects/resource-types.js'
import { addressKind, type AddressKind } from './address-kind.js'
import { findPort, usable, type PortFailure } from './find-port.js'
import { compileHosts, type Hosts } from './hosts.js'
import { compileNodes } from './nodes.js'

/** At least one address or name. Policy decides which of several is used. */
export interface Reach extends Hosts {
  /** The object's port by data port name; one for each data port that the mapping serves. */
  readonly ports: Readonly<Record<string, number>>
}

export type ReachFailure = 'no_address' | PortFailure

/** What a mapping says about one object. An object that lacks one of several mapped ports is not reachable. */
export type ReachOf = (object: KubeObject) => Result<Reach, ReachFailure>

type PortOf = (object: KubeObject) => Result<number, PortFailure>

/**
 * Compiles `mapping` for these data ports. For a service-based mapping the answer is about the Service, not about the
 * object it stands for. Throws on a path that does not parse or a port that is not said, which the configuration has
 * checked.
 */
export function compileReach (mapping: ResourceMapping, dataPorts: readonly string[]): ReachOf {
  const hostsOf = compileHosts(mapping)
  const portOf = Object.entries(compilePorts(mapping, dataPorts))
  return object => {
    const { addresses, names } = hostsOf(object)
    if (addresses.length + names.length === 0) return err('no_address')
    const ports: Record<string, number> = {}
    for (const [dataPort, find] of portOf) {
      const port = find(object)
      if (!port.ok) return port
      ports[dataPort] = port.value
    }
    return ok({ addresses, names, ports })
  }
}

function compilePorts (mapping: ResourceMapping, dataPorts: readonly string[]): Readonly<Record<string, PortOf>> {
  const at = isServiceBased(mapping) ? 'unknown' : addressKind(mapping.addressPath ?? '', mapping.addressType)
  if (mapping.ports !== undefined) return Object.fromEntries(mapping.ports.map(port => [port.name, compilePort(port, at)]))
  const portOf = compilePort(isServiceBased(mapping) ? { portName: mapping.serviceTargetPortName } : mapping, at)
  return Object.fromEntries(dataPorts.map(name => [name, portOf]))
}

function compilePort ({ portName, portPath }: { readonly portName?: string | undefined, readonly portPath?: string | undefined }, at: AddressKind): PortOf {
  if (portName !== undefined) return object => findPort(object, portName, at)
  const nodesOf = compileNodes(portPath ?? '')
  return object => usable(nodesOf(object)[0])
}
