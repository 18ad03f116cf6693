// Why a query has no target.
import type { Failure } from '#core/failure.js'

/** Why a selection has no candidate. */
export type SelectFailure =
  | Failure<'UNKNOWN_RESOURCE_TYPE' | 'NAMESPACE_NOT_ALLOWED' | 'INVENTORY_NOT_READY' | 'NO_MATCHING_RESOURCE' | 'QUERY_TOO_COSTLY'>
  /** `position` is the index of the character that does not fit, from 0. */
  | Failure<'INVALID_JSON_PATH'> & { readonly position: number }

/** Why none of the candidates was chosen, or none was looked for. */
export type ChooseFailure = SelectFailure | Failure<'RATE_LIMITED' | 'CAPACITY_EXHAUSTED' | 'NO_CAPACITY'>
