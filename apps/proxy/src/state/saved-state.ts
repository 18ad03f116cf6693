// What a former life of the proxy left behind: which of the logs there are can be believed.
import { isDeepStrictEqual } from 'node:util'
import { isBatch } from './format/check-batch.js'
import { groupedBy, isWhole, lifeOf, type Log, type SavedShard } from './lives.js'
import { type LogFault, decodeLog } from './format/log-format.js'
import { generationOf, logName, type StateStorage } from './files/state-storage.js'

/** Why a log was taken out of the way. */
export type SavedFault = LogFault | 'other_data_ports' | 'unreadable' | 'unfinished'

export interface FaultyLog {
  readonly name: string
  readonly reason: SavedFault
}

export interface SavedState {
  /** By number, the shards of the latest life that left everything; empty if there is none. */
  readonly shards: ReadonlyMap<number, SavedShard>
  /** How many shards that life had. */
  readonly shardCount: number
  /** The start of the machine in which that was. */
  readonly bootId: string | undefined
  /** A later life had begun. What it did is not known, and some of what is here may not be so any more. */
  readonly isOutdated: boolean
  /** Ports that data ports had, by name. */
  readonly dataPorts: ReadonlyMap<string, number>
  /** Logs that cannot be believed. One of them may have said which tokens were redeemed. */
  readonly faulty: readonly FaultyLog[]
  /** Logs whose last batch was cut off; all before it counts. */
  readonly torn: readonly string[]
  /** Every log there is, to be removed once the next life has written its own. */
  readonly names: readonly string[]
  /** Above that of every log there is. */
  readonly nextGeneration: number
}

/** Reads every log in the storage. Never throws for what is in them. */
export function loadSavedState (storage: Pick<StateStorage, 'list' | 'read'>, dataPortNames: readonly string[]): SavedState {
  const names = storage.list()
  const faulty: FaultyLog[] = []
  const logs: Log[] = []
  for (const name of names) {
    const log = readLog(storage, name, dataPortNames)
    if (typeof log === 'string') faulty.push({ name, reason: log })
    else logs.push(log)
  }
  const lives = groupedBy(logs, ({ header }) => header.run).map(lifeOf)
  // A life that left everything comes before one that did not, and the later one before the earlier.
  const [latest] = lives.filter(({ shards }) => shards.size > 0)
    .sort((one, other) => Number(isWhole(other)) - Number(isWhole(one)) || other.lastGeneration - one.lastGeneration)
  return {
    shards: latest?.shards ?? new Map<number, SavedShard>(),
    shardCount: latest?.header.shards ?? 0,
    bootId: latest?.header.bootId,
    isOutdated: latest !== undefined && lives.some(({ lastGeneration }) => lastGeneration > latest.lastGeneration),
    dataPorts: new Map(latest?.header.dataPorts.map(({ name, port }) => [name, port])),
    faulty: [...faulty, ...lives.flatMap(({ unfinished }) => unfinished).map(name => ({ name, reason: 'unfinished' as const }))],
    torn: logs.filter(({ isTorn }) => isTorn).map(({ name }) => name),
    names,
    nextGeneration: Math.max(0, ...names.map(name => generationOf(name) ?? 0)) + 1
  }
}

function readLog (storage: Pick<StateStorage, 'read'>, name: string, dataPortNames: readonly string[]): Log | SavedFault {
  let bytes: Uint8Array
  try {
    bytes = storage.read(name)
  } catch { // the system's error: EACCES, EIO, …
    return 'unreadable'
  }
  const log = decodeLog(bytes)
  if (!log.ok) return log.error
  const { header: { shard, generation, dataPorts }, batches } = log.value
  // The file was renamed, or put in place of another.
  if (logName(shard, generation) !== name) return 'corrupt'
  // The one place where a saved state meets the data ports there are now. From here on index i is the same data port in both.
  if (!isDeepStrictEqual(dataPorts.map(({ name }) => name), dataPortNames)) return 'other_data_ports'
  // The file is damaged or forged. Use none of it: a partial restore is worse than an empty start.
  if (!batches.every(batch => isBatch(batch, dataPorts.length))) return 'corrupt'
  return { ...log.value, name }
}
