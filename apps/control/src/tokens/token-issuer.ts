// Issues tokens and takes them back: made, registry, proxy, in that order, and no answer before the proxy has one.
import type { Selection } from '#config/schema.js'
import type { Clock } from '#core/clock.js'
import type { Failure } from '#core/failure.js'
import { err, ok, type Result } from '#core/result.js'
import type { Target } from '#rpc/contract.js'
import type { Token } from '#wire/token.js'
import type { EventSink } from '../events/event-sink.js'
import { tokenPrefix } from '../events/hub-kinds.js'
import type { Holder, TokenRegistry } from './token-registry.js'
import type { PushFailure, TokenSink } from './token-sink.js'

/** Longest TTL there is, in seconds: what the schemas of the configuration and of POST /tokens allow. */
export const MAX_TTL_SECONDS = 3600

/** How often a target is chosen for one token: the one chosen may go, or change, before the proxy has acknowledged. */
export const MAX_CHOICES = 3

export type IssuedVia = 'query' | 'tokens'

/** Why a token became void before its time. */
export type RevocationCause = 'operator' | 'unacknowledged' | 'target_gone'

export interface TokenMetrics {
  readonly tokenIssued: (via: IssuedVia) => void
  readonly tokenRevoked: (cause: RevocationCause) => void
}

/** Why there is no token, although there was a target. */
export type IssueFailure = Failure<'PROXY_UNAVAILABLE' | 'STORE_UNAVAILABLE' | 'CAPACITY_EXHAUSTED' | 'INVALID_TARGET' | 'TOO_MANY_TOKENS' | 'NO_MATCHING_RESOURCE'>
export type RevokeFailure = Failure<'PROXY_UNAVAILABLE' | 'STORE_UNAVAILABLE' | 'TOKEN_NOT_FOUND'>

export interface IssuedToken {
  readonly token: Token
  /** When it was issued, on the wall clock; its TTL counts from here. */
  readonly issuedAtMs: number
  readonly ttlSeconds: number
  readonly target: Target
}

export interface TokenIssuerOptions {
  readonly clock: Clock
  readonly events: EventSink
  readonly registry: TokenRegistry
  readonly sink: TokenSink
  readonly metrics: TokenMetrics
  /** Called with the target of each token, before it may be redeemed. */
  readonly expect: (target: Target) => void
  /** See `limits.maxTokensPerCaller`. */
  readonly maxTokensPerCaller: number
  /** A new one that nobody can guess, with the mark that is ours. */
  readonly makeToken: () => Token
}

/** What is asked for, beside the target. */
export interface TokenOrder {
  /** The target must go on to be what this finds; without one the target is an address. */
  readonly selection: Selection | undefined
  readonly ttlSeconds: number
  readonly via: IssuedVia
  readonly holder: Holder
}

const failures: Readonly<Record<PushFailure, IssueFailure>> = {
  PROXY_UNAVAILABLE: { code: 'PROXY_UNAVAILABLE', detail: 'The proxy did not acknowledge the token.' },
  STORE_UNAVAILABLE: { code: 'STORE_UNAVAILABLE', detail: 'The shared store did not acknowledge the token, and `sharedState.onUnavailable` is `refuse`.' },
  PUSH_QUEUE_FULL: { code: 'CAPACITY_EXHAUSTED', detail: 'limits.maxPushQueue is reached.' },
  TOKEN_TABLE_FULL: { code: 'CAPACITY_EXHAUSTED', detail: 'limits.maxTokens is reached.' },
  TARGET_TABLE_FULL: { code: 'CAPACITY_EXHAUSTED', detail: 'limits.maxTargets is reached.' },
  INVALID_TARGET: { code: 'INVALID_TARGET', detail: 'The proxy cannot reach a target like this.' }
}

const notVoidAtProxy: RevokeFailure = { code: 'PROXY_UNAVAILABLE', detail: 'The proxy did not acknowledge the revocation; it will be repeated.' }
const notVoidInStore: RevokeFailure = { code: 'STORE_UNAVAILABLE', detail: 'The shared store did not acknowledge the revocation; it will be repeated. Here the token does not work any more.' }
const tooManyTokens: IssueFailure = { code: 'TOO_MANY_TOKENS', detail: 'limits.maxTokensPerCaller is reached.' }

export class TokenIssuer {
  readonly #options: TokenIssuerOptions

  constructor (options: TokenIssuerOptions) {
    this.#options = options
  }

