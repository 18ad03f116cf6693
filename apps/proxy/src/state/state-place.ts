// Where what outlives the process is kept: files of a path (stateFilesAt), or what a simulation has in their place.
import type { Clock } from '#core/clock.js'
import { readClaimedState, type ClaimedState } from './state-claim.js'
import type { StateStorage } from './files/state-storage.js'
import { isInMemory, openShardStorage, openStateWriter, type StateWriter, type WriterEnd } from './files/state-writer.js'

export interface StatePlace {
  /** What the names of the logs begin with. */
  readonly path: string
  /** Makes it this process's own, and reads what is there. Throws StateClaimedError. */
  readonly readClaimed: (dataPortNames: readonly string[], log: Parameters<typeof readClaimedState>[2], clock: Clock) => Promise<ClaimedState>
  /** Whether to write there never waits for a disk. */
  readonly isInMemory: () => Promise<boolean>
  /** Starts the thread that writes the logs of so many shards. */
  readonly openWriter: (shards: number) => StateWriter
  /** Where a shard writes: by that thread, or itself. */
  readonly openStorage: (writer: WriterEnd | undefined) => StateStorage
}

/** The logs whose names start with `path` and a dot. */
export function stateFilesAt (path: string): StatePlace {
  return {
    path,
    readClaimed: async (dataPortNames, log, clock) => await readClaimedState(path, dataPortNames, log, clock),
    isInMemory: async () => await isInMemory(path),
    openWriter: shards => openStateWriter(path, shards),
    openStorage: writer => openShardStorage(path, writer)
  }
}
