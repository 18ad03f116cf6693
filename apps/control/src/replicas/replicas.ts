// Puts together what directors do that share a store: the store, and the parts that speak with it. Who hears what, and in which order,
// is decided here and nowhere else.
import type { Cancel, Clock } from '#core/clock.js'
import { seconds } from '#core/durations.js'
import { err, ok, type Result } from '#core/result.js'
import type { Token } from '#wire/token.js'
import type { ReplicaEvent } from '../proxies/heard.js'
import type { LoadElsewhere } from '../proxies/target-load.js'
import type { SessionCounts } from '../proxies/session-counts.js'
import type { ReplicaInfo, ReplicaMessage, StoreCall, StoreEvents, StoreFailure, StoreStatus } from '../store/shared-store.js'
import type { TokenKeys } from '../tokens/token-keys.js'
import type { TokenRegistry } from '../tokens/token-registry.js'
import type { TokenSink } from '../tokens/token-sink.js'
import { createCountsPart } from './counts/counts-part.js'
import type { ReplicaContext, ReplicaPart } from './parts/replica-part.js'
import { createPresencePart, type PresencePart } from './presence.js'
import { isSameReplica } from './replica-name.js'
import type { SessionContext } from './sessions/session-context.js'
import { createSessionsPart } from './sessions/sessions-part.js'
import type { SharedSessions } from './sessions/shared-sessions.js'
import type { HeldStore } from './store-holder.js'
import { MissedRedemptions } from './tokens/missed-redemptions.js'
import { Redemptions } from './tokens/redemptions.js'
import { SharedKeys } from './tokens/shared-keys.js'
import { SharedTokens } from './tokens/shared-tokens.js'
import { TokenAsks } from './tokens/token-asks.js'

/** How the store is doing, in numbers. */
export interface StoreMetrics {
  /** One call is over. */
  readonly storeCalled: (call: StoreCall, outcome: 'ok' | StoreFailure, seconds: number) => void
  readonly newerRecord: () => void
}

export interface ReplicasOptions extends Omit<ReplicaContext, 'store'>, Pick<SessionContext, 'judge' | 'staysOnGone'> {
  readonly held: HeldStore
  readonly metrics: ReplicaContext['metrics'] & StoreMetrics
  readonly registry: TokenRegistry
  readonly keys: TokenKeys
  readonly makeTokenKey: () => string
  /** The own proxy, as the place where tokens are redeemed. */
  readonly link: TokenSink
  /** Sessions of the own proxy. */
  readonly counts: SessionCounts
  /** Of this director, as others are told. */
  readonly version: string
}

/** The store, as probes and metrics see it. */
export interface StoreReading {
  readonly status: StoreStatus
  /** Why it is not up, or what it refuses although it is. */
  readonly reason: string | undefined
  /** Since when it is so, in ms. */
  readonly ageMs: number
  /** How many directors share it, this one too, as far as it has heard of them. */
  readonly directors: number
}

/** How long a start waits for the store to say that it is there, or that it cannot be used, in ms. */
export const START_WAITS_MS = 2000

/** How long a refusal of the store is told after it, in ms: something is written every two seconds (presence.ts). */
export const REFUSAL_MS = 10_000

/** How long after the proxy left out events its lists are read, in ms. */
export const MISSED_WAITS_MS = 1000

export class Replicas {
  /** Where tokens are brought to and made void, in place of the own proxy alone. */
  readonly sink: TokenSink
  /** Sessions of other replicas, as operators reach them. */
  readonly sessions: SharedSessions
  /** What targets have at the other replicas. */
  readonly load: LoadElsewhere
  readonly #options: ReplicasOptions
  readonly #parts: readonly ReplicaPart[]
  readonly #redemptions: Redemptions
  readonly #presence: PresencePart
  readonly #others: () => number
  #cancelMissed: Cancel | undefined
  #up: AbortController | undefined
  #sinceMs: number
  #settled: () => void = () => undefined

  constructor (options: ReplicasOptions) {
    const { held: { store, attach }, clock, config, link, registry, keys, makeTokenKey, replica, counts, version } = options
    const { limits } = config
    this.#options = options
    this.#sinceMs = clock.now()
    const context = { ...options, store }
    const redemptions = this.#redemptions = new Redemptions(clock, limits.maxTokens)
    const tokens = new SharedTokens({ ...context, registry, redemptions, link })
    this.sink = tokens
    const sessions = createSessionsPart({
      ...context,
      maxSessions: limits.maxSessions,
      timeoutMs: seconds(config.sessionTimeoutSeconds),
      deadlineMs: limits.storeDeadlineMs,
      isOwnName: name => isSameReplica(name, replica)
    })
    this.sessions = sessions.shared
    const load = createCountsPart({ clock, store, replica, sessions: () => counts.entries(), pending: () => registry.pendingByTarget() })
    this.load = load.elsewhere
    this.#others = load.others
    this.#presence = createPresencePart({ clock, store, replica, version, sessions: () => counts.total })
    // In this order they tell the store what they know.
    this.#parts = [
      new TokenAsks({ ...context, tokens, redemptions }),
      tokens,
      new MissedRedemptions({ ...context, tokens, redemptions }),
      new SharedKeys({ ...context, keys, makeTokenKey }),
      sessions,
      load,
      this.#presence
    ]
    attach(this.#storeEvents())
  }

