// Requests under way, in all and for each caller, within a bound. A caller who keeps the director waiting, because the
// body has not come or the answer is not taken, gives way to others: at the bound the request that has waited longest is
// given up. So nobody can fill the bound by doing nothing. Pure.

export type EnterOutcome = 'admitted' | 'full' | 'caller_full'

export interface UnderWayBounds {
  readonly max: number
  /** Of these, what one caller may have. */
  readonly maxPerCaller: number
  /** How long a request may keep the director waiting, in milliseconds, before it has to give way. */
  readonly graceMs: number
}

/** A request as the bound sees it. */
export interface Held {
  /** True while nothing goes on here until its caller sends or takes something. */
  readonly isWaitingForCaller: () => boolean
  /** Ends it. It must `leave`, now or soon. */
  readonly giveUp: () => void
}

interface Entry {
  readonly held: Held
  readonly caller: string
  readonly sinceMs: number
}

export class UnderWay {
  readonly bounds: UnderWayBounds
  readonly #now: () => number
  // In the order in which they came.
  readonly #entries = new Map<Held, Entry>()
  readonly #byCaller = new Map<string, Set<Entry>>()

  constructor (bounds: UnderWayBounds, now: () => number) {
    this.bounds = bounds
    this.#now = now
  }

  get count (): number {
    return this.#entries.size
  }

  /** Takes a request in; one that is admitted must `leave`. */
  enter (caller: string, held: Held): EnterOutcome {
    const own = this.#byCaller.get(caller) ?? new Set<Entry>()
    if (own.size >= this.bounds.maxPerCaller && !this.#makeRoom(own)) return 'caller_full'
    if (this.#entries.size >= this.bounds.max && !this.#makeRoom(this.#entries.values())) return 'full'
    const entry: Entry = { held, caller, sinceMs: this.#now() }
    this.#entries.set(held, entry)
    own.add(entry)
    this.#byCaller.set(caller, own)
    return 'admitted'
  }

  /** The request is over. More than once does no harm. */
  leave (held: Held): void {
    const entry = this.#entries.get(held)
    if (entry === undefined) return
    this.#entries.delete(held)
    const own = this.#byCaller.get(entry.caller)
    own?.delete(entry)
    if (own?.size === 0) this.#byCaller.delete(entry.caller)
  }

  #makeRoom (entries: Iterable<Entry>): boolean {
    const latestMs = this.#now() - this.bounds.graceMs
    for (const entry of entries) {
      if (entry.sinceMs > latestMs) return false
      const { held } = entry
      if (!held.isWaitingForCaller()) continue
      this.leave(held)
      held.giveUp()
      return true
    }
    return false
  }
}
