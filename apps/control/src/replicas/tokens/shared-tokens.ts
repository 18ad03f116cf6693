// Tokens of a director that shares a store: each is brought to the own proxy and written to the store, and is void in both. What the store
// did not take is kept for as long as it matters, and written when it is there again.
import type { Cancel } from '#core/clock.js'
import { err, ok } from '#core/result.js'
import type { TokenGrant } from '#rpc/contract.js'
import type { Token } from '#wire/token.js'
import type { ReplicaMessage, SharedToken, StoreResult } from '../../store/shared-store.js'
import { MAX_TTL_SECONDS } from '../../tokens/token-issuer.js'
import type { TokenRegistry } from '../../tokens/token-registry.js'
import type { PushResult, RevokeResult, TokenSink } from '../../tokens/token-sink.js'
import { prefixText } from '../parts/client-address.js'
import { Expiring } from '../parts/expiring.js'
import { inBatches } from '../parts/in-batches.js'
import type { ReplicaContext, ReplicaPart, StoreUp } from '../parts/replica-part.js'
import type { Redemptions } from './redemptions.js'
import { Voids } from './voids.js'

/** How long until the store is told again what it did not take while it was there, in ms. */
export const REPEAT_MS = 1000

export interface SharedTokensOptions extends Pick<ReplicaContext, 'clock' | 'config' | 'sharedState' | 'replica' | 'store'> {
  readonly registry: TokenRegistry
  readonly redemptions: Redemptions
  /** The own proxy. */
  readonly link: TokenSink
}

const down: StoreResult<undefined> = err('down')
const nobody: ReadonlyMap<string, string> = new Map()

interface Written {
  readonly key: Token
  readonly value: SharedToken
  readonly ttlMs: number
}

export class SharedTokens implements TokenSink, ReplicaPart {
  readonly #options: SharedTokensOptions
  readonly #voids: Voids
  /** What the store did not take while it was there. */
  readonly #unwritten: Expiring<Token, SharedToken>
  #up: AbortSignal | undefined
  #cancelRepeat: Cancel | undefined
  #claimsTold: Promise<void> = Promise.resolve()

  constructor (options: SharedTokensOptions) {
    this.#options = options
    const { clock, store, config: { limits: { maxTokens } } } = options
    this.#voids = new Voids({ clock, store, most: maxTokens })
    this.#unwritten = new Expiring(clock, maxTokens)
  }

  /** Resolves when the store knows the redemptions that this replica knows: a claim before that could be the second one. */
  get claimsTold (): Promise<void> {
    return this.#claimsTold
  }

  async push (grant: TokenGrant): Promise<PushResult> {
    const { sharedState: { onUnavailable }, store, link } = this.#options
    const mustBeWritten = onUnavailable === 'refuse'
    if (mustBeWritten && store.status !== 'up') return err('STORE_UNAVAILABLE')
    const token = grant.token as Token
    const shared = this.#sharedFrom(grant)
    const [pushed, written] = await Promise.all([link.push(grant), store.status === 'up' ? store.mint(token, shared, grant.ttlMs) : down])
    if (pushed.ok && written.ok) return pushed
    if (pushed.ok && !mustBeWritten) {
      this.#keep(token, shared, grant.ttlMs)
      return pushed
    }
    // Whoever asked gets no token, so it must not live anywhere. It may have been written all the same, and while that was waited for, the
    // proxy may have been told of it with all that control knows.
    void link.revoke([token], grant.ttlMs)
    void this.#makeVoid([token], grant.ttlMs, 'revoked')
    return pushed.ok ? err('STORE_UNAVAILABLE') : pushed
  }

