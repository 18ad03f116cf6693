// Which kinds of objects an inventory has to hold for the configured mappings, whoever provides them.
import type { Config, ResourceMapping } from '#config/schema.js'

/** Kubernetes' name for a kind: group, version and the plural, as in its URLs. */
export interface ResourceType {
  readonly group: string
  readonly version: string
  readonly resource: string
}

/**
 * The resource type under which an inventory holds the Services that service-based mappings route to. No query can
 * name it, for queries name keys of `resourceQueryMapping`.
 */
export const SERVICES_TYPE = '(services)'

/** The entry of `namespaces` that stands for all of them. With provider kubernetes, reading them takes a ClusterRole. */
export const ALL_NAMESPACES = '*'

/** True if the mapping routes to a Service's clusterIP instead of an address in the object itself. */
export function isServiceBased (mapping: ResourceMapping): boolean {
  return mapping.addressPath === undefined && (mapping.serviceSelectorLabel !== undefined || mapping.serviceTargetPortName !== undefined)
}

/** True if the mapped objects are Services themselves. */
export function isService (mapping: ResourceType): boolean {
  return mapping.group === '' && mapping.resource.toLowerCase() === 'services'
}

/** What to hold: every configured resource type, and Services if a mapping routes to those of other objects. */
export function heldTypes (mappings: Readonly<Record<string, ResourceMapping>>): ReadonlyMap<string, ResourceType> {
  const types = new Map<string, ResourceType>()
  for (const [name, { group, version, resource }] of Object.entries(mappings)) types.set(name, { group, version, resource })
  if (Object.values(mappings).some(mapping => isServiceBased(mapping) && !isService(mapping))) {
    types.set(SERVICES_TYPE, { group: '', version: 'v1', resource: 'services' })
  }
  return types
}

/** JSONPaths by resource type. */
export type IndexPaths = ReadonlyMap<string, readonly string[]>

/** The paths to index: those that a mapping names, or else the one that the default endpoint asks for. */
export function indexedPaths ({ resourceQueryMapping, defaultEndpoint }: Pick<Config, 'resourceQueryMapping' | 'defaultEndpoint'>): IndexPaths {
  const asked = (type: string): readonly string[] => {
    const path = type === defaultEndpoint?.resourceType ? defaultEndpoint.statusQuery?.jsonPath : undefined
    return path === undefined ? [] : [path]
  }
  return new Map(Object.entries(resourceQueryMapping).map(([type, { indexPaths }]) => [type, indexPaths ?? asked(type)]))
}
