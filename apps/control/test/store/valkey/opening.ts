// Stores on real servers, as a director opens them.
import { pino } from 'pino'
import type { SharedState } from '#config/schema.js'
import type { Clock } from '#core/clock.js'
import { systemClock } from '#core/system-clock.js'
import type { SharedStore, StoreEvents } from '../../../src/store/shared-store.js'
import { openValkeyStore } from '../../../src/store/valkey/open-valkey-store.js'
import type { OpenStore } from '../conformance.js'

/** Long: a busy machine is not late. */
const DEADLINE_MS = 20_000

/** The configuration with its defaults. */
export function stateOf (given: Partial<SharedState> & Pick<SharedState, 'urls'>): SharedState {
  return { provider: 'valkey', mode: 'single', prefix: 'ud', follow: true, onUnavailable: 'local', ...given }
}

/** What opens a replica's store with this configuration. */
export function opener (given: Partial<SharedState> & Pick<SharedState, 'urls'>, deadlineMs = DEADLINE_MS, clock: Clock = systemClock): OpenStore {
  return async (replica: string, events: StoreEvents): Promise<SharedStore> => {
    const opened = await openValkeyStore({
      sharedState: stateOf(given),
      replica,
      deadlineMs,
      clock,
      random: Math.random,
      log: pino({ level: 'silent' }),
      events
    })
    if (!opened.ok) throw new Error(opened.error)
    return opened.value
  }
}
