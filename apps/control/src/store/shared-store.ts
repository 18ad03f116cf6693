// The store that several directors share, as the rest of control sees it: what can be asked of it, whichever it is. Every call is
// bounded in time and says so when the store did not answer; nothing here throws. What a store says was written by somebody
// else: whoever reads it checks it against the schema and the target policy.
import type { BaseLogger } from 'pino'
import type { SharedState } from '#config/schema.js'
import type { Clock } from '#core/clock.js'
import type { Result } from '#core/result.js'
import type { Target } from '#rpc/contract.js'
import type { Token } from '#wire/token.js'

/** `down`: it is not connected, known at once. `late`: it did not answer within the deadline, and may have done it all the same. `refused`: it answered with an error. */
export type StoreFailure = 'down' | 'late' | 'refused'

export type StoreResult<Value> = Result<Value, StoreFailure>

/** A token as its minter wrote it. */
export interface SharedToken {
  readonly target: Target
  /** The replica that made it. */
  readonly minter: string
  /** The client prefix that alone may redeem it, as text without spaces; see libs/wire/src/client-prefix.ts. */
  readonly clientPrefix?: string
}

/** Who asks to redeem a token, and where. */
export interface Claim {
  readonly token: Token
  /** The data port's name. */
  readonly dataPort: string
  /** `ip:port` or `[ip]:port`. */
  readonly client: string
  readonly clientPrefix: string
}

export type ClaimOutcome =
  /** The client has it, now or since an earlier try. `consumed`: every data port that it was redeemed on, this one too. */
  | { readonly verdict: 'live', readonly token: SharedToken, readonly ttlMs: number, readonly consumed: readonly string[] }
  | { readonly verdict: 'unknown' | 'consumed' | 'void' | 'not_theirs' }

/** Where a client's datagrams go, as the replica wrote it that bound it last. */
export interface SharedBinding {
  readonly target: Target
  readonly token?: Token
  /** What is left of the token's life, in ms. */
  readonly tokenTtlMs?: number
  readonly consumed?: readonly string[]
  /** Goes up with every change of the client's target, also over a store that has lost what it had: it is at least the store's time, in ms. */
  readonly sequence: number
  /** The replicas that have a session of this client, the newest first; 8 at most. */
  readonly replicas: readonly string[]
}

/** Where a binding stands after a write: its sequence, and the other replicas that have a session of the client, the newest first. */
export type Place = Pick<SharedBinding, 'sequence' | 'replicas'>

export interface BindingWrite {
  readonly client: string
  readonly binding: Omit<SharedBinding, 'sequence' | 'replicas'>
  /** How long the store keeps it, in ms. */
  readonly ttlMs: number
}

export interface BindingKeep extends BindingWrite {
  /** What `bind`, `join` or `keep` answered last; 0 if it is not known. A stored one that is newer stays. */
  readonly sequence: number
}

/** Keys by which tokens are known as ours (libs/wire/src/token-mac.ts), as 32 hexadecimal digits each. */
export interface SharedKeys {
  readonly current: string
  readonly former?: string
  /** When `current` came, in ms since the Unix epoch, by the store's clock. */
  readonly sinceMs: number
  /** The store's clock at this moment. */
  readonly nowMs: number
}

export interface ReplicaInfo {
  readonly replica: string
  readonly version: string
  readonly sessions: number
  readonly sinceMs: number
}

/** What replicas tell each other. Losing one costs accuracy for a while, and nothing else. */
export type ReplicaMessage =
  /** To the minter: it has been redeemed. */
  | { readonly type: 'redeemed', readonly token: Token, readonly dataPort: string, readonly client: string }
  /** To those that have a session of the client: see `ElsewhereSchema`. */
  | { readonly type: 'elsewhere', readonly client: string, readonly change: 'moved' | 'ended' | 'seen', readonly target?: Target, readonly sequence?: number }
  /** To all: these tokens are void. */
  | { readonly type: 'void', readonly tokens: readonly Token[], readonly cause: 'revoked' | 'withdrawn' }
  /** To all: sessions by target key, and tokens that nobody has redeemed yet (`pending`); absolute, of those that changed; all of them where `isAll`. */
  | { readonly type: 'counts', readonly replica: string, readonly sessions: Readonly<Record<string, number>>, readonly pending?: Readonly<Record<string, number>>, readonly isAll: boolean }

export type StoreStatus = 'connecting' | 'up' | 'down' | 'unsuitable'

