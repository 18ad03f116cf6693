// What presenting a token means, with all that is known of it here: the table, the mark, and the store's word.
import { DropReason } from '../ledger/drop-reason.js'
import { Mark } from '../asks/token-marks.js'
import type { HeldTarget } from '../tables/target-table.js'
import { TokenState } from '../tables/token-table.js'
import type { CoreState } from './core-state.js'

/** It is redeemed. */
export const LIVE = 0
/** It may be live, and the store has to be asked. */
export const ASK = -1

/** LIVE, ASK, or why it is refused. With `storeLate` nobody knows: the datagram is dropped, whatever row it would be in. */
export type Meaning = typeof LIVE | typeof ASK | DropReason

/** What a token can be redeemed for, by the word of the store. */
export interface Redeemable {
  readonly target: HeldTarget
  readonly expiresAt: number
}

/** What the store said of the token of a held datagram. */
export interface StoreWord {
  readonly redeemable: Redeemable | undefined
  /** Why the store refuses it; 0 if it does not. */
  readonly refused: DropReason | 0
}

/** Who presents which token where. */
export interface Presented {
  readonly token: Uint32Array
  /** Address words and port. */
  readonly client: Uint32Array
  readonly dataPort: number
  readonly now: number
}

/** What a token that cannot be redeemed is refused for, by its state. */
const refusals = {
  [TokenState.consumed]: DropReason.tokenConsumed,
  [TokenState.expired]: DropReason.tokenExpired,
  [TokenState.targetGone]: DropReason.targetGone,
  [TokenState.notTheirs]: DropReason.tokenClient,
  [TokenState.unknown]: DropReason.tokenUnknown
} as const

/**
 * What presenting the token means that is in `slot` of the table, or in none (-1).
 * @param word what the store said, if this datagram was held for it
 */
export function meaningOf ({ tokens, marks, asking }: CoreState, slot: number, { token, client, dataPort, now }: Presented, word: StoreWord | undefined): Meaning {
  const found = tokens.stateOf(slot, dataPort, client, now)
  if (word?.redeemable !== undefined) return found === TokenState.targetGone ? DropReason.targetGone : LIVE
  if (word !== undefined && word.refused !== 0) return word.refused
  if (found === TokenState.live) return asking.isHeard ? ASK : LIVE
  if (found !== TokenState.unknown) return refusals[found]
  const mark = marks.of(token)
  if (mark === Mark.forged) return DropReason.tokenForged
  if (!asking.isShared) return DropReason.tokenUnknown
  return mark === Mark.ours && asking.isHeard ? ASK : DropReason.storeLate
}
