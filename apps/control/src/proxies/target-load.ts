// How busy each target is: sessions as the proxy counts them, and tokens that will become sessions any moment.
import type { TokenRegistry } from '../tokens/token-registry.js'

export class TargetLoad {
  readonly #registry: TokenRegistry
  readonly #sessions = new Map<string, number>()
  #total = 0

  constructor (registry: TokenRegistry) {
    this.#registry = registry
  }

  /** Takes the proxy's counts, absolute and only of the targets that changed. */
  apply (sessions: Readonly<Record<string, number>>): void {
    for (const [key, count] of Object.entries(sessions)) {
      this.#total += count - this.sessions(key)
      if (count === 0) this.#sessions.delete(key)
      else this.#sessions.set(key, count)
    }
  }

  /** Forgets all counts, as the proxy is about to tell them anew. */
  clear (): void {
    this.#sessions.clear()
    this.#total = 0
  }

  /** Sessions on all targets. */
  get total (): number {
    return this.#total
  }

  sessions (targetKey: string): number {
    return this.#sessions.get(targetKey) ?? 0
  }

  /** Sessions and pending tokens of a target: what a balancer compares. */
  of (targetKey: string): number {
    return this.sessions(targetKey) + this.#registry.pending(targetKey)
  }
}
