// Redemptions that this process has not decided: while control was away, or by a former life of it, the proxy redeemed tokens of its
// own. It says of each session by which token it was bound; the store learns it as soon as it is there.
import type { Binding } from '#rpc/replica-schemas.js'
import type { Token } from '#wire/token.js'
import { inBatches } from '../parts/in-batches.js'
import type { ReplicaContext, ReplicaPart } from '../parts/replica-part.js'
import type { Redemptions } from './redemptions.js'
import type { SharedTokens } from './shared-tokens.js'

export interface MissedRedemptionsOptions extends Pick<ReplicaContext, 'replica' | 'proxy'> {
  readonly tokens: SharedTokens
  readonly redemptions: Redemptions
}

export class MissedRedemptions implements ReplicaPart {
  readonly #options: MissedRedemptionsOptions

  constructor (options: MissedRedemptionsOptions) {
    this.#options = options
  }

  onProxyUp (): void {
    void this.#read()
  }

  async #read (): Promise<void> {
    const { proxy, tokens } = this.#options
    for await (const page of proxy.bindings()) {
      if (page === undefined) return
      const missed = page.flatMap(binding => this.#note(binding))
      for (const batch of inBatches(missed)) await Promise.all(batch.map(async token => { await tokens.tellRedemption(token) }))
    }
  }

  // The token, if any of its redemptions is news.
  #note ({ client, target, token: text, tokenTtlMs, consumed = [] }: Binding): Token[] {
    const { replica, tokens, redemptions } = this.#options
    if (text === undefined || tokenTtlMs === undefined) return []
    const token = text as Token
    const shared = tokens.own(token)?.shared ?? { target, minter: replica }
    const news = consumed.filter(dataPort => redemptions.note(token, shared, tokenTtlMs, dataPort, client))
    return news.length > 0 ? [token] : []
  }
}
