// Tokens that are void at all replicas: the store is told, again and again until it has taken it, and once more whenever it may have lost
// what it knew; the other replicas are told at once, for what their proxies hold.
import type { Clock } from '#core/clock.js'
import { ok } from '#core/result.js'
import type { Token } from '#wire/token.js'
import type { SharedStore, StoreResult } from '../../store/shared-store.js'
import { Expiring } from '../parts/expiring.js'
import { inBatches } from '../parts/in-batches.js'

export type VoidCause = 'revoked' | 'withdrawn'

export interface VoidsOptions {
  readonly clock: Clock
  readonly store: Pick<SharedStore, 'makeVoid' | 'send'>
  /** Most tokens that are remembered. */
  readonly most: number
}

export class Voids {
  readonly #options: VoidsOptions
  readonly #known: Expiring<Token, VoidCause>
  /** What the store has not acknowledged. */
  readonly #untold = new Set<Token>()

  constructor (options: VoidsOptions) {
    this.#options = options
    this.#known = new Expiring(options.clock, options.most)
  }

  has (token: Token): boolean {
    return this.#known.get(token) !== undefined
  }

  /** Whether the store has not acknowledged yet that this token is void. */
  isUntold (token: Token): boolean {
    return this.#untold.has(token) && this.has(token)
  }

  get hasUntold (): boolean {
    return this.#untold.size > 0
  }

  /** Makes tokens void, for `ttlMs` at most; those that were live until now, once the store has taken it. */
  async make (tokens: readonly Token[], ttlMs: number, cause: VoidCause): Promise<StoreResult<readonly Token[]>> {
    for (const token of tokens) {
      // At the bound it is told once, and no more.
      if (this.#known.set(token, cause, ttlMs)) this.#untold.add(token)
    }
    this.#options.store.send(undefined, { type: 'void', tokens, cause })
    return await this.#tell(tokens, ttlMs)
  }

  /** Tells the store what it has not acknowledged, or (`all`) all there is. Ends early if `signal` is aborted. */
  async tellAgain (signal: AbortSignal, all: boolean): Promise<void> {
    const live = new Set<Token>()
    // Those that end at about the same time go together: a void that lives a little longer does no harm.
    for (const batch of inBatches(this.#known.entries())) {
      if (signal.aborted) return
      const wanted = batch.filter(({ key }) => all || this.#untold.has(key))
      for (const { key } of batch) live.add(key)
      if (wanted.length > 0) await this.#tell(wanted.map(({ key }) => key), Math.max(...wanted.map(({ ttlMs }) => ttlMs)))
    }
    for (const token of this.#untold) if (!live.has(token)) this.#untold.delete(token)
  }

  close (): void {
    this.#known.close()
  }

  async #tell (tokens: readonly Token[], ttlMs: number): Promise<StoreResult<readonly Token[]>> {
    if (tokens.length === 0) return ok([])
    const told = await this.#options.store.makeVoid(tokens, ttlMs)
    if (told.ok) for (const token of tokens) this.#untold.delete(token)
    return told
  }
}
