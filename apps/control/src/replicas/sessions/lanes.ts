// Work for many clients at the same time, and for each client in order: a lane each. While a client's work is under way, or must be
// tried again, only the newest of what comes next is kept. Knows nothing of what the work is.
import type { Cancel, Clock } from '#core/clock.js'

export interface LanesOptions<Work> {
  readonly clock: Clock
  /** Most clients with work that is not done. */
  readonly maxClients: number
  /** Most that are under way. */
  readonly atOnce: number
  /** How long until what failed is tried again, in ms. */
  readonly retryMs: number
  /** How often. */
  readonly maxTries: number
  /** False: try it again. `tries` were made before. Must not throw. */
  readonly run: (client: string, work: Work, tries: number) => Promise<boolean>
  /** There is nothing to do for this client any more. */
  readonly onIdle: (client: string) => void
  /** This was not done: there is too much, or it failed too often. */
  readonly onLeft: (client: string, work: Work) => void
}

interface Lane<Work> {
  readonly work: Work
  readonly tries: number
}

export class Lanes<Work> {
  readonly #options: LanesOptions<Work>
  readonly #waiting = new Map<string, Lane<Work>>()
  readonly #running = new Set<string>()
  // What came while the client's work was under way.
  readonly #next = new Map<string, Work>()
  readonly #failed = new Map<string, Lane<Work>>()
  #isOpen = false
  #cancelRetry: Cancel | undefined

  constructor (options: LanesOptions<Work>) {
    this.#options = options
  }

  /** Clients with work that is not done. */
  get size (): number {
    return this.#waiting.size + this.#running.size + this.#failed.size
  }

  isBusy (client: string): boolean {
    return this.#waiting.has(client) || this.#running.has(client) || this.#failed.has(client)
  }

  /** Whether something came while the client's work was under way. */
  hasNext (client: string): boolean {
    return this.#next.has(client)
  }

  /** Takes the place of what has not begun for this client. */
  submit (client: string, work: Work): void {
    if (this.#running.has(client)) this.#next.set(client, work)
    else if (this.isBusy(client) || this.size < this.#options.maxClients) {
      this.#failed.delete(client)
      this.#waiting.set(client, { work, tries: 0 })
    } else this.#options.onLeft(client, work)
    this.#goOn()
  }

  /** Lets work begin. */
  open (): void {
    this.#isOpen = true
    this.#retry()
  }

  /** Nothing begins from now on; what is under way may fail. */
  shut (): void {
    this.#isOpen = false
  }

  close (): void {
    this.shut()
    this.#cancelRetry?.()
  }

  #goOn (): void {
    while (this.#isOpen && this.#running.size < this.#options.atOnce) {
      const [first] = this.#waiting
      if (first === undefined) return
      const [client, lane] = first
      this.#waiting.delete(client)
      this.#running.add(client)
      void this.#run(client, lane)
    }
  }

  async #run (client: string, { work, tries }: Lane<Work>): Promise<void> {
    const isDone = await this.#options.run(client, work, tries)
    this.#running.delete(client)
    const next = this.#next.get(client)
    this.#next.delete(client)
    if (next !== undefined) this.#waiting.set(client, { work: next, tries: 0 })
    else if (isDone) this.#options.onIdle(client)
    else this.#fail(client, { work, tries: tries + 1 })
    this.#goOn()
  }

  #fail (client: string, lane: Lane<Work>): void {
    const { clock, retryMs, maxTries, onLeft, onIdle } = this.#options
    if (lane.tries >= maxTries) {
      onLeft(client, lane.work)
      onIdle(client)
      return
    }
    this.#failed.set(client, lane)
    if (this.#isOpen) this.#cancelRetry ??= clock.after(retryMs, () => { this.#retry() })
  }

  #retry (): void {
    this.#cancelRetry?.()
    this.#cancelRetry = undefined
    for (const [client, lane] of this.#failed) this.#waiting.set(client, lane)
    this.#failed.clear()
    this.#goOn()
  }
}
