// What an object says about the sessions under its key: whether its target is still there, and where.
import type { Target } from '#rpc/contract.js'
import type { KubeObject } from '../../inventory/objects/inventory.js'
import type { CandidateOf, NameLookup, Unusable } from '../candidate.js'

export type Standing =
  /** Nothing is there any more. */
  | { readonly kind: 'gone' }
  /** It is there, but does not say where: sessions stay where they are. */
  | { readonly kind: 'unsaid' }
  /** It is there; `isSettled` if it is nowhere else. */
  | { readonly kind: 'at', readonly target: Target, readonly isSettled: boolean }

// A server that restarts may be without its address for a moment. One whose Service is gone cannot be reached any more,
// and one whose address is not allowed is not where sessions may be.
const meanings: Readonly<Record<Unusable, 'gone' | 'unsaid'>> = {
  deleting: 'gone',
  no_service: 'gone',
  not_allowed: 'gone',
  no_address: 'unsaid',
  name_not_resolved: 'unsaid',
  no_port: 'unsaid',
  port_not_on_node: 'unsaid'
}

/** `candidateOf` is that of the object's type, undefined if the type is not configured. */
export function standingOf (object: KubeObject | undefined, candidateOf: CandidateOf | undefined, names: Pick<NameLookup, 'isSettled'>): Standing {
  if (object === undefined) return { kind: 'gone' }
  const candidate = candidateOf?.(object)
  if (candidate === undefined) return { kind: 'unsaid' }
  if (!candidate.ok) return { kind: meanings[candidate.error] }
  const { target, hostName } = candidate.value
  return { kind: 'at', target, isSettled: hostName === undefined || names.isSettled(hostName) }
}
