// How often the shared store is asked. Tokens go first: asks about strangers take half of it at most, and whatever tokens leave.
import { AskKind } from '../ledger/counters.js'
import { Budget } from '../ledger/budget.js'
import { PrefixCells } from '../sessions/prefix-cells.js'
import { PrefixRate } from '../sessions/prefix-rate.js'

export interface AskLimits {
  /** Asks a second, of both kinds together. */
  readonly asksPerSecond: number
  /** Asks a second by one client prefix, of each kind. */
  readonly asksPerPrefix: number
}

export class AskBudget {
  readonly #all: Budget
  readonly #follow: Budget
  // By kind.
  readonly #byPrefix: readonly PrefixRate[]

  /** @param seed secret: whoever knows it can choose addresses that share a count with another's */
  constructor ({ asksPerSecond, asksPerPrefix }: AskLimits, seed: number) {
    const cells = new PrefixCells(seed)
    this.#all = new Budget(asksPerSecond)
    this.#follow = new Budget(asksPerSecond / 2)
    this.#byPrefix = [new PrefixRate(cells, asksPerPrefix), new PrefixRate(cells, asksPerPrefix)]
  }

  /** Whether this client may be asked about now; if so, it counts as asked. */
  take (kind: AskKind, client: Uint32Array, now: number): boolean {
    if (!this.#byPrefix[kind]!.take(client, now)) return false
    if (kind === AskKind.follow && !this.#follow.allows(now)) return false
    return this.#all.allows(now)
  }
}