  async revoke (tokens: readonly Token[], ttlMs: number): Promise<RevokeResult> {
    const [atProxy, inStore] = await Promise.all([this.#options.link.revoke(tokens, ttlMs), this.#makeVoid(tokens, ttlMs, 'revoked')])
    if (!atProxy.ok) return atProxy
    if (!inStore.ok) return err('STORE_UNAVAILABLE')
    return inStore.value.length > 0 ? ok('known') : atProxy
  }

  withdraw (tokens: readonly Token[], ttlMs: number): void {
    this.#options.link.withdraw(tokens, ttlMs)
    if (tokens.length > 0) void this.#makeVoid(tokens, ttlMs, 'withdrawn')
  }

  isRevoking (token: Token): boolean {
    return this.#options.link.isRevoking(token) || this.#voids.isUntold(token)
  }

  /** Whether this replica has made a token void. */
  isVoid (token: Token): boolean {
    return this.#voids.has(token)
  }

  /** A token of this replica as others see it; undefined if it is not, or is over. */
  own (token: Token): { readonly grant: TokenGrant, readonly shared: SharedToken } | undefined {
    const grant = this.#options.registry.grantOf(token)
    return grant === undefined ? undefined : { grant, shared: this.#sharedFrom(grant) }
  }

  /** Writes a token of this replica anew, with what is known of its redemptions. */
  async writeAgain (token: Token): Promise<StoreResult<undefined>> {
    const own = this.own(token)
    return own === undefined ? ok(undefined) : await this.#writeAgain(token, own.shared, own.grant.ttlMs)
  }

  /** Tells the store of redemptions that were not decided there: now, or when it is there again. */
  async tellRedemption (token: Token): Promise<void> {
    const { redemptions } = this.#options
    const ttlMs = redemptions.ttlOf(token)
    const redemption = redemptions.of(token)
    if (redemption !== undefined && ttlMs !== undefined) await this.#writeOrKeep(token, redemption.shared, ttlMs)
  }

  async onStoreUp ({ signal }: StoreUp): Promise<void> {
    this.#up = signal
    // In this order: a token that is there before its claims can be claimed a second time.
    const claims = this.#tellClaims(signal)
    this.#claimsTold = claims
    await claims
    await this.#writeAll(this.#unclaimed(), signal)
    this.#repeatSoon()
  }

  onStoreDown (): void {
    this.#up = undefined
    this.#cancelRepeat?.()
    this.#cancelRepeat = undefined
  }

  onMessage (message: ReplicaMessage): void {
    const { registry, redemptions, link } = this.#options
    if (message.type === 'void') {
      for (const token of message.tokens) registry.delete(token)
      if (message.cause === 'withdrawn') link.withdraw(message.tokens, MAX_TTL_SECONDS * 1000)
      else void link.revoke(message.tokens, MAX_TTL_SECONDS * 1000)
    } else if (message.type === 'redeemed') {
      const own = this.own(message.token)
      if (own === undefined) return
      redemptions.note(message.token, own.shared, own.grant.ttlMs, message.dataPort, message.client)
      registry.consume(message.token, message.dataPort)
    }
  }

  close (): void {
    this.onStoreDown()
    this.#voids.close()
    this.#unwritten.close()
  }

  async #tellClaims (signal: AbortSignal): Promise<void> {
    await this.#voids.tellAgain(signal, true)
    await this.#writeAll(this.#options.redemptions.all(), signal)
  }

  * #unclaimed (): Generator<Written> {
    const { registry, redemptions } = this.#options
    for (const grant of registry.grants()) {
      const token = grant.token as Token
      if (redemptions.of(token) === undefined) yield { key: token, value: this.#sharedFrom(grant), ttlMs: grant.ttlMs }
    }
  }

  #sharedFrom ({ target, client }: TokenGrant): SharedToken {
    const clientPrefix = client === undefined ? undefined : prefixText(client)
    const { replica: minter } = this.#options
    return clientPrefix === undefined ? { target, minter } : { target, minter, clientPrefix }
  }

  // Again and not for the first time: with all that is known of its redemptions.
  async #writeAgain (token: Token, shared: SharedToken, ttlMs: number): Promise<StoreResult<undefined>> {
    const { store, redemptions } = this.#options
    return store.status === 'up' ? await store.mint(token, shared, ttlMs, redemptions.of(token)?.clients ?? nobody) : err('down')
  }

  async #writeOrKeep (token: Token, shared: SharedToken, ttlMs: number): Promise<void> {
    const written = await this.#writeAgain(token, shared, ttlMs)
    if (written.ok) this.#unwritten.delete(token)
    else this.#keep(token, shared, ttlMs)
  }

  // While the store is away there is nothing to keep: all there is is written when it is back.
  #keep (token: Token, shared: SharedToken, ttlMs: number): void {
    if (this.#up === undefined) return
    this.#unwritten.set(token, shared, ttlMs)
    this.#repeatSoon()
  }

  async #makeVoid (tokens: readonly Token[], ttlMs: number, cause: 'revoked' | 'withdrawn'): Promise<StoreResult<readonly Token[]>> {
    const told = await this.#voids.make(tokens, ttlMs, cause)
    if (!told.ok) this.#repeatSoon()
    return told
  }

  #repeatSoon (): void {
    if (this.#up === undefined || (this.#unwritten.size === 0 && !this.#voids.hasUntold)) return
    this.#cancelRepeat ??= this.#options.clock.after(REPEAT_MS, () => { void this.#repeat() })
  }

  async #repeat (): Promise<void> {
    const signal = this.#up
    if (signal === undefined) return
    await this.#voids.tellAgain(signal, false)
    await this.#writeAll(this.#unwritten.entries(), signal)
    this.#cancelRepeat = undefined
    this.#repeatSoon()
  }

  async #writeAll (entries: Iterable<Written>, signal: AbortSignal): Promise<void> {
    for (const batch of inBatches(entries)) {
      if (signal.aborted) return
      await Promise.all(batch.map(async ({ key, value, ttlMs }) => { await this.#writeOrKeep(key, value, ttlMs) }))
    }
  }
}
