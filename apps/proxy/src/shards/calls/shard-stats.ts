// The numbers of a shard as plain data, and those of all shards as one.
import { stateStatuses, type StateStatus } from '#rpc/contract.js'
import type { MetricName } from '#telemetry/metrics-table.js'
import type { Core } from '../../core/core.js'
import type { Counters } from '../../core/ledger/counters.js'
import { Origin } from '../../core/tables/session-table.js'
import { tableSizes, type CoreTable, type TableSize } from '../../core/table-sizes.js'
import type { Engine } from '../../engines/engine.js'
import type { SocketFaults } from '../journal/socket-faults.js'

/** The arrays of the core's counters; see there for what their places mean. */
export type CounterArrays = Pick<Counters, 'received' | 'proxied' | 'bytes' | 'dropped' | 'consumed' | 'redeemed' | 'deadFirstTokens' | 'sessionsCreated' | 'sessionsReset' | 'sessionsEnded' | 'targetsGone' | 'asks'>

const add = (one: number, other: number): number => one + other
const larger = (one: number, other: number): number => Math.max(one, other)

/** What the numbers of a shard are read from. */
export interface ShardParts {
  readonly core: Core
  readonly engine: Pick<Engine, 'upstreamSockets' | 'receiveDrops'>
  readonly journal: { readonly suppressed: number }
  readonly socketFaults: SocketFaults
  /** Undefined where nothing is kept. */
  readonly log: { readonly bytes: number, readonly faults: number, readonly health: StateStatus } | undefined
  readonly sessionsRestored: number
  /** Of what was told about other replicas. */
  readonly replicas: { readonly seenElsewhere: number }
}

interface NumberRow {
  readonly of: (shard: ShardParts) => number
  /** How two shards' become one: every shard has every token and, roughly, every target. */
  readonly join: (one: number, other: number) => number
  /** The metric that it is, if it is one as it stands and without labels. */
  readonly metric?: MetricName
}

/** The plain numbers of a shard. */
const numbers = {
  sessions: { of: ({ core }) => core.state.sessions.size, join: add, metric: 'udp_director_sessions_active' },
  tokens: { of: ({ core }) => core.state.tokens.size, join: larger, metric: 'udp_director_tokens_active' },
  tokensExpired: { of: ({ core }) => core.state.tokens.expiredUnused, join: larger, metric: 'udp_director_tokens_expired_total' },
  targets: { of: ({ core }) => core.state.targets.size, join: larger, metric: 'udp_director_targets_active' },
  upstreamSockets: { of: ({ engine }) => engine.upstreamSockets(), join: add, metric: 'udp_director_upstream_sockets' },
  /** Sockets there may be: one for each number and family. */
  maxUpstreamSockets: { of: ({ core }) => core.state.options.limits.maxUpstreamSockets * 2, join: add },
  socketErrors: { of: ({ socketFaults }) => socketFaults.total, join: add, metric: 'udp_director_socket_errors_total' },
  linesSuppressed: { of: ({ core, journal, socketFaults }) => core.state.warningsSuppressed + journal.suppressed + socketFaults.suppressed, join: add, metric: 'udp_director_log_lines_suppressed_total' },
  /** Of the state log, in bytes; 0 without one. */
  stateBytes: { of: ({ log }) => log?.bytes ?? 0, join: add, metric: 'udp_director_state_bytes' },
  /** Times that the state log could not be written. */
  stateFaults: { of: ({ log }) => log?.faults ?? 0, join: add },
  heldDatagrams: { of: ({ core }) => core.asks.heldCount, join: add, metric: 'udp_director_held_datagrams' },
  sessionsFollowed: { of: ({ core }) => core.state.counters.sessionsCreated[Origin.followed]!, join: add, metric: 'udp_director_sessions_followed_total' },
  sessionsSeenElsewhere: { of: ({ replicas }) => replicas.seenElsewhere, join: add, metric: 'udp_director_sessions_seen_elsewhere_total' },
  /** Sessions taken over at the start. */
  sessionsRestored: { of: ({ sessionsRestored }) => sessionsRestored, join: add, metric: 'udp_director_sessions_restored' }
} as const satisfies Record<string, NumberRow>

const numberRows = Object.entries(numbers) as [keyof ShardNumbers, NumberRow][]

type ShardNumbers = Readonly<Record<keyof typeof numbers, number>>

export interface ShardStats extends ShardNumbers {
  readonly counters: CounterArrays
  readonly tables: Readonly<Record<CoreTable, TableSize>>
  /** Whether what there is is written; of all shards, the worst. */
  readonly stateStatus: StateStatus
  /** Datagrams that the system dropped before anybody could read them, by data port; empty if the engine cannot tell. */
  readonly receiveDrops: readonly number[]
}

export function statsOf (shard: ShardParts): ShardStats {
  const { received, proxied, bytes, dropped, consumed, redeemed, deadFirstTokens, sessionsCreated, sessionsReset, sessionsEnded, targetsGone, asks } = shard.core.state.counters
  return {
    ...numbersBy(({ of }) => of(shard)),
    counters: { received, proxied, bytes, dropped, consumed, redeemed, deadFirstTokens, sessionsCreated, sessionsReset, sessionsEnded, targetsGone, asks },
    tables: tableSizes(shard.core.state),
    stateStatus: shard.log?.health ?? 'off',
    receiveDrops: shard.engine.receiveDrops()
  }
}

/** The numbers that are metrics as they stand. */
export function plainMetrics (stats: ShardStats): { readonly name: MetricName, readonly value: number }[] {
  return numberRows.flatMap(([number, { metric }]) => metric === undefined ? [] : { name: metric, value: stats[number] })
}

/** All shards together. */
export function totalOf (all: readonly ShardStats[]): ShardStats {
  return all.reduce((total, stats) => ({
    ...numbersBy(({ join }, name) => join(total[name], stats[name])),
    counters: Object.fromEntries(Object.entries(total.counters).map(([name, values]) => [name, sum(values, stats.counters[name as keyof CounterArrays])])) as unknown as CounterArrays,
    tables: bothTables(total.tables, stats.tables),
    stateStatus: worseStatus(total.stateStatus, stats.stateStatus),
    receiveDrops: total.receiveDrops.map((drops, index) => drops + (stats.receiveDrops[index] ?? 0))
  }))
}

function numbersBy (value: (row: NumberRow, name: keyof ShardNumbers) => number): ShardNumbers {
  return Object.fromEntries(numberRows.map(([name, row]) => [name, value(row, name)])) as unknown as ShardNumbers
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
