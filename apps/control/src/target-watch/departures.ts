// Targets that are gone, on their way to the proxy: each once, however often it is noticed, until it has acknowledged.
import { MAX_GONE_PER_CALL, type GoneTarget, type Target } from '#rpc/contract.js'

export interface DeparturesDeps {
  /** Tells the proxy; how many sessions each key has afterwards, or undefined if it was not acknowledged. */
  readonly leave: (gone: GoneTarget[]) => Promise<Readonly<Record<string, number>> | undefined>
  /** The target that has the key now; undefined if there is none. */
  readonly targetOf: (key: string) => Target | undefined
  readonly sessionsOf: (key: string) => number
}

export class Departures {
  readonly #deps: DeparturesDeps
  readonly #waiting = new Set<string>()
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
    if (sessions > told) this.#waiting.add(key)
    else if (sessions > 0) this.#told.set(key, sessions)
    else this.#told.delete(key)
  }

  /** Another target has the key now. */
  replaced (key: string): void {
    this.#told.delete(key)
    this.#waiting.add(key)
  }

  /** There is a target with the key; one that is waiting to be told of was before it. */
  present (key: string): void {
    this.#told.delete(key)
  }

  /** Looks again at what the proxy was told: it may be another one now, without those sessions. */
  recount (): void {
    for (const key of [...this.#told.keys()]) this.gone(key)
  }

  /** Tells the proxy what waits. What it does not acknowledge waits for the next call. */
  async send (): Promise<void> {
    if (this.#isSending) return
    this.#isSending = true
    while (this.#waiting.size > 0 && await this.#sendBatch());
    this.#isSending = false
  }

  async #sendBatch (): Promise<boolean> {
    const keys = [...this.#waiting].slice(0, MAX_GONE_PER_CALL)
    for (const key of keys) this.#waiting.delete(key)
    const gone = keys.flatMap(key => this.#goneTarget(key))
    if (gone.length === 0) return true
    const left = await this.#deps.leave(gone)
    for (const { key, stays } of gone) {
      if (left === undefined) this.#waiting.add(key)
      else if (stays === undefined) this.#told.set(key, left[key] ?? 0)
    }
    return left !== undefined
  }

  // As it is when it leaves: since it was noticed another may have come, or the sessions may be gone or known to the proxy.
  #goneTarget (key: string): GoneTarget[] {
    const stays = this.#deps.targetOf(key)
    if (stays !== undefined) return [{ key, stays }]
    return this.#deps.sessionsOf(key) > (this.#told.get(key) ?? 0) ? [{ key }] : []
  }
}
