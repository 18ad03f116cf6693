// One proxy, as the rest of control knows it: what it can be told, what it said last, and the sessions it counts. Several proxies will be
// several of these.
import type { BaseLogger } from 'pino'
import type { Clock } from '#core/clock.js'
import type { Result } from '#core/result.js'
import type { RpcClient } from '#rpc/client.js'
import { isAble, type DrainReply, type GoneTarget, type Hello, type StateStatus, type Target, type TokenGrant, type TokenRejection } from '#rpc/contract.js'
import type { RpcFailure } from '#rpc/failure.js'
import type { Token } from '#wire/token.js'
import type { EventRelay } from '../events/event-sink.js'
import type { TokenRegistry } from '../tokens/token-registry.js'
import type { PushResult, TokenSink } from '../tokens/token-sink.js'
import { DefaultTargets } from './default-targets.js'
import { DemandedEvents } from './demanded-events.js'
import { Heard, HEARD, HEARD_OF_REPLICAS, type ReplicaEvent } from './heard.js'
import { Link, type LinkState } from './link.js'
import { ProxyCalls } from './proxy-calls.js'
import { PushQueue, type VoidTokens } from './push-queue.js'
import { ReplicaCalls } from './replicas/replica-calls.js'
import type { SessionCounts } from './session-counts.js'
import { putSnapshot } from './snapshot.js'

export interface ProxyStatus {
  readonly state: LinkState
  /** Why it is not synchronised. */
  readonly reason?: string
  /** What the proxy said of itself, last time it was there. */
  readonly proxy?: Hello
  /** Whether a restart of the proxy would find what it knows. */
  readonly stateStatus: StateStatus
}

export interface ProxyPeerOptions {
  readonly client: RpcClient
  readonly clock: Clock
  /** Uniform in [0, 1). */
  readonly random: () => number
  readonly log: BaseLogger
  readonly registry: TokenRegistry
  readonly events: EventRelay
  readonly limits: { readonly maxPushQueue: number, readonly pushDeadlineMs: number }
  /** Keys by whose mark tokens are ours, the newest first; see `replicas.keysChanged`. Without it the proxy is told none. */
  readonly tokenKeys?: () => readonly string[]
  /** Where directors share a store: hears what the proxy asks. Without it the proxy is not made to ask. */
  readonly onReplicaEvent?: (event: ReplicaEvent) => void
  readonly onSynchronised?: () => void
  readonly onBatch?: (size: number) => void
  /** After the counts are known: target keys that the proxy has counted sessions of. */
  readonly onCounts?: (keys: readonly string[]) => void
}

export class ProxyPeer implements TokenSink {
  readonly #options: ProxyPeerOptions
  readonly #link: Link
  readonly #calls: ProxyCalls
  readonly #queue: PushQueue
  readonly #defaults: DefaultTargets
  readonly #heard: Heard
  readonly #demanded: DemandedEvents
  /** What it is asked and told for the directors that it shares a store with. */
  readonly replicas: ReplicaCalls
  #drainUntilMs: number | undefined
  /** What the latest snapshot held. */
  #voidTokens: VoidTokens = { revoked: [], withdrawn: [] }

  constructor (options: ProxyPeerOptions) {
    const { client, clock, random, log, registry, events, limits, tokenKeys = () => [], onReplicaEvent, onBatch = () => undefined, onCounts = () => undefined } = options
    this.#options = options
    const link: Link = this.#link = new Link({
      client,
      clock,
      random,
      log,
      events,
      tellAll: async () => await this.#tellAll(),
      heard: proxy => onReplicaEvent !== undefined && isAble(proxy, 'asks') ? HEARD_OF_REPLICAS : HEARD,
      hear: event => { heard.hear(event) },
      onUp: proxy => { this.#up(proxy) },
      onDown: () => { this.#down() }
    })
    const calls = this.#calls = new ProxyCalls({ client, log, link, pushDeadlineMs: limits.pushDeadlineMs })
    this.replicas = new ReplicaCalls({ client, link, tokenKeys })
    this.#queue = new PushQueue({ clock, maxWaiting: limits.maxPushQueue, deadlineMs: limits.pushDeadlineMs, send: calls.pushTokens, onBatch })
    this.#defaults = new DefaultTargets(calls.putDefaultTargets)
    const heard = this.#heard = new Heard({ registry, events, onCounts, onReplicaEvent: event => { onReplicaEvent?.(event) }, onHello: instanceId => { link.greeted(instanceId) } })
    this.#demanded = new DemandedEvents({ client, clock, events })
  }

  /** Its sessions. */
  get counts (): SessionCounts {
    return this.#heard.counts
  }

  /** Token pushes that wait for the one in flight. */
  get waitingPushes (): number {
    return this.#queue.waiting
  }

