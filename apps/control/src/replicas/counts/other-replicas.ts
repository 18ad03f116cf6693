// How many sessions and unredeemed tokens each target has at the other replicas, as they last said. One that is silent is forgotten.
import type { Clock } from '#core/clock.js'
import { SessionCounts } from '../../proxies/session-counts.js'
import type { LoadElsewhere } from '../../proxies/target-load.js'
import type { ReplicaMessage } from '../../store/shared-store.js'

export type CountsMessage = Extract<ReplicaMessage, { type: 'counts' }>

interface Replica {
  readonly sessions: SessionCounts
  readonly pending: SessionCounts
  heardAtMs: number
}

export class OtherReplicas implements LoadElsewhere {
  readonly #clock: Clock
  readonly #silentMs: () => number
  readonly #replicas = new Map<string, Replica>()

  /** `silentMs` is how long one may be silent, in ms. */
  constructor (clock: Clock, silentMs: () => number) {
    this.#clock = clock
    this.#silentMs = silentMs
  }

  /** How many there are. */
  get size (): number {
    return this.#replicas.size
  }

  /** True if the replica is new here: it does not know this one's counts either. */
  hear ({ replica, sessions, pending = {}, isAll }: CountsMessage): boolean {
    const known = this.#replicas.get(replica)
    const heard = known ?? { sessions: new SessionCounts(), pending: new SessionCounts(), heardAtMs: 0 }
    if (known === undefined) this.#replicas.set(replica, heard)
    heard.heardAtMs = this.#clock.now()
    if (isAll) {
      heard.sessions.clear()
      heard.pending.clear()
    }
    heard.sessions.apply(sessions)
    heard.pending.apply(pending)
    return known === undefined
  }

  /** Forgets those that are silent; their sessions go on at others, which count them. */
  forgetSilent (): void {
    const since = this.#clock.now() - this.#silentMs()
    for (const [name, { heardAtMs }] of this.#replicas) if (heardAtMs < since) this.#replicas.delete(name)
  }

  forgetAll (): void {
    this.#replicas.clear()
  }

  sessions (targetKey: string): number {
    let sum = 0
    for (const { sessions } of this.#replicas.values()) sum += sessions.of(targetKey)
    return sum
  }

  pending (targetKey: string): number {
    let sum = 0
    for (const { pending } of this.#replicas.values()) sum += pending.of(targetKey)
    return sum
  }
}
