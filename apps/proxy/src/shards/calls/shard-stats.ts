// The numbers of a shard as plain data, and those of all shards as one.
import { stateStatuses, type StateStatus } from '#rpc/contract.js'
import type { Core } from '../../core/core.js'
import type { Counters } from '../../core/ledger/counters.js'
import { tableSizes, type CoreTable, type TableSize } from '../../core/table-sizes.js'

/** The arrays of the core's counters; see there for what their places mean. */
export type CounterArrays = Pick<Counters, 'received' | 'proxied' | 'bytes' | 'dropped' | 'consumed' | 'redeemed' | 'deadFirstTokens' | 'sessionsCreated' | 'sessionsReset' | 'sessionsEnded' | 'targetsGone'>

const add = (one: number, other: number): number => one + other
const larger = (one: number, other: number): number => Math.max(one, other)

/** The plain numbers of a shard, and how two shards' become one: every shard has every token and, roughly, every target. */
const numbers = {
  sessions: add,
  tokens: larger,
  tokensExpired: larger,
  targets: larger,
  upstreamSockets: add,
  /** Sockets there may be: one for each number and family. */
  maxUpstreamSockets: add,
  socketErrors: add,
  linesSuppressed: add,
  /** Of the state log, in bytes; 0 without one. */
  stateBytes: add,
  /** Times that the state log could not be written. */
  stateFaults: add,
  /** Sessions taken over at the start. */
  sessionsRestored: add
} as const

type ShardNumbers = Readonly<Record<keyof typeof numbers, number>>

export interface ShardStats extends ShardNumbers {
  readonly counters: CounterArrays
  readonly tables: Readonly<Record<CoreTable, TableSize>>
  /** Whether what there is is written; of all shards, the worst. */
  readonly stateStatus: StateStatus
  /** Datagrams that the system dropped before anybody could read them, by data port; empty if the engine cannot tell. */
  readonly receiveDrops: readonly number[]
}

/** What the shard around the core knows. */
export type ShardOwnStats = Pick<ShardStats, 'upstreamSockets' | 'socketErrors' | 'receiveDrops' | 'stateBytes' | 'stateFaults' | 'stateStatus' | 'sessionsRestored'> & { readonly journalSuppressed: number }

export function statsOf ({ state }: Core, { journalSuppressed, ...own }: ShardOwnStats): ShardStats {
  const { received, proxied, bytes, dropped, consumed, redeemed, deadFirstTokens, sessionsCreated, sessionsReset, sessionsEnded, targetsGone } = state.counters
  return {
    ...own,
    counters: { received, proxied, bytes, dropped, consumed, redeemed, deadFirstTokens, sessionsCreated, sessionsReset, sessionsEnded, targetsGone },
    sessions: state.sessions.size,
    tokens: state.tokens.size,
    tokensExpired: state.tokens.expiredUnused,
    targets: state.targets.size,
    maxUpstreamSockets: state.options.limits.maxUpstreamSockets * 2,
    tables: tableSizes(state),
    linesSuppressed: state.warningsSuppressed + journalSuppressed
  }
}

/** All shards together. */
export function totalOf (all: readonly ShardStats[]): ShardStats {
  return all.reduce((total, stats) => ({
    ...Object.fromEntries(Object.entries(numbers).map(([name, join]) => [name, join(total[name as keyof ShardNumbers], stats[name as keyof ShardNumbers])])) as unknown as ShardNumbers,
    counters: Object.fromEntries(Object.entries(total.counters).map(([name, values]) => [name, sum(values, stats.counters[name as keyof CounterArrays])])) as unknown as CounterArrays,
    tables: bothTables(total.tables, stats.tables),
    stateStatus: worseStatus(total.stateStatus, stats.stateStatus),
    receiveDrops: total.receiveDrops.map((drops, index) => drops + (stats.receiveDrops[index] ?? 0))
  }))
}

export function worseStatus (one: StateStatus, other: StateStatus): StateStatus {
  return stateStatuses.indexOf(one) < stateStatuses.indexOf(other) ? other : one
}

function sum (left: Float64Array, right: Float64Array): Float64Array {
  return left.map((value, index) => value + right[index]!)
}

// Tables that every shard has whole: the fullest counts. The others are parts of one.
const replicated: ReadonlySet<string> = new Set<CoreTable>(['tokens', 'targets', 'endpoints'])

function bothTables (left: ShardStats['tables'], right: ShardStats['tables']): ShardStats['tables'] {
  return Object.fromEntries(Object.entries(left).map(([name, size]) => {
    const other = right[name as CoreTable]
    const join = replicated.has(name) ? larger : add
    return [name, { entries: join(size.entries, other.entries), capacity: join(size.capacity, other.capacity) }]
  })) as unknown as ShardStats['tables']
}
