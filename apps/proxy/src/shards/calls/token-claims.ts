// Single use across workers. Every worker has every token, because nobody knows whose client will bring it; what they
// share is one word for each token, with a bit for each data port it was redeemed on. Whoever sets the bit first has it.
import type { Clock } from '#core/clock.js'
import type { Slices } from '#core/slices.js'
import type { TokenGrant } from '#rpc/contract.js'
import { EXPIRED_MEMORY_MS } from '../../core/tables/token-table.js'

/** A grant, and where its word is. */
export interface ClaimedGrant extends TokenGrant {
  readonly claim?: number
}

// Of a map, with an object for each: some 2 ms.
const SLICE_LOOKS = 10_000

/** Workers forget an expired token within this time; until then its word is not another's. */
const WORD_HOLD_MS = EXPIRED_MEMORY_MS + 60_000

export class TokenClaims {
  /** The words, in memory that threads share. */
  readonly words: Int32Array<SharedArrayBuffer>
  readonly #clock: Clock
  readonly #claims = new Map<string, { readonly claim: number, readonly until: number }>()
  readonly #free: number[] = []
  #highWater = 0

  constructor (clock: Clock, maxTokens: number) {
    this.#clock = clock
    // As many again as may live: those that are over and not forgotten everywhere.
    this.words = new Int32Array(new SharedArrayBuffer(maxTokens * 2 * Int32Array.BYTES_PER_ELEMENT))
  }

  /** The grant with its word: a fresh one, or for a token that was granted before the one it has. Undefined if there is none left. */
  claimed (grant: TokenGrant): ClaimedGrant | undefined {
    const claim = this.claimOf(grant.token, grant.ttlMs)
    return claim === undefined ? undefined : { ...grant, claim }
  }

  /** The number of a token's word, a fresh one if it has none. Undefined if there is none left. */
  claimOf (token: string, ttlMs: number): number | undefined {
    const known = this.#claims.get(token)
    if (known !== undefined) return known.claim
    const claim = this.#take()
    if (claim === undefined) return undefined
    Atomics.store(this.words, claim, 0)
    this.#claims.set(token, { claim, until: this.#clock.now() + ttlMs + WORD_HOLD_MS })
    return claim
  }

  /** Takes back the words of tokens that every worker knows to be void: it asks for them no more. */
  release (tokens: readonly string[]): void {
    for (const token of tokens) {
      const known = this.#claims.get(token)
      if (known === undefined) continue
      this.#claims.delete(token)
      this.#free.push(known.claim)
    }
  }

  /** Takes back the words of tokens that every worker has forgotten. */
  * sweep (startedAt: number): Slices<undefined> {
    let now = startedAt
    let looks = 0
    for (const [token, { claim, until }] of this.#claims) {
      if (++looks % SLICE_LOOKS === 0) now = yield
      if (now < until || this.#claims.get(token)?.claim !== claim) continue
      this.#claims.delete(token)
      this.#free.push(claim)
    }
    return undefined
  }

  #take (): number | undefined {
    return this.#free.pop() ?? (this.#highWater < this.words.length ? this.#highWater++ : undefined)
  }
}
