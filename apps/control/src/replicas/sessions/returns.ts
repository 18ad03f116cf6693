// Clients that were seen elsewhere and came back: their session here did not end, so the others that have them are told in turn. Without
// this, a client that returns within half a minute would be counted twice until its other session times out.
import type { Cancel, Clock } from '#core/clock.js'
import type { Binding } from '#rpc/replica-schemas.js'

/** How long a session lives that was seen elsewhere and gets no datagram, in ms: the proxy's own figure, told in docs/rpc.md. */
export const SEEN_ELSEWHERE_MS = 30_000
/** The proxy was told a little later. */
const LATER_MS = 1000
/** Clients looked at in one go: nearly all of a balancer's move have not come back, and their sessions are over. */
const AT_ONCE = 4

export interface ReturnsDeps {
  readonly clock: Clock
  /** The session that a client has here; undefined if it has none, or the proxy does not say. */
  readonly find: (client: string) => Promise<Binding | undefined>
  readonly onReturned: (binding: Binding) => void
}

export class Returns {
  readonly #deps: ReturnsDeps
  // By client, when to look; the soonest first.
  readonly #due = new Map<string, number>()
  #cancel: Cancel | undefined
  #isLooking = false

  constructor (deps: ReturnsDeps) {
    this.#deps = deps
  }

  /** Clients that may come back. */
  get size (): number {
    return this.#due.size
  }

  seenElsewhere (client: string): void {
    this.#due.delete(client)
    this.#due.set(client, this.#deps.clock.now() + SEEN_ELSEWHERE_MS + LATER_MS)
    this.#watch()
  }

  /** Its session here is over, as it should. */
  over (client: string): void {
    this.#due.delete(client)
  }

  close (): void {
    this.#due.clear()
    this.#cancel?.()
  }

  #watch (): void {
    const [soonest] = this.#due.values()
    if (this.#cancel !== undefined || this.#isLooking || soonest === undefined) return
    const { clock } = this.#deps
    this.#cancel = clock.after(Math.max(0, soonest - clock.now()), () => {
      this.#cancel = undefined
      void this.#look()
    })
  }

  async #look (): Promise<void> {
    const { clock, find, onReturned } = this.#deps
    this.#isLooking = true
    const clients: string[] = []
    for (const [client, dueMs] of this.#due) {
      if (dueMs > clock.now() || clients.length === AT_ONCE) break
      this.#due.delete(client)
      clients.push(client)
    }
    // Whoever did not come back has none any more.
    for (const binding of await Promise.all(clients.map(find))) if (binding !== undefined) onReturned(binding)
    this.#isLooking = false
    this.#watch()
  }
}
