// The one connection to the proxy and what is agreed over it: an epoch, a snapshot, then pushes one way and events the
// other. It decides when tokens may be handed out (synchronised) and when it must give way (superseded).
import type { BaseLogger } from 'pino'
import type { Clock } from '#core/clock.js'
import { PER_CALL, type DrainReply, type EventKind, type GoneTarget, type Hello, type RpcEvent, type StateStatus, type Target, type TokenGrant, type TokenRejection } from '#rpc/contract.js'
import { rpcErrors, type RpcFailure } from '#rpc/failure.js'
import type { RpcClient } from '#rpc/client.js'
import type { Result } from '#core/result.js'
import type { Token } from '#wire/token.js'
import type { TokenRegistry } from '../tokens/token-registry.js'
import type { PushResult, TokenSink } from '../tokens/token-sink.js'
import { backOffMs } from './back-off.js'
import { candidatesInParts, DefaultTargets } from './default-targets.js'
import { nextOf } from './next-of.js'
import { PushQueue, type VoidTokens } from './push-queue.js'
import type { TargetLoad } from './target-load.js'

export type LinkState = 'disconnected' | 'connecting' | 'synchronised' | 'superseded'

export interface LinkStatus {
  readonly state: LinkState
  /** Why it is not synchronised. */
  readonly reason?: string
  /** What the proxy said of itself, last time it was there. */
  readonly proxy?: Hello
  /** Whether a restart of the proxy would find what it knows. */
  readonly stateStatus: StateStatus
}

export interface LinkOptions {
  readonly client: RpcClient
  readonly clock: Clock
  /** Uniform in [0, 1). */
  readonly random: () => number
  readonly log: BaseLogger
  readonly registry: TokenRegistry
  readonly load: TargetLoad
  readonly limits: { readonly maxPushQueue: number, readonly pushDeadlineMs: number }
  readonly onSynchronised?: () => void
  readonly onBatch?: (size: number) => void
  /** After the load knows them: target keys that the proxy has counted sessions of. */
  readonly onCounts?: (keys: readonly string[]) => void
}

// What this process acts on. Others would cost the proxy the making of them.
const HEARD: readonly EventKind[] = ['counts', 'redeemed']

// A push that is late has failed its query already; the call itself gets as long again before the link counts as broken.
const PUSH_CALL_DEADLINES = 2

// How often a superseded process looks whether the other is still there: up to half less, so that two do not march in
// step. A living one that lost its connection is back before so many looks in a row.
const LOOK_MS = 2000
const LOOKS_ALONE = 3
// Two that take over in the same millisecond are told apart by it.
const EPOCH_SPREAD = 1000

export class Link implements TokenSink {
  readonly #options: LinkOptions
  readonly #queue: PushQueue
  readonly #defaults: DefaultTargets
  #epoch: number | undefined
  #state: LinkState = 'disconnected'
  #reason = 'Not connected yet.'
  #proxy: Hello | undefined
  #stateStatus: StateStatus = 'off'
  #failures = 0
  #takesOver = false
  #drainUntilMs: number | undefined
  #connection: AbortController | undefined
  #onStream: () => void = () => undefined
  #wake: (() => void) | undefined
  #isClosed = false
  #running: Promise<void> | undefined

