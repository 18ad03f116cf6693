// The state logs that this proxy finds when it starts: read, reported, and removed once it has written its own.
import { rm } from 'node:fs/promises'
import type { Clock } from '#core/clock.js'
import type { ShardVoice } from '../shards/shard.js'
import { elapsedSince } from './moment.js'
import { loadSavedState, type SavedState } from './saved-state.js'
import { openStateDirectory } from './state-directory.js'
import { generationOf, type StateStorage } from './state-storage.js'

export interface FormerState {
  /** What the names of the logs begin with. */
  readonly path: string
  readonly saved: SavedState
  /** Logs that cannot be believed. */
  readonly faults: number
  /**
   * Removes what was read, or sets it aside: call it when every shard has a log of its own, and do not wait for it in a hurry. Not before: a proxy that cannot
   * have its data ports has no business with the files of the one that has them.
   */
  readonly remove: () => Promise<void>
}

/** What cannot be removed is believed for so long after it was written, in ms: longer than a process takes to come back. */
const FRESH_MS = 3000

/**
 * Reads what is there; logs that cannot be believed are set aside, with a warning each. Whatever is wrong with the
 * directory, the proxy starts.
 */
export function readFormerState (path: string, dataPortNames: readonly string[], { log }: Pick<ShardVoice, 'log'>, clock: Pick<Clock, 'boot' | 'wallNow'>): FormerState {
  const storage = openStateDirectory(path)
  const all = readAll(storage, dataPortNames, error => { log('warn', { err: error, path }, 'State logs cannot be read') })
  for (const { name, reason } of all.faulty) log('warn', { file: `${path}.${name}`, reason }, 'State log set aside, what it held is lost')
  for (const name of all.torn) log('warn', { file: `${path}.${name}` }, 'State log ends within a batch, the batches before it count')
  const isStale = !isFresh(all, clock) && !isWritable(storage, all.nextGeneration)
  if (isStale) log('warn', { path, writtenMsAgo: Math.min(...agesOf(all, clock)) }, 'State logs cannot be replaced and may be of another time, what they hold is not used')
  const faulty = new Set(all.faulty.map(({ name }) => name))
  return {
    path,
    saved: isStale ? { ...all, shards: new Map(), shardCount: 0 } : all,
    faults: all.faulty.length,
    remove: async () => {
      for (const name of faulty) {
        const error = failureOf(() => { storage.setAside(name) })
        if (error !== undefined) log('warn', { err: error, path }, 'State log cannot be set aside')
      }
      // The oldest first: a log is of no use without what was begun before it.
      for (const name of [...all.names].sort((one, other) => generationOf(one)! - generationOf(other)!)) {
        if (!faulty.has(name)) await rm(`${path}.${name}`, { force: true }).catch((error: unknown) => { log('warn', { err: error }, 'State log cannot be removed') })
      }
    }
  }
}

function readAll (storage: StateStorage, dataPortNames: readonly string[], onFault: (error: unknown) => void): SavedState {
  try {
    return loadSavedState(storage, dataPortNames)
  } catch (error) {
    // Without a directory there has been no life before this one.
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') onFault(error)
    return loadSavedState({ list: () => [], read: () => new Uint8Array() }, dataPortNames)
  }
}

function agesOf ({ shards, bootId }: SavedState, clock: Pick<Clock, 'boot' | 'wallNow'>): number[] {
  return [...shards.values()].map(({ lastMoment }) => elapsedSince(lastMoment, bootId, clock))
}

// The one who wrote it has only just gone.
function isFresh (saved: SavedState, clock: Pick<Clock, 'boot' | 'wallNow'>): boolean {
  return agesOf(saved, clock).every(age => age <= FRESH_MS)
}

function isWritable (storage: StateStorage, generation: number): boolean {
  const name = `0.${generation}`
  return failureOf(() => {
    storage.create(name).close()
    storage.remove(name)
  }) === undefined
}

// The system's error: EROFS, EACCES, ENOSPC, …
function failureOf (run: () => void): unknown {
  try {
    run()
    return undefined
  } catch (error) {
    return error
  }
}
