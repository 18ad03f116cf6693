// Says that this replica is there, and knows who else is. For people and metrics: nothing depends on it.
import type { Cancel, Clock } from '#core/clock.js'
import type { ReplicaInfo, SharedStore } from '../store/shared-store.js'
import type { ReplicaPart } from './parts/replica-part.js'

/** How often, in ms, and how long it is believed. */
export const ANNOUNCE_PERIOD_MS = 2000
export const ANNOUNCE_TTL_MS = 10_000

export interface PresenceDeps {
  readonly clock: Clock
  readonly store: Pick<SharedStore, 'status' | 'announce' | 'replicas'>
  readonly replica: string
  readonly version: string
  /** Of the own proxy. */
  readonly sessions: () => number
}

export interface PresencePart extends ReplicaPart {
  /** Every replica, this one too, by name. Without the store only this one is known. */
  readonly replicas: () => Promise<readonly ReplicaInfo[]>
}

export function createPresencePart ({ clock, store, replica, version, sessions }: PresenceDeps): PresencePart {
  const sinceMs = clock.wallNow()
  const own = (): ReplicaInfo => ({ replica, version, sessions: sessions(), sinceMs })
  let cancel: Cancel = () => undefined
  const announce = async (): Promise<void> => {
    cancel()
    cancel = clock.after(ANNOUNCE_PERIOD_MS, () => { void announce() })
    if (store.status === 'up') await store.announce(own(), ANNOUNCE_TTL_MS)
  }
  cancel = clock.after(ANNOUNCE_PERIOD_MS, () => { void announce() })
  return {
    replicas: async () => {
      const found = store.status === 'up' ? await store.replicas() : undefined
      const others = found?.ok === true ? found.value.filter(each => each.replica !== replica) : []
      return [own(), ...others].sort((one, other) => one.replica < other.replica ? -1 : 1)
    },
    onStoreUp: announce,
    close: () => { cancel() }
  }
}
