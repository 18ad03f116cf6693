// How many sessions each target key has in all shards together, as the shards last said.

export class SessionCounts {
  readonly #byShard = new Map<number, Map<string, number>>()
  readonly #totals = new Map<string, number>()
  #changed = new Set<string>()

  /** Takes the absolute counts of one shard, of those keys that changed. */
  apply (shard: number, counts: Readonly<Record<string, number>>): void {
    const own = this.#byShard.get(shard) ?? new Map<string, number>()
    this.#byShard.set(shard, own)
    for (const [key, count] of Object.entries(counts)) {
      const total = this.of(key) + count - (own.get(key) ?? 0)
      set(own, key, count)
      set(this.#totals, key, total)
      this.#changed.add(key)
    }
  }

  /** Sessions of this key. */
  of (key: string): number {
    return this.#totals.get(key) ?? 0
  }

  /** Keys of every target that has any sessions. */
  keys (): ReadonlySet<string> {
    return new Set(this.#totals.keys())
  }

  /** Keys whose counts changed since the last call. */
  takeChanged (): ReadonlySet<string> {
    const changed = this.#changed
    this.#changed = new Set()
    return changed
  }
}

function set (counts: Map<string, number>, key: string, count: number): void {
  if (count === 0) counts.delete(key)
  else counts.set(key, count)
}
