// What a former life of the proxy left behind: which of the logs there are belong together and can be believed.
import { isDeepStrictEqual } from 'node:util'
import { isBatch } from './check-batch.js'
import { type LogContents, type LogFault, type LogHeader, decodeLog } from './log-format.js'
import { SavedImages, writtenAt } from './saved-images.js'
import { generationOf, type StateStorage } from './state-storage.js'

/** Why a log was taken out of the way. */
export type SavedFault = LogFault | 'other_data_ports' | 'unreadable'

export interface FaultyLog {
  readonly name: string
  readonly reason: SavedFault
}

export interface SavedState {
  /** Batches of each shard of the latest life; empty if there is none. */
  readonly shards: ReadonlyMap<number, readonly Uint8Array[]>
  /** How many shards that life had. */
  readonly shardCount: number
  /** When it last wrote, on the wall clock. */
  readonly writtenAtMs: number
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

interface Life {
  readonly header: LogHeader
  readonly shards: ReadonlyMap<number, readonly Uint8Array[]>
}

interface Log extends LogContents {
  readonly name: string
}

/** Reads every log in the storage. Never throws for what is in them. */
export function loadSavedState (storage: StateStorage, dataPortNames: readonly string[]): SavedState {
  const names = storage.list()
  const faulty: FaultyLog[] = []
  const logs: Log[] = []
  for (const name of names) {
    const log = readLog(storage, name, dataPortNames)
    if (typeof log === 'string') faulty.push({ name, reason: log })
    else logs.push(log)
  }
  // A life that left everything comes before one that did not, and the later one before the earlier.
  const latest = groupedBy(logs, ({ header }) => header.run)
    .map(run => ({ header: run[0]!.header, shards: shardsOf(run) }))
    .filter(({ shards }) => shards.size > 0)
    .sort((one, other) => Number(isWhole(other)) - Number(isWhole(one)) || other.header.startedAtMs - one.header.startedAtMs)[0]
  const shards = latest?.shards ?? new Map<number, Uint8Array[]>()
  return {
    shards,
    shardCount: latest?.header.shards ?? 0,
    writtenAtMs: Math.max(0, ...[...shards.values()].map(batches => writtenAt(batches))),
    dataPorts: new Map(latest?.header.dataPorts.map(({ name, port }) => [name, port])),
    faulty,
    torn: logs.filter(({ isTorn }) => isTorn).map(({ name }) => name),
    names,
    nextGeneration: Math.max(0, ...names.map(name => generationOf(name) ?? 0)) + 1
  }
}

function isWhole ({ header, shards }: Life): boolean {
  return shards.size === header.shards
}

function groupedBy<Value> (values: readonly Value[], keyOf: (value: Value) => unknown): Value[][] {
  const groups = new Map<unknown, Value[]>()
  for (const value of values) {
    const group = groups.get(keyOf(value))
    if (group === undefined) groups.set(keyOf(value), [value])
    else group.push(value)
  }
  return [...groups.values()]
}

function readLog (storage: StateStorage, name: string, dataPortNames: readonly string[]): Log | SavedFault {
  let bytes: Uint8Array
  try {
    bytes = storage.read(name)
  } catch { // the system's error: EACCES, EIO, …
    return 'unreadable'
  }
  const log = decodeLog(bytes)
  if (!log.ok) return log.error
  const { header: { dataPorts }, batches } = log.value
  if (!isDeepStrictEqual(dataPorts.map(({ name }) => name), dataPortNames)) return 'other_data_ports'
  // A bug wrote it, or an enemy: half of it would be worse than nothing.
  if (!batches.every(batch => isBatch(batch, dataPorts.length))) return 'corrupt'
  return { ...log.value, name }
}

// What counts of each shard that has everything: its latest complete log, and the one that was begun after it.
function shardsOf (run: readonly Log[]): Map<number, readonly Uint8Array[]> {
  const shards = new Map<number, readonly Uint8Array[]>()
  for (const logs of groupedBy(run, ({ header }) => header.shard)) {
    const ascending = [...logs].sort((one, other) => one.header.generation - other.header.generation)
    const base = ascending.findLastIndex(({ batches }) => new SavedImages(batches).isComplete)
    if (base >= 0) shards.set(logs[0]!.header.shard, ascending.slice(base).flatMap(({ batches }) => batches))
  }
  return shards
}
