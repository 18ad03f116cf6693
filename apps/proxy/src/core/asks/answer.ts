// What control answers, in the words of the core.
import type { Grant } from '../sessions/operations.js'
import type { TargetSpec } from '../tables/target-table.js'
import type { Token } from '#wire/token.js'

/** Why a token cannot be redeemed, as the store knows it. `void`: it was taken back, or its target is gone. */
export type AnswerReason = 'unknown' | 'expired' | 'consumed' | 'void' | 'not_theirs'

/** A session that a client has at another replica. */
export interface FollowedSession {
  /** Address words and port of the client that it is of, if that is said: of another client the answer counts for nothing. */
  readonly client?: Uint32Array | undefined
  readonly target: TargetSpec
  /** The token it was bound with, and what is left of its life in ms. */
  readonly token?: Token | undefined
  readonly tokenTtlMs?: number | undefined
}

export type AskAnswer =
  /** The token is redeemed by this client on this data port. Where claims are shared, a grant without a `claim` is not remembered. */
  | { readonly id: number, readonly verdict: 'live', readonly grant: Grant }
  | { readonly id: number, readonly verdict: 'refused', readonly reason: AnswerReason }
  | { readonly id: number, readonly verdict: 'followed', readonly session: FollowedSession }
  /** The client has no session elsewhere. */
  | { readonly id: number, readonly verdict: 'none' }
  /** The store did not say. */
  | { readonly id: number, readonly verdict: 'late' }
