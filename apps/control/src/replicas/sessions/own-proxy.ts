// What happened elsewhere, on its way to the own proxy: in batches, in order, one call at a time. What the proxy tells of it
// afterwards is an echo, and nothing new to the store.
import type { Clock } from '#core/clock.js'
import type { Target } from '#rpc/contract.js'
import { MAX_REPLICA_ITEMS, type Elsewhere } from '#rpc/replica-schemas.js'
import type { ReplicaProxy } from '../parts/replica-part.js'
import { isSameTarget } from './bindings.js'

/** How long an echo may take, in ms: a session that was at the target already makes none. */
const ECHO_MS = 10_000

interface Told {
  readonly target: Target
  readonly untilMs: number
}

export class OwnProxy {
  readonly #clock: Clock
  readonly #proxy: Pick<ReplicaProxy, 'isSynchronised' | 'tellElsewhere'>
  #waiting: Elsewhere[] = []
  #isTelling = false
  // By client, the oldest first.
  readonly #told = new Map<string, Told>()

  constructor (clock: Clock, proxy: Pick<ReplicaProxy, 'isSynchronised' | 'tellElsewhere'>) {
    this.#clock = clock
    this.#proxy = proxy
  }

  /** The client's session here goes to `target`, if it has one. */
  move (client: string, target: Target): void {
    this.#forgetOld()
    this.#told.delete(client)
    this.#told.set(client, { target, untilMs: this.#clock.now() + ECHO_MS })
    this.#tell({ client, change: 'moved', target })
  }

  end (client: string): void {
    this.#tell({ client, change: 'ended' })
  }

  /** The client's datagrams come to another replica: its session here ends soon, unless it gets one again. */
  seenElsewhere (client: string): void {
    this.#tell({ client, change: 'seen' })
  }

  /** Whether a session that changed its target did so because it was told to. Asked once for each change. */
  isEcho (client: string, target: Target): boolean {
    const told = this.#told.get(client)
    this.#told.delete(client)
    return told !== undefined && told.untilMs >= this.#clock.now() && isSameTarget(told.target, target)
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
    for (const [client, { untilMs }] of this.#told) {
      if (untilMs >= this.#clock.now()) return
      this.#told.delete(client)
    }
  }
}
