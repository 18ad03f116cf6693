// What the ledger of a shard keeps: sessions, tokens, redemptions, and by which rules it keeps them.
import type { Token } from '#wire/token.js'
import type { TargetSpec } from '../../apps/proxy/src/core/tables/target-table.js'
import type { Address } from '../cast/address-book.js'

export interface LedgerRules {
  readonly sessionTimeoutMs: number
  readonly onInvalidToken: 'default' | 'drop'
  readonly onTargetGone: 'keep' | 'close' | 'default'
  readonly refreshOn: 'client' | 'both'
  /** 0 means no limit. */
  readonly amplificationFactor: number
  /** Whether directors share a store: then it is asked before a token is redeemed. */
  readonly isShared: boolean
}

/** A session as the ledger has it. */
export interface Entry {
  readonly address: Address
  place: TargetSpec
  lastSeenMs: number
  /** When it was seen, oldest first: in the last round of writing that, and once before. */
  seenMs: number[]
  /** The token it was last bound with, and when that expires. */
  token: Token | undefined
  tokenUntilMs: number
  /** When its target was last set. */
  changedMs: number
  /** Whether it was made by a token, or redeemed one since. */
  hasRedeemed: boolean
  datagramsIn: number
  bytesIn: number
  bytesOut: number
  /** The upstream port it has at its target, by data port. */
  readonly ports: Map<number, number>
}

/** A session as a new life of the proxy has it when it starts. */
export type Restored = Pick<Entry, 'address' | 'place' | 'lastSeenMs' | 'token' | 'tokenUntilMs' | 'hasRedeemed' | 'datagramsIn' | 'bytesIn' | 'bytesOut' | 'ports'>

/** What the ledger is shown of the proxy's tables when a datagram has been judged. */
export interface Shown {
  /** The target that the session of an address has now. */
  readonly placeOf: (address: Address) => TargetSpec | undefined
  /** Whether the prefix of an address has all the sessions with a token that it may have. */
  readonly isPrefixFull: (address: Address) => boolean
  /** Whether it has all the targets that it may have. */
  readonly areTargetsFull: () => boolean
}

/** A token as the proxy was told of it. */
export interface KnownToken {
  readonly place: TargetSpec | undefined
  readonly untilMs: number
  isVoid: boolean
}

export interface Redemption {
  readonly token: Token
  readonly dataPort: number
  /** 0 if it was before this life. */
  readonly times: number
  readonly atMs: number
}

/** Redemptions of one life of the proxy, by token and data port; shared by its shards. */
export type Redemptions = Map<string, Redemption>

export function redemptionOf (token: string, dataPort: number): string {
  return `${token} ${dataPort}`
}

/** What control has answered about a client that waits, for the datagram that it was asked about. */
export interface Word {
  readonly verdict: 'live' | 'refused' | 'followed' | 'none' | 'late'
  /** Whether the token of the datagram was refused, now or by an earlier word. */
  readonly isRefused: boolean
  /** With `live`. */
  readonly grant?: KnownToken | undefined
  /** With `followed`. */
  readonly session?: { readonly place: TargetSpec, readonly token: Token | undefined, readonly tokenUntilMs: number } | undefined
}
