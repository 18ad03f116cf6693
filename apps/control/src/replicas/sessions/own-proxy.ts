// What happened elsewhere, on its way to the own proxy: in batches, in order, one call at a time. The proxy tells nothing of that
// afterwards; what it tells of the same client may be older, because events and calls overtake each other.
import type { Clock } from '#core/clock.js'
import type { Target } from '#rpc/contract.js'
import { MAX_REPLICA_ITEMS, type Elsewhere } from '#rpc/replica-schemas.js'
import type { ReplicaProxy } from '../parts/replica-part.js'

/** How long an event may be on its way, in ms. */
const OVERTAKEN_MS = 10_000

export class OwnProxy {
  readonly #clock: Clock
  readonly #proxy: Pick<ReplicaProxy, 'isSynchronised' | 'tellElsewhere'>
  #waiting: Elsewhere[] = []
  #isTelling = false
  // By client, until when an event may be older than what was told; the oldest first.
  readonly #told = new Map<string, number>()

  constructor (clock: Clock, proxy: Pick<ReplicaProxy, 'isSynchronised' | 'tellElsewhere'>) {
    this.#clock = clock
    this.#proxy = proxy
  }

  /** The client's session here goes to `target`, if it has one. */
  move (client: string, target: Target): void {
    this.#forgetOld()
    this.#told.delete(client)
    this.#told.set(client, this.#clock.now() + OVERTAKEN_MS)
    this.#tell({ client, change: 'moved', target })
  }

  end (client: string): void {
    this.#tell({ client, change: 'ended' })
  }

  /** The client's datagrams come to another replica: its session here ends soon, unless it gets one again. */
  seenElsewhere (client: string): void {
    this.#tell({ client, change: 'seen' })
  }

  /** Whether the client's session was told to move a moment ago. If it says now that it has changed, nobody knows which came first. */
  wasMoved (client: string): boolean {
    return (this.#told.get(client) ?? -Infinity) >= this.#clock.now()
  }

  /** It is there again: what it was told before is done, or lost. */
  forget (): void {
    this.#told.clear()
  }

  #tell (elsewhere: Elsewhere): void {
    // It is told all that matters when it is back: every session is compared with the store.
    if (!this.#proxy.isSynchronised) return
    this.#waiting.push(elsewhere)
    if (this.#isTelling) return
    this.#isTelling = true
    queueMicrotask(() => { void this.#tellAll() })
  }

  async #tellAll (): Promise<void> {
    while (this.#waiting.length > 0) {
      const batch = this.#waiting.splice(0, MAX_REPLICA_ITEMS)
      if (await this.#proxy.tellElsewhere(batch)) continue
      this.#waiting = []
      this.#told.clear()
    }
    this.#isTelling = false
  }

  #forgetOld (): void {
    for (const [client, untilMs] of this.#told) {
      if (untilMs >= this.#clock.now()) return
      this.#told.delete(client)
    }
  }
}