  /**
   * A token that can be redeemed at once for the target that `choose` finds, or why there is none. It ends when the
   * target is not any more what the order's selection finds. If that happens before the proxy has acknowledged, `choose`
   * is asked again, up to `MAX_CHOICES` times in all.
   */
  async issue<NoTarget extends Failure> (choose: () => Result<Target, NoTarget> | Promise<Result<Target, NoTarget>>, order: TokenOrder): Promise<Result<IssuedToken, NoTarget | IssueFailure>> {
    const { clock, events, metrics, makeToken } = this.#options
    const { ttlSeconds, via } = order
    for (let choices = 0; choices < MAX_CHOICES; choices++) {
      const chosen = choose()
      // Without a turn of its own where there is nothing to wait for: pushes of one turn leave together.
      const target = chosen instanceof Promise ? await chosen : chosen
      if (!target.ok) return target
      const token = makeToken()
      const issuedAtMs = clock.wallNow()
      const failure = await this.#bring(token, target.value, order)
      if (failure === 'withdrawn') continue
      if (failure !== undefined) return err(failure)
      metrics.tokenIssued(via)
      events.publish('token_issued', () => ({ tokenPrefix: tokenPrefix(token), target: target.value.key, via }))
      return ok({ token, issuedAtMs, ttlSeconds, target: target.value })
    }
    return err({ code: 'NO_MATCHING_RESOURCE', detail: 'Every object that was chosen was gone or had changed before its token could be used.' })
  }

  // Into the registry and to the proxy; undefined once it can be redeemed.
  async #bring (token: Token, target: Target, { selection, ttlSeconds, holder }: TokenOrder): Promise<IssueFailure | 'withdrawn' | undefined> {
    const { clock, events, registry, sink, metrics, maxTokensPerCaller, expect } = this.#options
    const { caller, client } = holder
    const ttlMs = ttlSeconds * 1000
    const startedMs = clock.now()
    if (caller !== undefined && registry.held(caller) >= maxTokensPerCaller) return tooManyTokens
    if (!registry.add(token, target, ttlMs, selection, holder)) return failures.TOKEN_TABLE_FULL
    if (selection !== undefined) expect(target)
    const pushed = await sink.push(client === undefined ? { token, ttlMs, target } : { token, ttlMs, target, client })
    if (!pushed.ok) {
      registry.delete(token)
      if (pushed.error === 'PROXY_UNAVAILABLE' || pushed.error === 'STORE_UNAVAILABLE') {
        metrics.tokenRevoked('unacknowledged')
        events.publish('token_void', () => ({ cause: 'unacknowledged', tokens: 1, tokenPrefix: tokenPrefix(token), target: target.key }))
      }
      return failures[pushed.error]
    }
    if (registry.has(token)) return undefined
    // A token may also have expired on its way, if the deadline is longer than its TTL.
    return clock.now() - startedMs < ttlMs ? 'withdrawn' : failures.PROXY_UNAVAILABLE
  }

  /** Makes tokens void whose target is gone. Nobody waits for it: the proxy is told until it has acknowledged. */
  withdraw (tokens: readonly Token[]): void {
    const { events, registry, sink, metrics } = this.#options
    const target = tokens[0] === undefined ? undefined : registry.targetOf(tokens[0])
    for (const token of tokens) {
      registry.delete(token)
      metrics.tokenRevoked('target_gone')
    }
    sink.withdraw(tokens, MAX_TTL_SECONDS * 1000)
    if (tokens.length > 0) events.publish('token_void', () => ({ cause: 'target_gone', tokens: tokens.length, ...target === undefined ? {} : { target: target.key } }))
  }

  /**
   * Makes a token void, also one of another director of the same store. TOKEN_NOT_FOUND if nobody knows of such a token; the proxy
   * is told all the same, because a former control process may have issued it, so after that answer too the token does not work.
   */
  async revoke (token: Token): Promise<Result<undefined, RevokeFailure>> {
    const { events, registry, sink, metrics } = this.#options
    const isKnown = registry.delete(token) || sink.isRevoking(token)
    const revoked = await sink.revoke([token], MAX_TTL_SECONDS * 1000)
    if (!revoked.ok) return err(revoked.error === 'STORE_UNAVAILABLE' ? notVoidInStore : notVoidAtProxy)
    if (!isKnown && revoked.value !== 'known') return err({ code: 'TOKEN_NOT_FOUND', detail: 'This process knows no such token; if a former one issued it, it is void now.' })
    metrics.tokenRevoked('operator')
    events.publish('token_void', () => ({ cause: 'operator', tokens: 1, tokenPrefix: tokenPrefix(token) }))
    return ok(undefined)
  }
}