  get replica (): string {
    return this.#options.replica
  }

  /** All directors that are there, this one too, as they last said. */
  async list (): Promise<readonly ReplicaInfo[]> {
    return await this.#presence.replicas()
  }

  reading (): StoreReading {
    const { held: { store: { status, reason, refusal } }, clock } = this.#options
    const isRefusing = status === 'up' && refusal !== undefined && clock.now() - refusal.atMs < REFUSAL_MS
    return { status, reason: isRefusing ? `The store refuses calls: ${refusal.fault}.` : reason, ageMs: clock.now() - this.#sinceMs, directors: 1 + this.#others() }
  }

  /**
   * Connects, and goes on by itself. Resolves when the store is there and all is told, when it cannot be reached, or after
   * `START_WAITS_MS`; fails with a sentence if it is there and unsuitable: whoever starts a director can still choose another one.
   */
  async start (): Promise<Result<undefined, string>> {
    const { held: { store }, clock } = this.#options
    const settled = new Promise<void>(resolve => { this.#settled = resolve })
    const late = waitFor(clock, START_WAITS_MS)
    store.start()
    await Promise.race([settled, late.over])
    late.cancel()
    return store.status === 'unsuitable' ? err(`sharedState: ${store.reason ?? 'the store cannot be used.'}`) : ok(undefined)
  }

  /** What the own proxy says. */
  hear (event: ReplicaEvent): void {
    if (event.type === 'skipped') {
      this.#missed()
      return
    }
    if (event.type === 'binding') {
      for (const part of this.#parts) part.onBinding?.(event.change, event.binding)
      return
    }
    const { token } = event
    if (token === undefined) for (const part of this.#parts) part.onClientAsked?.(event)
    else for (const part of this.#parts) part.onTokenAsked?.({ ...event, token: token as Token })
  }

  /** The own proxy has been told all that control knows. */
  proxyUp (): void {
    for (const part of this.#parts) part.onProxyUp?.()
  }

  // As if it had been away: whatever was missed is found in its lists. A flood of events is missed line by line.
  #missed (): void {
    this.#cancelMissed ??= this.#options.clock.after(MISSED_WAITS_MS, () => {
      this.#cancelMissed = undefined
      this.proxyUp()
    })
  }

  async close (): Promise<void> {
    this.#up?.abort()
    this.#cancelMissed?.()
    for (const part of this.#parts) part.close?.()
    this.#redemptions.close()
    await this.#options.held.store.close()
  }

  #storeEvents (): StoreEvents {
    const { held: { store }, metrics, events } = this.#options
    return {
      onUp: isAgain => {
        events.publish('store', () => ({ change: 'up', isAgain }))
        this.#now()
        this.#up = new AbortController()
        void this.#tell(this.#up.signal, isAgain)
      },
      onDown: reason => {
        events.publish('store', () => ({ change: 'down', status: store.status === 'unsuitable' ? 'unsuitable' : 'down', reason }))
        this.#now()
        for (const part of this.#parts) part.onStoreDown?.()
        this.#settled()
      },
      onMessage: (message: ReplicaMessage) => { for (const part of this.#parts) part.onMessage?.(message) },
      onNewerRecord: () => { metrics.newerRecord() },
      onCall: (call, outcome, seconds) => { metrics.storeCalled(call, outcome, seconds) }
    }
  }

  // What was begun for the time before is over.
  #now (): void {
    this.#up?.abort()
    this.#up = undefined
    this.#sinceMs = this.#options.clock.now()
  }

  async #tell (signal: AbortSignal, isAgain: boolean): Promise<void> {
    for (const part of this.#parts) if (!signal.aborted) await part.onStoreUp?.({ isAgain, signal })
    if (!signal.aborted) this.#settled()
  }
}

function waitFor (clock: Clock, ms: number): { readonly over: Promise<void>, readonly cancel: () => void } {
  let cancel: () => void = () => undefined
  const over = new Promise<void>(resolve => { cancel = clock.after(ms, resolve) })
  return { over, cancel }
}