  constructor (options: LinkOptions) {
    const { clock, limits } = options
    this.#options = options
    this.#queue = new PushQueue({
      clock,
      maxWaiting: limits.maxPushQueue,
      deadlineMs: limits.pushDeadlineMs,
      send: async (tokens, voidTokens) => await this.#sendBatch(tokens, voidTokens),
      onBatch: options.onBatch ?? (() => undefined)
    })
    this.#defaults = new DefaultTargets(async targets => await this.#sendDefaultTargets(targets))
  }

  /** Token pushes that wait for the one in flight. */
  get waitingPushes (): number {
    return this.#queue.waiting
  }

  /** Connects, and keeps connecting until `close`. */
  start (): void {
    this.#running ??= this.#run()
  }

  status (): LinkStatus {
    const proxy = this.#proxy === undefined ? {} : { proxy: this.#proxy }
    const link = this.#state === 'synchronised' ? { state: this.#state } : { state: this.#state, reason: this.#reason }
    return { ...link, ...proxy, stateStatus: this.#stateStatus }
  }

  get isSynchronised (): boolean {
    return this.#state === 'synchronised'
  }

  /** What the proxy has bound, with the real port numbers; empty before it was ever there. */
  get dataPorts (): Hello['dataPorts'] {
    return this.#proxy?.dataPorts ?? []
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
    if (!this.isSynchronised) return undefined
    const reply = await this.#options.client.call('leaveTargets', { body: { epoch: this.#epoch ?? 0, gone } })
    const failure = failureOf(reply, this.#proxy)
    if (failure === undefined && reply.ok) return reply.value.sessions
    this.#fail(failure ?? restarted)
    return undefined
  }

  /** Resolves when the proxy knows the default endpoint's candidates, or cannot be told. */
  async defaultTargetsTold (): Promise<void> {
    await this.#defaults.idle()
  }

  /** Replaces the candidates of the default endpoint, best first; the latest call wins. */
  setDefaultTargets (targets: readonly Target[]): void {
    this.#defaults.set(targets)
  }

  /**
   * Tells the proxy that this director drains, now and after every restart of it, and asks what is left. Undefined if it
   * did not answer.
   */
  async drain (untilMs: number): Promise<DrainReply | undefined> {
    this.#drainUntilMs = untilMs
    if (!this.isSynchronised) return undefined
    const reply = await this.#options.client.call('drain', { body: { epoch: this.#epoch ?? 0, remainingMs: this.#drainRemainingMs() ?? 0 } })
    const failure = failureOf(reply, this.#proxy)
    if (failure === undefined && reply.ok) {
      if (this.#proxy !== undefined) this.#proxy = { ...this.#proxy, draining: true }
      return reply.value
    }
    this.#fail(failure ?? restarted)
    return undefined
  }

  #drainRemainingMs (): number | undefined {
    if (this.#drainUntilMs === undefined) return undefined
    return Math.max(0, Math.ceil(this.#drainUntilMs - this.#options.clock.now()))
  }

  async close (): Promise<void> {
    this.#isClosed = true
    this.#queue.shut()
    this.#connection?.abort()
    this.#wake?.()
    await this.#running
    this.#state = 'disconnected'
    this.#reason = 'Closed.'
  }

  async #run (): Promise<void> {
    while (!this.#isClosed) {
      if (this.#state === 'superseded' && !await this.#untilAlone()) return
      this.#state = 'connecting'
      const connection = new AbortController()
      this.#connection = connection
      this.#fail(await this.#connect(connection.signal))
      this.#shut()
      if (this.#goesOn()) await this.#pause(backOffMs(++this.#failures, this.#options.random()))
    }
  }

  #goesOn (): boolean {
    return !this.#isClosed && this.#state !== 'superseded'
  }

  /** Looks, without superseding anybody, until no other control process is there. False if this one was closed first. */
  async #untilAlone (): Promise<boolean> {
    const { client, random, log } = this.#options
    for (let alone = 0; alone < LOOKS_ALONE;) {
      await this.#pause(LOOK_MS * (1 - random() / 2))
      if (this.#isClosed) return false
      const hello = await client.call('hello', {})
      const isAlone = hello.ok && !this.#isControlled(hello.value)
      // A proxy that has restarted is waited for anew: the other one connects to it.
      alone = isAlone && (alone === 0 || hello.value.instanceId === this.#proxy?.instanceId) ? alone + 1 : Number(isAlone)
      if (hello.ok) this.#proxy = hello.value
    }
    if (this.#isClosed) return false
    log.warn({ epoch: this.#epoch }, 'The newer control process is gone, taking over')
    this.#takesOver = true
    this.#failures = 0
    return true
  }

  // By whoever it is. An older proxy does not say: one that a newer control process has told something is left to it.
  #isControlled ({ controlled, epoch }: Hello): boolean {
    return controlled ?? epoch > (this.#epoch ?? 0)
  }

  // The events come first: a redemption between the snapshot and the stream would be missed.
  async #connect (signal: AbortSignal): Promise<RpcFailure> {
    const { client, clock, random } = this.#options
    const hello = await client.call('hello', {})
    if (!hello.ok) return hello.error
    this.#proxy = hello.value
    // Each connection has an epoch of its own: what an earlier one sent and this proxy has not read yet is refused then.
    const { epoch } = hello.value
    if (this.#epoch !== undefined && epoch > this.#epoch && (this.#isControlled(hello.value) || !this.#takesOver)) return { code: 'EPOCH_STALE', message: rpcErrors.EPOCH_STALE.meaning, epoch }
    if (this.#epoch === undefined) this.#epoch = Math.max(clock.wallNow(), epoch + 1)
    else if (this.#takesOver) this.#epoch = Math.max(clock.wallNow(), epoch + 1, this.#epoch + 1) + Math.floor(random() * EPOCH_SPREAD)
    else this.#epoch++
    this.#takesOver = false
    const opened = new Promise<undefined>(resolve => { this.#onStream = () => { resolve(undefined) } })
    const ended = this.#follow(signal)
    return await Promise.race([opened, ended]) ?? await this.#synchronise(hello.value, signal) ?? await ended
  }

  async #synchronise ({ instanceId, engine }: Hello, signal: AbortSignal): Promise<RpcFailure | undefined> {
    const { registry, log, onSynchronised } = this.#options
    const voidTokens = this.#queue.voidTokens()
    const failure = await this.#putSnapshot(registry.grants(), voidTokens)
    // Something else may have failed meanwhile, and ended this connection.
    if (failure !== undefined || this.#isClosed || signal.aborted) return failure
    this.#queue.settleVoid(voidTokens)
    this.#state = 'synchronised'
    this.#failures = 0
    log.info({ instanceId, engine, tokens: registry.size }, 'Proxy synchronised')
    this.#queue.open()
    this.#defaults.open()
    onSynchronised?.()
    return undefined
  }

  // The snapshot holds what fits one call; the rest follows at once, before the link counts as up. Grants are made when
  // their call is: one that ends meanwhile is not told, and there is no turn in which all of them are made.
  async #putSnapshot (grants: Iterator<TokenGrant, unknown>, { revoked, withdrawn }: VoidTokens): Promise<RpcFailure | undefined> {
    const { client } = this.#options
    const part = (from: number) => ({
      epoch: this.#epoch ?? 0,
      tokens: nextOf(grants, PER_CALL),
      revoked: revoked.slice(from, from + PER_CALL),
      withdrawn: withdrawn.slice(from, from + PER_CALL)
    })
    let [candidates, ...moreCandidates] = candidatesInParts(this.#defaults.take())
    const drainRemainingMs = this.#drainRemainingMs()
    const whole = drainRemainingMs === undefined ? part(0) : { ...part(0), drainRemainingMs }
    let first = await client.call('putSnapshot', { body: { ...whole, ...candidates } })
    if (!first.ok && isRefusal(first.error) && candidates.defaultTargets.length > 0) {
      // Better no default endpoint than no director.
      this.#warnOfRefusal(first.error)
      candidates = { defaultTargets: [] }
      moreCandidates = []
      first = await client.call('putSnapshot', { body: { ...whole, ...candidates } })
    }
    if (!first.ok) return first.error
    this.#dropRejected(first.value.rejected)
    for (const body of moreCandidates) {
      const more = await client.call('putDefaultTargets', { body: { epoch: whole.epoch, ...body } })
      if (!more.ok) return more.error
    }
    for (let from = PER_CALL; ; from += PER_CALL) {
      const body = part(from)
      if (body.tokens.length === 0 && from >= Math.max(revoked.length, withdrawn.length)) break
      const more = await client.call('pushTokens', { body })
      if (!more.ok) return more.error
      this.#dropRejected(more.value.rejected)
    }
    // The snapshot may have ended a drain that a former control process told of.
    const hello = this.#proxy?.draining === true ? await client.call('hello', {}) : undefined
    if (hello?.ok === true) this.#proxy = hello.value
    return first.value.instanceId === this.#proxy?.instanceId ? undefined : restarted
  }

  async #sendDefaultTargets (defaultTargets: Target[]): Promise<boolean> {
    const epoch = this.#epoch ?? 0
    for (const part of candidatesInParts(defaultTargets)) {
      const reply = await this.#options.client.call('putDefaultTargets', { body: { epoch, ...part } })
      if (reply.ok) continue
      if (isRefusal(reply.error)) this.#warnOfRefusal(reply.error)
      else this.#fail(reply.error)
      return false
    }
    return true
  }

  #warnOfRefusal ({ code, message }: RpcFailure): void {
    this.#options.log.error({ code, reason: message }, 'Proxy refused the default endpoint')
  }

  #dropRejected (rejected: readonly TokenRejection[]): void {
    if (rejected.length === 0) return
    for (const { token } of rejected) this.#options.registry.delete(token as Token)
    this.#options.log.warn({ tokens: rejected.length, code: rejected[0]?.code }, 'Proxy refused tokens of the snapshot')
  }

  async #follow (signal: AbortSignal): Promise<RpcFailure> {
    return await this.#options.client.events(event => { this.#hear(event) }, signal, HEARD, this.#proxy?.controlled === undefined ? undefined : this.#epoch)
  }

  #hear (event: RpcEvent): void {
    const { load, registry, onCounts } = this.#options
    if (event.type === 'counts') {
      load.apply(event.sessions)
      onCounts?.(Object.keys(event.sessions))
    } else if (event.type === 'redeemed') registry.consume(event.token as Token, event.dataPort)
    else if (event.type === 'state') this.#stateStatus = event.status
    else if (event.type === 'hello') {
      load.clear()
      this.#stateStatus = 'off'
      if (event.instanceId === this.#proxy?.instanceId) this.#onStream()
      else this.#fail(restarted)
    }
  }

  async #sendBatch (tokens: readonly TokenGrant[], voidTokens: VoidTokens): Promise<readonly TokenRejection[] | undefined> {
    const { client, limits } = this.#options
    const body = { epoch: this.#epoch ?? 0, tokens: tokens as TokenGrant[], ...voidTokens }
    const reply = await client.call('pushTokens', { body }, { deadlineMs: limits.pushDeadlineMs * PUSH_CALL_DEADLINES })
    const failure = failureOf(reply, this.#proxy)
    if (failure === undefined && reply.ok) return reply.value.rejected
    this.#fail(failure ?? restarted)
    return undefined
  }

  /** Ends the connection: the loop starts again, unless a newer control process has taken over. */
  #fail (failure: RpcFailure): void {
    if (this.#isClosed || this.#state === 'superseded' || this.#connection?.signal.aborted === true || this.#isOwnPast(failure)) return
    const { log } = this.#options
    this.#reason = failure === restarted ? failure.message : rpcErrors[failure.code].meaning
    if (failure.code === 'EPOCH_STALE') {
      this.#state = 'superseded'
      this.#reason = 'A newer control process has taken over.'
      log.error({ epoch: this.#epoch, newerEpoch: failure.epoch }, 'Superseded by a newer control process')
    } else {
      if (this.#state === 'synchronised') log.warn({ code: failure.code, reason: failure.message }, 'Proxy lost')
      else log[this.#failures === 0 ? 'warn' : 'debug']({ code: failure.code, reason: failure.message }, 'Proxy not reachable')
      this.#state = 'disconnected'
    }
    this.#shut()
  }

  // A call of an earlier connection, which this one has overtaken.
  #isOwnPast ({ code, epoch }: RpcFailure): boolean {
    return code === 'EPOCH_STALE' && epoch !== undefined && epoch <= (this.#epoch ?? 0)
  }

  #shut (): void {
    this.#queue.shut()
    this.#defaults.shut()
    this.#connection?.abort()
  }

  async #pause (ms: number): Promise<void> {
    const { clock } = this.#options
    await new Promise<void>(resolve => {
      const cancel = clock.after(ms, resolve)
      this.#wake = () => { cancel(); resolve() }
    })
    this.#wake = undefined
  }
}

const restarted: RpcFailure = { code: 'NOT_READY', message: 'The proxy has restarted.' }

// The proxy is well and says no: connecting again would change nothing.
function isRefusal ({ code }: RpcFailure): boolean {
  return code === 'INVALID_TARGET' || code === 'TARGET_TABLE_FULL'
}

function failureOf (reply: Result<{ readonly instanceId: string }, RpcFailure>, proxy: Hello | undefined): RpcFailure | undefined {
  if (!reply.ok) return reply.error
  return reply.value.instanceId === proxy?.instanceId ? undefined : restarted
}
