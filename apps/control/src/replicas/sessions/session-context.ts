// What the rooms of shared sessions are given.
import type { Target } from '#rpc/contract.js'
import type { ReplicaContext } from '../parts/replica-part.js'

/** What this director's own inventory, and its policy, say of a target that somebody else chose. */
export type TargetVerdict =
  /** It may be used, and nothing is known against it. */
  | 'there'
  /** It may be used, but its object is gone or is somewhere else now. */
  | 'gone'
  /** This director may not send there. */
  | 'refused'

export interface SessionContext extends Pick<ReplicaContext, 'clock' | 'random' | 'store' | 'proxy' | 'metrics' | 'replica'> {
  readonly maxSessions: number
  /** How long a session may be idle, in ms. */
  readonly timeoutMs: number
  /** How long the client's datagram waits for an answer, in ms. */
  readonly deadlineMs: number
  /** Judges a target before a session goes there; from now on changes of its object are noticed. */
  readonly judge: (target: Target) => TargetVerdict
  /** What becomes of a client without a session here whose target is gone: whether it goes on there all the same. */
  readonly staysOnGone: () => boolean
  /** Whether this name is one that this replica has, or had in an earlier life. */
  readonly isOwnName: (replica: string) => boolean
}
