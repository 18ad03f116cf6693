// From a selection to the targets that match it. Pure: everything it knows is in the inventory's memory.
import type { Selection } from '#config/schema.js'
import type { Result } from '#core/result.js'
import type { Target } from '#rpc/contract.js'
import type { KubeObject } from '../inventory/inventory.js'

/** An object that matches, and where it can be reached. */
export interface Candidate {
  readonly object: KubeObject
  readonly target: Target
}

export type SelectFailure =
  | { readonly code: 'UNKNOWN_RESOURCE_TYPE', readonly detail: string }
  | { readonly code: 'NAMESPACE_NOT_ALLOWED', readonly detail: string }
  | { readonly code: 'INVALID_JSON_PATH', readonly detail: string, readonly position: number }
  | { readonly code: 'INVENTORY_NOT_READY', readonly detail: string }
  | { readonly code: 'NO_MATCHING_RESOURCE', readonly detail: string }

export interface ObjectName {
  readonly resourceType: string
  readonly namespace: string
  readonly name: string
}

export interface Selector {
  /** Every usable match, in the inventory's order: label selector, status query, annotation selector. Never empty when ok. */
  readonly select: (selection: Selection) => Result<readonly Candidate[], SelectFailure>
  /** The one object of that name, if it is usable; what `POST /tokens` and an operator's move ask for. */
  readonly resolve: (name: ObjectName) => Result<Candidate, SelectFailure>
}
