// Whose address a mapping takes. A port belongs to the pod or to its node, and the other one does not have it.
import { compilePath } from '#jsonpath/compile-path.js'
import type { CompiledPath, Filter } from '#jsonpath/path.js'

/** `unknown` where neither the type nor the path says it, as for an annotation or a Service's clusterIP. */
export type AddressKind = 'pod' | 'node' | 'unknown'

// NodeAddressType of the Kubernetes API, and what Agones adds (status.addresses of a GameServer).
const kindByType: ReadonlyMap<unknown, AddressKind> = new Map([
  ['PodIP', 'pod'],
  ['InternalIP', 'node'],
  ['ExternalIP', 'node'],
  ['InternalDNS', 'node'],
  ['ExternalDNS', 'node'],
  ['Hostname', 'node']
])

// Fields of `status`: those of Pods, and `address` of a GameServer.
const kindByField: ReadonlyMap<unknown, AddressKind> = new Map([
  ['podIP', 'pod'],
  ['podIPs', 'pod'],
  ['hostIP', 'node'],
  ['hostIPs', 'node'],
  ['address', 'node']
])

/** The kind of the addresses at `path`, of which `type` are taken; a filter on `type` in the path says it as well. */
export function addressKind (path: string, type: string | undefined): AddressKind {
  if (type !== undefined) return kindByType.get(type) ?? 'unknown'
  const compiled = compilePath(path)
  return compiled.ok ? kindOfPath(compiled.value) : 'unknown'
}

function kindOfPath ({ segments }: CompiledPath): AddressKind {
  const [top, field] = segments
  const known = nameOf(top) === 'status' ? kindByField.get(nameOf(field)) : undefined
  if (known !== undefined) return known
  const filter = segments.find((segment): segment is Filter => segment.kind === 'filter')
  const asksType = filter?.comparison?.operator === '==' && filter.steps.length === 1 && nameOf(filter.steps[0]) === 'type'
  return asksType ? kindByType.get(filter.comparison.literal) ?? 'unknown' : 'unknown'
}

function nameOf (segment: CompiledPath['segments'][number] | undefined): string | undefined {
  return segment?.kind === 'name' ? segment.name : undefined
}
