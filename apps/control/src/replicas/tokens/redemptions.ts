// Which tokens were redeemed by whom, as far as this replica knows: here, or at another one that said so. It is what the store is told
// again after it may have lost it, and what decides while the store cannot be asked.
import type { Clock } from '#core/clock.js'
import type { Token } from '#wire/token.js'
import type { SharedToken } from '../../store/shared-store.js'
import { Expiring } from '../parts/expiring.js'

export interface Redemption {
  readonly shared: SharedToken
  /** Clients by data port name. */
  readonly clients: ReadonlyMap<string, string>
}

interface Known extends Redemption {
  readonly clients: Map<string, string>
}

export class Redemptions {
  readonly #known: Expiring<Token, Known>

  constructor (clock: Clock, most: number) {
    this.#known = new Expiring(clock, most)
  }

  get size (): number {
    return this.#known.size
  }

  of (token: Token): Redemption | undefined {
    return this.#known.get(token)
  }

  /** What is left of the life of a token that was redeemed, in ms. */
  ttlOf (token: Token): number | undefined {
    return this.#known.ttlOf(token)
  }

  /** Who redeemed a token on a data port. */
  clientOf (token: Token, dataPort: string): string | undefined {
    return this.#known.get(token)?.clients.get(dataPort)
  }

  /** A client redeemed a token that lives for `ttlMs`. False if that was known; the first one on a data port stays. */
  note (token: Token, shared: SharedToken, ttlMs: number, dataPort: string, client: string): boolean {
    const known = this.#known.get(token)
    if (known === undefined) return this.#known.set(token, { shared, clients: new Map([[dataPort, client]]) }, ttlMs)
    if (known.clients.has(dataPort)) return false
    known.clients.set(dataPort, client)
    return true
  }

  delete (token: Token): void {
    this.#known.delete(token)
  }

  /** Every live token that was redeemed, with what is left of its life. */
  * all (): Generator<{ readonly key: Token, readonly value: SharedToken, readonly ttlMs: number }> {
    for (const { key, value: { shared }, ttlMs } of this.#known.entries()) yield { key, value: shared, ttlMs }
  }

  close (): void {
    this.#known.close()
  }
}
