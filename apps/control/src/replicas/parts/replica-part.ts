// What directors that share a store are made of, seen from the assembly: parts, which hear of the store and of the own proxy and act on
// it; and what each part is given. A part does not know the others; open-replicas.ts puts them together.
import type { BaseLogger } from 'pino'
import type { Clock } from '#core/clock.js'
import type { Config, SharedState } from '#config/schema.js'
import type { Answer, Asked, Binding, BindingChange, Elsewhere } from '#rpc/replica-schemas.js'
import type { Token } from '#wire/token.js'
import type { EventSink } from '../../events/event-sink.js'
import type { ReplicaMessage, SharedStore } from '../../store/shared-store.js'
import type { TargetPolicy } from '../../targets/target-policy.js'

/** The own proxy, as parts ask and tell it. Nothing here throws; what is not acknowledged ends the connection, and is told anew on the next. */
export interface ReplicaProxy {
  /** Whether it is there, and has been told all that control knows. */
  readonly isSynchronised: boolean
  /** Answers go together at the end of the turn; one that the proxy does not wait for any more does nothing. */
  readonly answer: (answer: Answer) => void
  /** What happened elsewhere to clients that have a session here. False if it was not acknowledged. */
  readonly tellElsewhere: (clients: readonly Elsewhere[]) => Promise<boolean>
  /** The session of this client that has redeemed a token; undefined if there is none, or the proxy does not say. */
  readonly find: (client: string) => Promise<Binding | undefined>
  /** Sessions that have redeemed a token and were active within `activeWithinMs` (all without it), in pages; undefined is the last page of a list that broke off. */
  readonly bindings: (activeWithinMs?: number) => AsyncIterable<readonly Binding[] | undefined>
}

/** What is counted here; metrics.ts has the names. */
export interface ReplicaMetrics {
  /** A token or binding that came from the store was not used, because this director may not send to its target. */
  readonly targetRefused: () => void
  /** A token of another replica was redeemed here. */
  readonly redeemedElsewhere: () => void
}

/** What every part is given. */
export interface ReplicaContext {
  readonly config: Config
  readonly sharedState: SharedState
  readonly clock: Clock
  /** Uniform in [0, 1). */
  readonly random: () => number
  readonly log: BaseLogger
  readonly events: EventSink
  readonly metrics: ReplicaMetrics
  /** The name of this replica, of this life. */
  readonly replica: string
  readonly store: SharedStore
  readonly proxy: ReplicaProxy
  /** Where this director may send: what comes from the store is held to it too. */
  readonly policy: TargetPolicy
}

/** The store is there, until `signal` is aborted. */
export interface StoreUp {
  /** What was written before may be lost. */
  readonly isAgain: boolean
  readonly signal: AbortSignal
}

export interface ReplicaPart {
  /**
   * What the part must tell the store whenever it is there, the first time or again. Parts are called one after another, in the
   * order of the assembly: claims, then grants, then bindings.
   */
  readonly onStoreUp?: (up: StoreUp) => Promise<void>
  readonly onStoreDown?: () => void
  readonly onMessage?: (message: ReplicaMessage) => void
  /** The own proxy has been told all that control knows: events may have been missed before. */
  readonly onProxyUp?: () => void
  /** A client waits for whether it can redeem a token. Exactly one part of the assembly has this. */
  readonly onTokenAsked?: (asked: Asked & { readonly token: Token }) => void
  /** A client without a token waits for whether it has a session elsewhere. Exactly one part has this. */
  readonly onClientAsked?: (asked: Asked) => void
  /** A session of the own proxy that has redeemed a token began, changed its target or ended. */
  readonly onBinding?: (change: BindingChange, binding: Binding) => void
  readonly close?: () => void
}