  /** Connects, and keeps connecting until `close`. */
  start (): void {
    this.#link.start()
  }

  status (): ProxyStatus {
    const { state, reason, proxy } = this.#link
    return { state, ...state === 'synchronised' ? {} : { reason }, ...proxy === undefined ? {} : { proxy }, stateStatus: this.#heard.stateStatus }
  }

  get isSynchronised (): boolean {
    return this.#link.state === 'synchronised'
  }

  /** What the proxy has bound, with the real port numbers; empty before it was ever there. */
  get dataPorts (): Hello['dataPorts'] {
    return this.#link.proxy?.dataPorts ?? []
  }

  /** Brings a token to the proxy; see PushQueue.push. */
  push (grant: TokenGrant): Promise<PushResult> {
    return this.#queue.push(grant)
  }

  /** Makes tokens void at the proxy, now or as soon as it is there; ok once it has acknowledged that. */
  revoke (tokens: readonly Token[], ttlMs: number): Promise<PushResult> {
    return this.#queue.revoke(tokens, ttlMs)
  }

  /** Makes tokens void at the proxy because their target is gone, now or as soon as it is there. */
  withdraw (tokens: readonly Token[], ttlMs: number): void {
    this.#queue.withdraw(tokens, ttlMs)
  }

  isRevoking (token: Token): boolean {
    return this.#queue.isRevoking(token)
  }

  /** Tells the proxy of targets that are gone; how many sessions each key has afterwards. Undefined if it was not acknowledged. */
  async leaveTargets (gone: GoneTarget[]): Promise<Readonly<Record<string, number>> | undefined> {
    return this.isSynchronised ? await this.#calls.leaveTargets(gone) : undefined
  }

  /** Replaces the candidates of the default endpoint, best first; the latest call wins. */
  setDefaultTargets (targets: readonly Target[]): void {
    this.#defaults.set(targets)
  }

  /** Resolves when the proxy knows the default endpoint's candidates, or cannot be told. */
  async defaultTargetsTold (): Promise<void> {
    await this.#defaults.idle()
  }

  /**
   * Tells the proxy that this director drains, now and after every restart of it, and asks what is left. Undefined if it
   * did not answer.
   */
  async drain (untilMs: number): Promise<DrainReply | undefined> {
    this.#drainUntilMs = untilMs
    if (!this.isSynchronised) return undefined
    const reply = await this.#calls.drain(this.#drainRemainingMs() ?? 0)
    const { proxy } = this.#link
    if (reply !== undefined && proxy !== undefined) this.#link.described({ ...proxy, draining: true })
    return reply
  }

  async close (): Promise<void> {
    await this.#link.close()
    this.#demanded.close()
  }

  #drainRemainingMs (): number | undefined {
    if (this.#drainUntilMs === undefined) return undefined
    return Math.max(0, Math.ceil(this.#drainUntilMs - this.#options.clock.now()))
  }

  async #tellAll (): Promise<Result<string, RpcFailure>> {
    const { client, registry } = this.#options
    const voidTokens = this.#voidTokens = this.#queue.voidTokens()
    const taken = await putSnapshot(client, {
      epoch: this.#link.epoch,
      grants: registry.grants(),
      voidTokens,
      tokenKeys: this.replicas.takeKeys(),
      defaultTargets: this.#defaults.take(),
      drainRemainingMs: this.#drainRemainingMs()
    }, {
      onRejected: rejected => { this.#forget(rejected) },
      onRefused: failure => { this.#calls.warnOfRefusal(failure) }
    })
    if (!taken.ok) return taken
    // The snapshot may have ended a drain that a former control process told of.
    const hello = this.#link.proxy?.draining === true ? await client.call('hello', {}) : undefined
    if (hello?.ok === true) this.#link.described(hello.value)
    return taken
  }

  #forget (rejected: readonly TokenRejection[]): void {
    if (rejected.length === 0) return
    for (const { token } of rejected) this.#options.registry.delete(token as Token)
    this.#options.log.warn({ tokens: rejected.length, code: rejected[0]?.code }, 'Proxy refused tokens of the snapshot')
  }

  #up ({ instanceId, engine }: Hello): void {
    const { registry, events, onSynchronised } = this.#options
    this.#queue.settleVoid(this.#voidTokens)
    events.publish('link', () => ({ change: 'up', instanceId, engine, tokens: registry.size }))
    this.#queue.open()
    this.#defaults.open()
    this.#demanded.open()
    this.replicas.open()
    onSynchronised?.()
  }

  #down (): void {
    this.#queue.shut()
    this.#defaults.shut()
    this.#demanded.shut()
    this.replicas.shut()
  }
}
