// The state logs that this proxy finds when it starts: read, reported, and removed once it has written its own.
import type { Clock } from '#core/clock.js'
import { elapsedSince } from './format/moment.js'
import { savedFilesAt, within, type SavedFiles } from './files/saved-files.js'
import { loadSavedState, type SavedState } from './saved-state.js'
import { generationOf, logName } from './files/state-storage.js'

/** Who is told what was found: a constant sentence with its variables beside it. */
export interface StateVoice {
  readonly log: (level: 'warn', fields: object, message: string) => void
}

export interface FormerState {
  /** What the names of the logs begin with. */
  readonly path: string
  readonly saved: SavedState
  /** Logs before this generation were not read; left out if all were. */
  readonly unreadBefore?: number
  /** Logs that cannot be believed. */
  readonly faults: number
  /**
   * Removes what was read, or sets it aside. Call it when every shard has a log of its own, not before: a proxy that cannot
   * bind its data ports must not touch the files of the proxy that has them. It may take long.
   */
  readonly remove: () => Promise<void>
}

/** What cannot be removed is believed for so long after it was written, in ms: longer than a process takes to come back. */
const FRESH_MS = 3000

/** A disk that takes longer than this to give back what it was given is not waited for, in ms. */
export const READ_WAIT_MS = 10_000

type StateClock = Pick<Clock, 'boot' | 'wallNow' | 'after'>

/**
 * Reads what is there; logs that cannot be believed are set aside, with a warning each. Whatever is wrong with the
 * directory, the proxy starts: without its past if the disk does not answer in time.
 */
export async function readFormerState (path: string, dataPortNames: readonly string[], { log }: StateVoice, clock: StateClock, files: SavedFiles = savedFilesAt(path)): Promise<FormerState> {
  const reading = files.read().catch((error: unknown) => {
    // Without a directory there has been no life before this one.
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') log('warn', { err: error, path }, 'State logs cannot be read')
    return new Map<string, Uint8Array | undefined>()
  })
  const logs = await within(READ_WAIT_MS, clock, reading)
  const aside = async (name: string): Promise<void> => {
    await files.setAside(name).catch((error: unknown) => { log('warn', { err: error, path }, 'State log cannot be set aside') })
  }
  if (logs === undefined) {
    log('warn', { path, waitedMs: READ_WAIT_MS }, 'State logs were not read in time, what they hold is not used')
    // Above any that there can be: nothing that was not read is written over.
    const nextGeneration = Math.max(1, Math.floor(clock.wallNow()))
    // By the time it is read there are logs of this life as well.
    void reading.then(async late => { for (const name of oldestFirst([...late.keys()])) if (generationOf(name)! < nextGeneration) await aside(name) })
    return { path, saved: { ...savedStateOf(new Map(), dataPortNames), nextGeneration }, unreadBefore: nextGeneration, faults: 1, remove: async () => {} }
  }
  const all = savedStateOf(logs, dataPortNames)
  for (const { name, reason } of all.faulty) log('warn', { file: `${path}.${name}`, reason }, 'State log set aside, what it held is lost')
  for (const name of all.torn) log('warn', { file: `${path}.${name}` }, 'State log ends within a batch, the batches before it count')
  const isStale = !isFresh(all, clock) && !await isWritable(files, all.nextGeneration, clock)
  if (isStale) log('warn', { path, writtenMsAgo: Math.min(...agesOf(all, clock)) }, 'State logs cannot be replaced and may be of another time, what they hold is not used')
  const faulty = new Set(all.faulty.map(({ name }) => name))
  return {
    path,
    saved: isStale ? { ...all, shards: new Map(), shardCount: 0 } : all,
    faults: all.faulty.length,
    remove: async () => {
      for (const name of faulty) await aside(name)
      // A log is of no use without what was begun before it.
      for (const name of oldestFirst(all.names)) {
        if (!faulty.has(name)) await files.remove(name).catch((error: unknown) => { log('warn', { err: error }, 'State log cannot be removed') })
      }
    }
  }
}

function savedStateOf (logs: ReadonlyMap<string, Uint8Array | undefined>, dataPortNames: readonly string[]): SavedState {
  const read = (name: string): Uint8Array => {
    const bytes = logs.get(name)
    if (bytes === undefined) throw new Error('it could not be read')
    return bytes
  }
  return loadSavedState({ list: () => [...logs.keys()], read }, dataPortNames)
}

function oldestFirst (names: readonly string[]): string[] {
  return [...names].sort((one, other) => generationOf(one)! - generationOf(other)!)
}

function agesOf ({ shards, bootId }: SavedState, clock: StateClock): number[] {
  return [...shards.values()].map(({ lastMoment }) => elapsedSince(lastMoment, bootId, clock))
}

// The process that wrote it ended only just now.
function isFresh (saved: SavedState, clock: StateClock): boolean {
  return agesOf(saved, clock).every(age => age <= FRESH_MS)
}

async function isWritable (files: SavedFiles, generation: number, clock: StateClock): Promise<boolean> {
  return await within(READ_WAIT_MS, clock, files.tryToWrite(logName(0, generation)).then(() => true, () => false)) ?? false
}
