// How many sessions each target key has in all shards together, as the shards last said.

export class SessionCounts {
  readonly #byShard = new Map<number, Map<string, number>>()
  readonly #totals = new Map<string, number>()
  readonly #changed = new Set<string>()

  /** Takes the absolute counts of one shard, of those keys that changed. */
  apply (shard: number, counts: Readonly<Record<string, number>>): void {
    const own = this.#byShard.get(shard) ?? new Map<string, number>()
    this.#byShard.set(shard, own)
    for (const [key, count] of Object.entries(counts)) {
      const total = (this.#totals.get(key) ?? 0) + count - (own.get(key) ?? 0)
      set(own, key, count)
      set(this.#totals, key, total)
      this.#changed.add(key)
    }
  }

  /** Sessions by target key, of every target that has any. */
  all (): Record<string, number> {
    return Object.fromEntries(this.#totals)
  }

  /** The counts that changed since the last call, zeros included. */
  takeChanged (): Record<string, number> {
    const changed = Object.fromEntries([...this.#changed].map(key => [key, this.#totals.get(key) ?? 0]))
    this.#changed.clear()
    return changed
  }
}

function set (counts: Map<string, number>, key: string, count: number): void {
  if (count === 0) counts.delete(key)
  else counts.set(key, count)
}