/** The server answered a call with an error. */
export interface StoreRefusal {
  /** What it said, as a clause. */
  readonly fault: string
  /** When, on the clock's monotonic scale. */
  readonly atMs: number
}

export interface SharedStore {
  readonly status: StoreStatus
  /** Why it is not up, for people: a clause, or a sentence that says what to do where it is unsuitable. */
  readonly reason: string | undefined
  /** The last one since it came up: its memory is full, for one. */
  readonly refusal: StoreRefusal | undefined
  /** Connects, and goes on connecting until `close`. */
  readonly start: () => void

  /**
   * Writes a token, for `ttlMs`, unless it is there. With `claims` (client by data port; empty is all right) it is written again: what
   * this director knows of its redemptions is written first, and what the store knows of them stays.
   */
  readonly mint: (token: Token, shared: SharedToken, ttlMs: number, claims?: ReadonlyMap<string, string>) => Promise<StoreResult<undefined>>
  /** Redeems a token for a client on a data port, at most once for each data port; the same client again is told the same. */
  readonly claim: (claim: Claim) => Promise<StoreResult<ClaimOutcome>>
  /** Makes tokens void for the rest of their life, or for `ttlMs` if the store does not know them. Answers those that it knew, and that were not void before. */
  readonly makeVoid: (tokens: readonly Token[], ttlMs: number) => Promise<StoreResult<readonly Token[]>>

  readonly find: (client: string) => Promise<StoreResult<SharedBinding | undefined>>
  /** A client has a new target: the newest binding. */
  readonly bind: (write: BindingWrite, replica: string) => Promise<StoreResult<Place>>
  /** A client goes on here with the target it had elsewhere: adds the replica, and keeps it for `ttlMs` at least. Undefined if there is no binding. */
  readonly join: (client: string, replica: string, ttlMs: number) => Promise<StoreResult<Place | undefined>>
  /** These sessions are still there: written again, for longer. Answers the newer bindings that others wrote meanwhile, by client. */
  readonly keep: (keeps: readonly BindingKeep[], replica: string) => Promise<StoreResult<ReadonlyMap<string, SharedBinding>>>
  /** The session of a client at this replica is over. With `everywhere` the binding goes, whoever has one. Answers the other replicas that have one, or had. */
  readonly drop: (client: string, replica: string, everywhere: boolean) => Promise<StoreResult<readonly string[]>>

  /** The keys; makes them if there are none. `propose` (32 hexadecimal digits) is taken in if the current one is `maxAgeMs` old or there is none. */
  readonly keys: (propose: string, maxAgeMs: number) => Promise<StoreResult<SharedKeys>>
  readonly announce: (info: ReplicaInfo, ttlMs: number) => Promise<StoreResult<undefined>>
  readonly replicas: () => Promise<StoreResult<readonly ReplicaInfo[]>>
  /** To one replica; undefined: to all of them but this one. */
  readonly send: (to: string | undefined, message: ReplicaMessage) => void
  readonly close: () => Promise<void>
}

export interface StoreEvents {
  /** It is up, the first time or again. `isAgain`: what was written before may be lost. Called after `status` has changed, as `onDown` is. */
  readonly onUp: (isAgain: boolean) => void
  /** It is down or unsuitable, as `status` says; also the first time that it could not be reached. Not again for the next reason. */
  readonly onDown: (reason: string) => void
  readonly onMessage: (message: ReplicaMessage) => void
  /** A record of a version that this director does not know was passed over. */
  readonly onNewerRecord: () => void
  /** One call is over. */
  readonly onCall: (call: StoreCall, outcome: 'ok' | StoreFailure, seconds: number) => void
}

export interface StoreOptions {
  readonly sharedState: SharedState
  /** The name of this replica, of this life. */
  readonly replica: string
  /** How long each call may take, in ms. */
  readonly deadlineMs: number
  readonly clock: Clock
  /** Uniform in [0, 1). */
  readonly random: () => number
  readonly log: BaseLogger
  readonly events: StoreEvents
}

/** Makes a store that is not connected yet; `start` does that. Fails with a sentence if what the configuration names (a file of a password, of certificates) cannot be read. */
export type OpenStore = (options: StoreOptions) => Promise<Result<SharedStore, string>>

/** The calls that are counted and timed. */
export const storeCalls = ['mint', 'claim', 'void', 'find', 'bind', 'join', 'keep', 'drop', 'keys', 'announce', 'replicas', 'send'] as const
export type StoreCall = typeof storeCalls[number]

/** What they end with. */
export const storeOutcomes = ['ok', 'down', 'late', 'refused'] as const
