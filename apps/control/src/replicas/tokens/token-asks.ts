// A client waits for whether it can redeem a token: the store decides, once for all replicas. While the store cannot be asked, tokens of
// this replica are decided here, and tokens of others are not refused: nobody knows.
import { within } from '#core/within.js'
import type { TokenGrant } from '#rpc/contract.js'
import type { Answer, Asked } from '#rpc/replica-schemas.js'
import type { Token } from '#wire/token.js'
import { tokenPrefix } from '../../events/hub-kinds.js'
import type { ClaimOutcome, SharedToken, StoreFailure } from '../../store/shared-store.js'
import { addressOf, prefixText } from '../parts/client-address.js'
import type { ReplicaContext, ReplicaPart } from '../parts/replica-part.js'
import { isTrusted } from '../parts/trusted-target.js'
import type { Redemptions } from './redemptions.js'
import type { SharedTokens } from './shared-tokens.js'

/**
 * How long after the store came (back) a token that it does not know may still be on its way there from the replica that made it, in
 * ms: 2,400 tokens and claims were back within 45 ms of a connection, and connections come back within a second or two of each other.
 */
export const SETTLING_MS = 3000

export interface TokenAsksOptions extends Pick<ReplicaContext, 'clock' | 'config' | 'replica' | 'store' | 'proxy' | 'policy' | 'metrics' | 'events'> {
  readonly tokens: SharedTokens
  readonly redemptions: Redemptions
}

type TokenAsked = Asked & { readonly token: Token }
type Live = Extract<ClaimOutcome, { readonly verdict: 'live' }>

export class TokenAsks implements ReplicaPart {
  readonly #options: TokenAsksOptions
  readonly #mostUnderWay: number
  #underWay = 0
  #settledMs = 0

  constructor (options: TokenAsksOptions) {
    this.#options = options
    const { asksPerSecond, storeDeadlineMs } = options.config.limits
    // What the proxy may ask for while the store keeps an answer back, and as much again: those who wait longer are answered by the proxy.
    this.#mostUnderWay = Math.ceil(asksPerSecond * storeDeadlineMs / 1000) * 2
  }

  async onStoreUp (): Promise<void> {
    this.#settledMs = this.#options.clock.now() + SETTLING_MS
    await Promise.resolve()
  }

  onTokenAsked (asked: TokenAsked): void {
    const { proxy, store, tokens } = this.#options
    if (store.status !== 'up' || tokens.isVoid(asked.token)) proxy.answer(this.#withoutStore(asked))
    else if (this.#underWay >= this.#mostUnderWay) proxy.answer({ id: asked.id, verdict: 'late' })
    else void this.#claim(asked)
  }

  async #claim (asked: TokenAsked): Promise<void> {
    const { clock, config: { limits: { storeDeadlineMs } }, proxy } = this.#options
    // Nobody waits longer: the proxy has dropped what was held. What goes on counts until it is over.
    proxy.answer(await within(clock, storeDeadlineMs, this.#counted(asked), { id: asked.id, verdict: 'late' }))
  }

  async #counted (asked: TokenAsked): Promise<Answer> {
    const { clock, tokens, config: { limits: { storeDeadlineMs } } } = this.#options
    const untilMs = clock.now() + storeDeadlineMs
    this.#underWay++
    try {
      await tokens.claimsTold
      // Whoever still wants it asks again.
      return clock.now() < untilMs ? await this.#answerTo(asked) : { id: asked.id, verdict: 'late' }
    } finally {
      this.#underWay--
    }
  }

  async #answerTo (asked: TokenAsked): Promise<Answer> {
    const { id, token, dataPort, client } = asked
    const { store, tokens } = this.#options
    const claim = { token, dataPort, client, clientPrefix: prefixText(addressOf(client)) ?? '' }
    let outcome = await store.claim(claim)
    if (outcome.ok && outcome.value.verdict === 'unknown' && tokens.own(token) !== undefined) {
      // Not written yet, or forgotten by the store.
      const written = await tokens.writeAgain(token)
      outcome = written.ok ? await store.claim(claim) : written
    }
    if (!outcome.ok) return this.#withoutAnswer(asked, outcome.error)
    // Made void while the store was asked: the proxy has been told that before it is told this.
    if (tokens.isVoid(token)) return { id, verdict: 'refused', reason: 'void' }
    if (outcome.value.verdict === 'live') return this.#live(asked, outcome.value)
    if (outcome.value.verdict === 'unknown' && this.#options.clock.now() < this.#settledMs) return { id, verdict: 'late' }
    return { id, verdict: 'refused', reason: outcome.value.verdict }
  }

  #live ({ id, token, dataPort, client }: TokenAsked, { token: shared, ttlMs, consumed }: Live): Answer {
    const { tokens, redemptions, store, replica, metrics } = this.#options
    const own = tokens.own(token)
    if (own === undefined && !isTrusted(shared.target, { tokenPrefix: tokenPrefix(token) }, this.#options)) return { id, verdict: 'refused', reason: 'void' }
    const isNews = redemptions.note(token, own?.shared ?? shared, ttlMs, dataPort, client)
    if (isNews && shared.minter !== replica) {
      metrics.redeemedElsewhere()
      store.send(shared.minter, { type: 'redeemed', token, dataPort, client })
    }
    return { id, verdict: 'live', grant: liveGrant(own?.grant ?? grantFrom(token, shared, ttlMs), consumed, dataPort) }
  }

  // It may have done it all the same: the client asks again, and is told the same if so.
  #withoutAnswer (asked: TokenAsked, failure: StoreFailure): Answer {
    return failure === 'late' ? { id: asked.id, verdict: 'late' } : this.#withoutStore(asked)
  }

  #withoutStore ({ id, token, dataPort, client }: TokenAsked): Answer {
    const { tokens, redemptions } = this.#options
    if (tokens.isVoid(token)) return { id, verdict: 'refused', reason: 'void' }
    const redeemer = redemptions.clientOf(token, dataPort)
    if (redeemer !== undefined && redeemer !== client) return { id, verdict: 'refused', reason: 'consumed' }
    const own = tokens.own(token)
    if (own === undefined) return { id, verdict: 'late' }
    const { grant, shared } = own
    if (shared.clientPrefix !== undefined && shared.clientPrefix !== prefixText(addressOf(client))) return { id, verdict: 'refused', reason: 'not_theirs' }
    redemptions.note(token, shared, grant.ttlMs, dataPort, client)
    return { id, verdict: 'live', grant: liveGrant(grant, grant.consumed ?? [], dataPort) }
  }
}

function grantFrom (token: Token, { target, clientPrefix }: SharedToken, ttlMs: number): TokenGrant {
  return clientPrefix === undefined ? { token, ttlMs, target } : { token, ttlMs, target, client: clientPrefix }
}

// With the other data ports that it was redeemed on: on this one it is being redeemed.
function liveGrant ({ consumed: _, ...grant }: TokenGrant, consumed: readonly string[], dataPort: string): TokenGrant {
  const others = consumed.filter(port => port !== dataPort)
  return others.length === 0 ? grant : { ...grant, consumed: others }
}
