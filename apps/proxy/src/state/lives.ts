// Which logs belong together: those of one life of the proxy, shard by shard, and whether any of them is missing. A log that
// is sound may still be of the past: what counts of a shard ends where nothing can have come after it.
import { BATCH_HEAD_BYTES, ImageKind } from './format/layout.js'
import type { LogContents, LogHeader } from './format/log-format.js'
import { readMoment, type Moment } from './format/moment.js'
import { hasMark } from './format/saved-images.js'

export interface Log extends LogContents {
  readonly name: string
}

/** What one shard left. */
export interface SavedShard {
  /** Everything it had, in the order in which it was written. */
  readonly batches: readonly Uint8Array[]
  /** When it last wrote. */
  readonly lastMoment: Moment
}

export interface Life {
  readonly header: LogHeader
  readonly shards: ReadonlyMap<number, SavedShard>
  /** Logs after which something is missing: their shards are not in it. */
  readonly unfinished: readonly string[]
  /** The highest generation of its logs; a later life has higher ones. */
  readonly lastGeneration: number
}

/** @param run all logs of one life that can be read */
export function lifeOf (run: readonly Log[]): Life {
  const shards = new Map<number, SavedShard>()
  const unfinished: string[] = []
  for (const logs of groupedBy(run, ({ header }) => header.shard)) {
    const ascending = [...logs].sort((one, other) => one.header.generation - other.header.generation)
    const base = ascending.findLastIndex(({ batches }) => hasMark(batches, ImageKind.complete))
    if (base < 0) continue
    const chain = ascending.slice(base)
    const loose = chain.find((log, index) => !isFollowed(log, chain[index + 1]))
    if (loose === undefined) {
      const batches = chain.flatMap(({ batches }) => batches)
      shards.set(logs[0]!.header.shard, { batches, lastMoment: momentOf(batches.at(-1)!) })
    } else unfinished.push(loose.name)
  }
  return { header: run[0]!.header, shards, unfinished, lastGeneration: Math.max(...run.map(({ header }) => header.generation)) }
}

/** Whether every shard left everything it had. */
export function isWhole ({ header, shards }: Life): boolean {
  return shards.size === header.shards
}

// A log says at its end that there is another, whose header was written before that; nothing else is written there earlier.
function isFollowed ({ header, batches }: Log, next: Log | undefined): boolean {
  const last = batches.at(-1)
  const isContinued = last !== undefined && hasMark([last], ImageKind.continued)
  if (next === undefined) return !isContinued
  return next.header.generation === header.generation + 1 && (isContinued || next.batches.length === 0)
}

/** When a batch was written. */
export function momentOf (batch: Uint8Array): Moment {
  return readMoment(new DataView(batch.buffer, batch.byteOffset, BATCH_HEAD_BYTES), 0)
}

export function groupedBy<Value> (values: readonly Value[], keyOf: (value: Value) => unknown): Value[][] {
  const groups = new Map<unknown, Value[]>()
  for (const value of values) {
    const group = groups.get(keyOf(value))
    if (group === undefined) groups.set(keyOf(value), [value])
    else group.push(value)
  }
  return [...groups.values()]
}
