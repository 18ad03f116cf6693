// What there is to read from the API server: each resource in each namespace, once, for all resource types that it is.
import type { Config } from '#config/schema.js'
import { ALL_NAMESPACES, heldTypes, isService, isServiceBased, SERVICES_TYPE, type ResourceType } from '../../objects/resource-types.js'

export interface Source extends ResourceType {
  /** Undefined: all of them. */
  readonly namespace: string | undefined
  /** The resource types of the inventory that its objects belong to. */
  readonly types: readonly string[]
}

type SourceConfig = Pick<Config, 'resourceQueryMapping' | 'namespaces' | 'defaultEndpoint'>

/**
 * Every configured resource type, and Services where a mapping routes to them, in every namespace that queries may
 * name; and what the default endpoint needs in its own. None if the configuration names no namespace.
 */
export function sourcesFrom (config: SourceConfig): readonly Source[] {
  const { resourceQueryMapping: mappings, defaultEndpoint } = config
  const namespaces = config.namespaces ?? (defaultEndpoint === undefined ? [] : [defaultEndpoint.namespace])
  const types = heldTypes(mappings)
  const wanted = namespaces.flatMap(namespace => [...types.keys()].map(type => ({ type, namespace })))
  if (defaultEndpoint !== undefined) {
    const { resourceType, namespace } = defaultEndpoint
    for (const type of typesNeededFor(config, resourceType)) wanted.push({ type, namespace })
  }
  const sources = new Map<string, Source>()
  for (const { type, namespace } of wanted) {
    const resource = types.get(type)
    if (resource !== undefined) addType(sources, resource, type, namespaces.includes(ALL_NAMESPACES) ? undefined : namespace)
  }
  return [...sources.values()]
}

/** The resource types that must be known to find targets for objects of `type`: itself, and perhaps Services. */
export function typesNeededFor ({ resourceQueryMapping }: SourceConfig, type: string): readonly string[] {
  const mapping = resourceQueryMapping[type]
  return mapping !== undefined && isServiceBased(mapping) && !isService(mapping) ? [type, SERVICES_TYPE] : [type]
}

function addType (sources: Map<string, Source>, resource: ResourceType, type: string, namespace: string | undefined): void {
  const { group, version } = resource
  const source = { group, version, resource: resource.resource.toLowerCase(), namespace }
  const path = pathOf(source)
  const types = sources.get(path)?.types ?? []
  sources.set(path, { ...source, types: types.includes(type) ? types : [...types, type] })
}

/** The path of the resource on an API server. */
export function pathOf ({ group, version, resource, namespace }: Omit<Source, 'types'>): string {
  const start = group === '' ? '/api' : `/apis/${encodeURIComponent(group)}`
  const scope = namespace === undefined ? '' : `/namespaces/${encodeURIComponent(namespace)}`
  return `${start}/${encodeURIComponent(version)}${scope}/${encodeURIComponent(resource)}`
}

/** What objects of it have as `apiVersion`. */
export function apiVersionOf ({ group, version }: ResourceType): string {
  return group === '' ? version : `${group}/${version}`
}
