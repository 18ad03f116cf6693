// What one primary of the twin holds: texts and hashes with a time to live, and what they were before, for as long as a fail-over
// may forget.

/** The longest that a fail-over can forget, in ms. */
export const MOST_FORGOTTEN_MS = 10_000

interface Entry {
  readonly value: string | ReadonlyMap<string, string>
  readonly endsMs: number
}

interface Change {
  readonly atMs: number
  readonly key: string
  readonly former: Entry | undefined
}

export class TwinData {
  readonly #now: () => number
  #entries: Map<string, Entry>
  #changes: Change[] = []

  /** @param now the store's clock: ms since the Unix epoch */
  constructor (now: () => number, entries: ReadonlyMap<string, Entry> = new Map()) {
    this.#now = now
    this.#entries = new Map(entries)
  }

  get nowMs (): number {
    return Math.floor(this.#now())
  }

  /** Keys that are there now. */
  get keys (): readonly string[] {
    return [...this.#entries.keys()].filter(key => this.#entry(key) !== undefined)
  }

  text (key: string): string | undefined {
    const value = this.#entry(key)?.value
    return typeof value === 'string' ? value : undefined
  }

  hash (key: string): ReadonlyMap<string, string> | undefined {
    const value = this.#entry(key)?.value
    return typeof value === 'object' ? value : undefined
  }

  /** What is left of its life, in ms; -2 if it is not there. */
  ttl (key: string): number {
    const entry = this.#entry(key)
    return entry === undefined ? -2 : entry.endsMs - this.nowMs
  }

  /** @param ttlMs Infinity: for ever */
  set (key: string, value: Entry['value'], ttlMs: number): void {
    this.#write(key, { value, endsMs: this.nowMs + ttlMs })
  }

  /** Sets a field; a hash that is new lives for ever until `expire`. */
  setField (key: string, field: string, value: string): void {
    this.#write(key, { value: new Map(this.hash(key)).set(field, value), endsMs: this.#entry(key)?.endsMs ?? Infinity })
  }

  expire (key: string, ttlMs: number): void {
    const entry = this.#entry(key)
    if (entry !== undefined) this.#write(key, { ...entry, endsMs: this.nowMs + ttlMs })
  }

  delete (key: string): void {
    this.#write(key, undefined)
  }

  empty (): void {
    this.#entries.clear()
    this.#changes = []
  }

  /** Takes back what was written in the last `ms`. */
  forget (ms: number): void {
    const sinceMs = this.nowMs - ms
    while (this.#changes.length > 0 && this.#changes.at(-1)!.atMs > sinceMs) {
      const { key, former } = this.#changes.pop()!
      if (former === undefined) this.#entries.delete(key)
      else this.#entries.set(key, former)
    }
  }

  copy (): TwinData {
    return new TwinData(this.#now, this.#entries)
  }

  #entry (key: string): Entry | undefined {
    const entry = this.#entries.get(key)
    return entry !== undefined && entry.endsMs > this.nowMs ? entry : undefined
  }

  #write (key: string, entry: Entry | undefined): void {
    const atMs = this.nowMs
    this.#changes.push({ atMs, key, former: this.#entries.get(key) })
    if (this.#changes[0]!.atMs < atMs - 2 * MOST_FORGOTTEN_MS) {
      this.#changes = this.#changes.filter(change => change.atMs >= atMs - MOST_FORGOTTEN_MS)
      for (const [key, { endsMs }] of this.#entries) if (endsMs <= atMs) this.#entries.delete(key)
    }
    if (entry === undefined) this.#entries.delete(key)
    else this.#entries.set(key, entry)
  }
}
