// Sessions of one proxy by target, as it counts them itself.

export class SessionCounts {
  readonly #byKey = new Map<string, number>()
  #total = 0

  /** Takes counts, absolute and only of the targets that changed. */
  apply (counts: Readonly<Record<string, number>>): void {
    for (const [key, count] of Object.entries(counts)) {
      this.#total += count - this.of(key)
      if (count === 0) this.#byKey.delete(key)
      else this.#byKey.set(key, count)
    }
  }

  /** Forgets all counts, as the proxy is about to tell them anew. */
  clear (): void {
    this.#byKey.clear()
    this.#total = 0
  }

  /** On all targets. */
  get total (): number {
    return this.#total
  }

  /** Those above 0, by target key. */
  entries (): Iterable<readonly [targetKey: string, count: number]> {
    return this.#byKey.entries()
  }

  of (targetKey: string): number {
    return this.#byKey.get(targetKey) ?? 0
  }
}
