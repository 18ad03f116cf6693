// From an object to a candidate: whether datagrams can go there, and where that is.
import type { ResourceMapping } from '#config/schema.js'
import { err, ok, type Result } from '#core/result.js'
import type { Target } from '#rpc/contract.js'
import type { Inventory, KubeObject } from '../inventory/objects/inventory.js'
import { isService, isServiceBased, SERVICES_TYPE } from '../inventory/objects/resource-types.js'
import { compileReach, type Reach, type ReachFailure } from './reach.js'
import { targetKey } from './target-key.js'
import type { TargetPolicy } from './target-policy.js'

/** What queries need. */
export interface NameLookup {
  /** The addresses of a name now; undefined if it is not resolved. */
  readonly addressesOf: (name: string) => readonly string[] | undefined
  /** Another number after every change of an answer. */
  readonly version: number
  /** Whether a name leads to one address, and has led to no other for so long that nobody can be meant elsewhere. */
  readonly isSettled: (name: string) => boolean
}

/** An object that matches, and where it can be reached. */
export interface Candidate {
  readonly object: KubeObject
  readonly target: Target
  /** The name that was resolved to the target's address, if it was one. */
  readonly hostName?: string
}

interface Host {
  readonly address: string
  readonly hostName?: string
}

type HostFailure = 'name_not_resolved' | 'not_allowed'

/** Why an object is not a candidate. The texts continue "…, none is usable: 2". */
export const unusable = {
  deleting: 'being deleted',
  no_service: 'without a Service',
  no_address: 'without a usable address',
  name_not_resolved: 'with a host name that is not resolved',
  no_port: 'without a usable port',
  port_not_on_node: 'with a port that its node does not have',
  not_allowed: 'outside of the allowed targets'
} as const satisfies Record<ReachFailure | HostFailure | 'deleting' | 'no_service', string>

export type Unusable = keyof typeof unusable

export type CandidateOf = (object: KubeObject) => Result<Candidate, Unusable>

export interface CandidateDeps {
  readonly resourceType: string
  readonly mapping: ResourceMapping
  /** Names of the data ports. */
  readonly dataPorts: readonly string[]
  readonly inventory: Pick<Inventory, 'find'>
  readonly policy: TargetPolicy
  readonly names: NameLookup
}

/** Compiles what `mapping` says of objects of this type. Throws as `compileReach` does. */
export function compileCandidate (deps: CandidateDeps): CandidateOf {
  const { resourceType, mapping, dataPorts, policy, names } = deps
  const reachOf = compileReach(mapping, dataPorts)
  const label = isServiceBased(mapping) && !isService(mapping) ? mapping.serviceSelectorLabel : undefined
  const targetOf = (object: KubeObject, place: KubeObject): Result<Candidate, Unusable> => {
    const reach = reachOf(place)
    if (!reach.ok) return reach
    const allowed = allowedAddress(reach.value, policy, names)
    if (!allowed.ok) return allowed
    const { namespace, name } = object.metadata
    const key = targetKey({ resourceType, namespace, name })
    const { address, hostName } = allowed.value
    const target = { key, address, ports: reach.value.ports }
    return ok(hostName === undefined ? { object, target } : { object, target, hostName })
  }
  if (label === undefined) return remembered(names, object => isDeleting(object) ? err('deleting') : targetOf(object, object))
  return object => {
    if (isDeleting(object)) return err('deleting')
    const services = deps.inventory.find(SERVICES_TYPE, object.metadata.namespace, { [label]: object.metadata.name })
    return firstUsable(services, service => targetOf(object, service))
  }
}

function isDeleting ({ metadata }: KubeObject): boolean {
  return metadata.deletionTimestamp !== undefined
}

// The first address that the policy allows, so that one bad address does not cost an object its other one. The policy also
// judges what a name resolves to, so no answer of a DNS server leads to our own host.
function allowedAddress ({ addresses, names, ports }: Reach, policy: TargetPolicy, lookup: NameLookup): Result<Host, HostFailure> {
  const known: readonly Host[] = addresses.length > 0
    ? addresses.map(address => ({ address }))
    : names.flatMap(hostName => lookup.addressesOf(hostName)?.map(address => ({ address, hostName })) ?? [])
  if (known.length === 0) return err('name_not_resolved')
  const host = known.find(({ address }) => policy.check({ address, ports }) === undefined)
  return host === undefined ? err('not_allowed') : ok(host)
}

function firstUsable (services: Iterable<KubeObject>, candidateFrom: CandidateOf): Result<Candidate, Unusable> {
  let failure: Result<Candidate, Unusable> = err('no_service')
  for (const service of services) {
    if (isDeleting(service)) continue
    const candidate = candidateFrom(service)
    if (candidate.ok) return candidate
    failure = candidate
  }
  return failure
}

// A changed object is another object. So what depends only on the object, and on names whose answers seldom change, is worked
// out once.
function remembered (names: NameLookup, candidateOf: CandidateOf): CandidateOf {
  let known = new WeakMap<KubeObject, Result<Candidate, Unusable>>()
  let version = names.version
  return object => {
    if (version !== names.version) {
      known = new WeakMap()
      version = names.version
    }
    const before = known.get(object)
    if (before !== undefined) return before
    const candidate = candidateOf(object)
    known.set(object, candidate)
    return candidate
  }
}
