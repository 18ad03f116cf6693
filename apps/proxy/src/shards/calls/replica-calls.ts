// What a shard does when it is asked about other replicas: whose tokens are ours, what held clients wait for, what happened to
// clients elsewhere, and which sessions others would have to know.
import type { Answer, BindingsPage, BindingsQuery, Elsewhere } from '#rpc/replica-schemas.js'
import type { ClaimedGrant } from './token-claims.js'

/** An answer whose grant has its claim. */
export type ClaimedAnswer = Omit<Answer, 'grant'> & { readonly grant?: ClaimedGrant }

export interface ReplicaCalls {
  /** Tokens with the mark of one of these keys are ours: 32 hexadecimal digits each, the newest first. */
  setTokenKeys: (keys: readonly string[]) => void
  /** Whether control hears of tokens and strangers that should be asked about. If not, what was asked is settled at once. */
  openAsks: (isOpen: boolean) => void
  /** Answers to asks of this shard; those nobody waits for are passed over. */
  answerAsks: (answers: readonly ClaimedAnswer[]) => void
  /** What happened elsewhere to clients that may have sessions here. */
  tellElsewhere: (clients: readonly Elsewhere[]) => void
  listBindings: (query: BindingsQuery) => BindingsPage
}

/** Of a core that asks about nothing. */
export function createReplicaCalls (): ReplicaCalls {
  return {
    setTokenKeys: () => undefined,
    openAsks: () => undefined,
    answerAsks: () => undefined,
    tellElsewhere: () => undefined,
    listBindings: () => ({ bindings: [] })
  }
}
