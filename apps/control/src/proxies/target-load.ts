// How busy each target is: sessions as the proxies count them, and tokens that will become sessions any moment; those of the other
// directors that share a store, too, as they last said.
import type { TokenRegistry } from '../tokens/token-registry.js'
import type { SessionCounts } from './session-counts.js'

/** What the other directors have of one target. */
export interface LoadElsewhere {
  readonly sessions: (targetKey: string) => number
  /** Tokens that nobody has redeemed yet. */
  readonly pending: (targetKey: string) => number
}

const nowhereElse: LoadElsewhere = { sessions: () => 0, pending: () => 0 }

export class TargetLoad {
  readonly #counts: ReadonlyArray<Pick<SessionCounts, 'of' | 'total'>>
  readonly #registry: Pick<TokenRegistry, 'pending'>
  readonly #elsewhere: LoadElsewhere

  /** `counts` are those of every proxy of this director. */
  constructor (counts: ReadonlyArray<Pick<SessionCounts, 'of' | 'total'>>, registry: Pick<TokenRegistry, 'pending'>, elsewhere: LoadElsewhere = nowhereElse) {
    this.#counts = counts
    this.#registry = registry
    this.#elsewhere = elsewhere
  }

  /** Sessions of this director on all targets. */
  get total (): number {
    return this.#counts.reduce((sum, { total }) => sum + total, 0)
  }

  /** Sessions of this director on a target. */
  sessions (targetKey: string): number {
    let sum = 0
    for (const counts of this.#counts) sum += counts.of(targetKey)
    return sum
  }

  /** Sessions on a target, of all directors. */
  allSessions (targetKey: string): number {
    return this.sessions(targetKey) + this.#elsewhere.sessions(targetKey)
  }

  /** Tokens for a target that nobody has redeemed yet, of all directors. */
  allPending (targetKey: string): number {
    return this.#registry.pending(targetKey) + this.#elsewhere.pending(targetKey)
  }

  /** Sessions and pending tokens of a target, of all directors: what a balancer compares. */
  of (targetKey: string): number {
    return this.allSessions(targetKey) + this.allPending(targetKey)
  }
}
