// Targets that are gone, on their way to the proxy: each is told once, however often it is noticed, and again until the proxy
// has acknowledged it.
import { MAX_GONE_PER_CALL, type GoneTarget, type Target } from '#rpc/contract.js'

export interface DeparturesDeps {
  /** Resolves when the proxy knows where sessions may move to; asked before each call. */
  readonly ready: () => Promise<void>
  /** Tells the proxy; how many sessions each key has afterwards, or undefined if it was not acknowledged. */
  readonly leave: (gone: GoneTarget[]) => Promise<Readonly<Record<string, number>> | undefined>
  readonly sessionsOf: (key: string) => number
}

export class Departures {
  readonly #deps: DeparturesDeps
  // What to tell: nothing has the key any more, or only this target has it.
  readonly #waiting = new Map<string, Target | undefined>()
  // Sessions that a key without a target had when the proxy had been told of it.
  readonly #told = new Map<string, number>()
  #isSending = false

  constructor (deps: DeparturesDeps) {
    this.#deps = deps
  }

  /** Nothing has the key. The proxy is told, unless it knows that of all the key's sessions. */
  gone (key: string): void {
    const sessions = this.#deps.sessionsOf(key)
    const told = this.#told.get(key) ?? 0
    // A notice that waits may be of a replacement, whose sessions may not have been counted yet.
    if (sessions > told || this.#waiting.has(key)) this.#waiting.set(key, undefined)
    else if (sessions > 0) this.#told.set(key, sessions)
    else this.#told.delete(key)
  }

  /** This target has the key now, and whatever is elsewhere under the key is gone. */
  replaced (key: string, target: Target): void {
    this.#told.delete(key)
    this.#waiting.set(key, target)
  }

  /** An object with the key exists (again), at `target` if that is known. A notice that waits is about an earlier one, or another place. */
  present (key: string, target?: Target): void {
    this.#told.delete(key)
    if (target !== undefined && this.#waiting.has(key)) this.#waiting.set(key, target)
  }

  /** Keys that had sessions when the proxy was told that they are gone. */
  told (): readonly string[] {
    return [...this.#told.keys()]
  }

  /** Tells the proxy what waits. What it does not acknowledge waits for the next call. */
  async send (): Promise<void> {
    if (this.#isSending) return
    this.#isSending = true
    while (this.#waiting.size > 0 && await this.#sendBatch());
    this.#isSending = false
  }

  async #sendBatch (): Promise<boolean> {
    await this.#deps.ready()
    const gone: GoneTarget[] = []
    for (const [key, stays] of this.#waiting) {
      if (gone.length >= MAX_GONE_PER_CALL) break
      this.#waiting.delete(key)
      if (stays !== undefined) gone.push({ key, stays })
      // Since then its sessions may have ended, or the proxy may know of them.
      else if (this.#deps.sessionsOf(key) > (this.#told.get(key) ?? 0)) gone.push({ key })
    }
    if (gone.length === 0) return true
    const left = await this.#deps.leave(gone)
    for (const { key, stays } of gone) {
      // What was noticed meanwhile is newer.
      if (left === undefined && !this.#waiting.has(key)) this.#waiting.set(key, stays)
      else if (left !== undefined && stays === undefined) this.#told.set(key, left[key] ?? 0)
    }
    return left !== undefined
  }
}
