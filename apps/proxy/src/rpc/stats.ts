// The proxy's metrics, from the numbers of its shards, when somebody asks. Names and labels are those of the metric table.
import type { EventKind, Sample } from '#rpc/contract.js'
import type { MetricName } from '#telemetry/metrics-table.js'
import { askKindNames, askOutcomeNames, columnOf, consumedKindNames, directionNames, endCauseNames, goneActionNames, REASONS, type Direction } from '../core/ledger/counters.js'
import { dropReasons, tokenReasons } from '../core/ledger/drop-reason.js'
import { coreTables, type CoreTable, type TableSize } from '../core/table-sizes.js'
import { originNames } from '../core/tables/session-table.js'
import { plainMetrics, type CounterArrays, type ShardStats } from '../shards/calls/shard-stats.js'

/** What the server of calls bounds. */
export const rpcTables = ['rpc_connections', 'rpc_calls'] as const
export type RpcTable = typeof rpcTables[number]

/** Values of the label `table`, of this process. */
export const proxyTables = [...coreTables, 'upstream_sockets', ...rpcTables] as const

export interface StatsSources {
  /** Of all shards together. */
  readonly stats: ShardStats
  readonly dataPortNames: readonly string[]
  readonly eventsSkipped: ReadonlyMap<EventKind, number>
  /** Calls and connections of the RPC server. */
  readonly rpcTables: Readonly<Record<RpcTable, TableSize>>
  readonly stateLogsSetAside: number
  readonly isDraining: boolean
  readonly processSamples: readonly Sample[]
}

/** Datagrams that belong to no data port: replies from strangers. */
const NO_DATA_PORT = 'none'

export function collectStats ({ stats, dataPortNames, eventsSkipped, rpcTables, stateLogsSetAside, isDraining, processSamples }: StatsSources): Sample[] {
  const { counters } = stats
  return [
    ...plainMetrics(stats).map(({ name, value }) => sample(name, value)),
    ...named('udp_director_sessions_created_total', 'origin', originNames, counters.sessionsCreated),
    ...named('udp_director_sessions_reset_total', 'origin', originNames, counters.sessionsReset),
    ...named('udp_director_sessions_ended_total', 'cause', endCauseNames, counters.sessionsEnded),
    ...named('udp_director_targets_gone_total', 'action', goneActionNames, counters.targetsGone),
    ...named('udp_director_tokens_redeemed_total', 'data_port', dataPortNames, counters.redeemed),
    ...tokenReasons.map(reason => sample('udp_director_first_tokens_dead_total', counters.deadFirstTokens[reason]!, { reason: dropReasons[reason].name })),
    ...named('udp_director_packets_consumed_total', 'kind', consumedKindNames, counters.consumed),
    ...perDirection(counters, dataPortNames),
    ...stats.receiveDrops.map((drops, index) => sample('udp_director_receive_drops_total', drops, { data_port: dataPortNames[index]! })),
    ...askKindNames.flatMap((of, kind) => askOutcomeNames.map((outcome, number) => sample('udp_director_asks_total', counters.asks[kind * askOutcomeNames.length + number]!, { of, outcome }))),
    ...tables({ ...stats.tables, upstream_sockets: { entries: stats.upstreamSockets, capacity: stats.maxUpstreamSockets }, ...rpcTables }),
    ...[...eventsSkipped].map(([event, lines]) => sample('udp_director_events_dropped_total', lines, { event })),
    sample('udp_director_draining', isDraining ? 1 : 0, { process: 'proxy' }),
    sample('udp_director_state_behind', stats.stateStatus === 'late' || stats.stateStatus === 'failed' ? 1 : 0),
    sample('udp_director_state_faults_total', stats.stateFaults, { operation: 'write' }),
    sample('udp_director_state_faults_total', stateLogsSetAside, { operation: 'read' }),
    ...processSamples
  ]
}

function sample (name: MetricName, value: number, labels: Record<string, string> = {}): Sample {
  return { name, labels, value }
}

function tables (sizes: Readonly<Record<CoreTable | RpcTable | 'upstream_sockets', TableSize>>): Sample[] {
  return proxyTables.flatMap(table => [
    sample('udp_director_table_entries', sizes[table].entries, { process: 'proxy', table }),
    sample('udp_director_table_capacity', sizes[table].capacity, { process: 'proxy', table })
  ])
}

function named (name: MetricName, label: string, values: readonly string[], counts: Float64Array): Sample[] {
  return values.map((value, index) => sample(name, counts[index]!, { [label]: value }))
}

function perDirection (counters: CounterArrays, dataPortNames: readonly string[]): Sample[] {
  return directionNames.flatMap((direction, number) => [
    ...perDataPort(counters, number as Direction, direction, dataPortNames),
    ...Object.entries(dropReasons).filter(([, row]) => row.direction === 'both' || row.direction === direction)
      .map(([reason, row]) => sample('udp_director_packets_dropped_total', counters.dropped[number * REASONS + Number(reason)]!, { direction, reason: row.name }))
  ])
}

function perDataPort (counters: CounterArrays, number: Direction, direction: string, dataPortNames: readonly string[]): Sample[] {
  const samples = dataPortNames.flatMap((dataPort, index) => {
    const column = columnOf(dataPortNames.length, number, index)
    return [
      sample('udp_director_packets_received_total', counters.received[column]!, { direction, data_port: dataPort }),
      sample('udp_director_packets_proxied_total', counters.proxied[column]!, { direction, data_port: dataPort }),
      sample('udp_director_bytes_proxied_total', counters.bytes[column]!, { direction, data_port: dataPort })
    ]
  })
  const strangers = counters.received[columnOf(dataPortNames.length, number, dataPortNames.length)]!
  return strangers === 0 ? samples : [...samples, sample('udp_director_packets_received_total', strangers, { direction, data_port: NO_DATA_PORT })]
}
