// Lives of a proxy without sockets: a core and its state log, and what the next life makes of the logs there are.
import type { Clock } from '#core/clock.js'
import { createFakeClock, type FakeClock } from '../fake-clock.js'
import type { Core } from '../../apps/proxy/src/core/core.js'
import { Translator } from '../../apps/proxy/src/shards/calls/translate.js'
import { restoreSessions, restoreTokens } from '../../apps/proxy/src/state/restore.js'
import { loadSavedState, type SavedState } from '../../apps/proxy/src/state/saved-state.js'
import { savedTokens } from '../../apps/proxy/src/state/saved-tokens.js'
import { StateLog } from '../../apps/proxy/src/state/state-log.js'
import type { StateStorage } from '../../apps/proxy/src/state/files/state-storage.js'
import { MemoryStorage } from '../memory-storage.js'
import { dataPortNames, smallCore, takeStep, type Step } from './core-history.js'

/** Logs this short are begun anew every few steps, and take several slices. */
const pace = { growthBytes: 300, sliceSlots: 2 }

export const translator = new Translator(dataPortNames)

export interface Life {
  readonly core: Core
  readonly clock: FakeClock
  readonly log: StateLog
  readonly storage: MemoryStorage
}

/** A life that goes through these steps and is then as a kill finds it. */
export function live (steps: readonly Step[], storage = new MemoryStorage(), place = { shard: 0, shards: 1 }): Life {
  const clock = createFakeClock()
  const core = smallCore()
  const log = openLog(core, clock, storage, place)
  for (const step of steps) {
    takeStep(core, step, clock.now())
    // Before anything leaves the process, as the engines do.
    log.flush()
    if (step.do !== 'pass') continue
    clock.advance(step.ms)
    log.tick()
  }
  return { core, clock, log, storage }
}

export function openLog (core: Core, clock: Clock, storage: StateStorage, { shard, shards } = { shard: 0, shards: 1 }): StateLog {
  const dataPorts = dataPortNames.map((name, index) => ({ name, port: 7777 + index }))
  const log = new StateLog({ storage, state: core.state, clock, header: { run: 'run', bootId: clock.boot()?.id, shard, shards, generation: 1, dataPorts }, onHealth: ({ error }) => { if (error !== undefined) throw error }, ...pace })
  log.open()
  return log
}

/** A clock of the next life: the same machine's and the same wall's, later, and another of its own. */
export function clockAfter (clock: Clock, absentMs: number): FakeClock {
  const later = createFakeClock(clock.now() + absentMs)
  return { ...later, now: () => later.now() + 12_345 }
}

export interface NextLife {
  readonly saved: SavedState
  /** One for each shard. */
  readonly cores: readonly Core[]
}

/** What the next life makes of the logs there are. */
export function restoreOnto (storage: StateStorage, shards: number, clock: Clock): NextLife {
  const saved = loadSavedState(storage, dataPortNames)
  const tokens = savedTokens(saved, clock)
  const cores = Array.from({ length: shards }, (_, shard) => {
    const core = smallCore()
    restoreSessions(core.state, saved, { shard, shards, clock })
    restoreTokens(core.state, tokens, clock.now())
    return core
  })
  return { saved, cores }
}
