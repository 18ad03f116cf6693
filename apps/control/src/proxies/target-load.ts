// How busy each target is: sessions as the proxies count them, and tokens that will become sessions any moment.
import type { TokenRegistry } from '../tokens/token-registry.js'
import type { SessionCounts } from './session-counts.js'

export class TargetLoad {
  readonly #counts: ReadonlyArray<Pick<SessionCounts, 'of' | 'total'>>
  readonly #registry: Pick<TokenRegistry, 'pending'>

  /** `counts` are those of every proxy. */
  constructor (counts: ReadonlyArray<Pick<SessionCounts, 'of' | 'total'>>, registry: Pick<TokenRegistry, 'pending'>) {
    this.#counts = counts
    this.#registry = registry
  }

  /** Sessions on all targets. */
  get total (): number {
    return this.#counts.reduce((sum, { total }) => sum + total, 0)
  }

  sessions (targetKey: string): number {
    let sum = 0
    for (const counts of this.#counts) sum += counts.of(targetKey)
    return sum
  }

  /** Sessions and pending tokens of a target: what a balancer compares. */
  of (targetKey: string): number {
    return this.sessions(targetKey) + this.#registry.pending(targetKey)
  }
}
