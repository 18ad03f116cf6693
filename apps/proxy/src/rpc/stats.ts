// The proxy's metrics, read from the core's counters when somebody asks. Names and labels are those of the metric table.
import type { Sample } from '#rpc/contract.js'
import type { MetricName } from '#telemetry/metrics-table.js'
import type { Core } from '../core/core.js'
import { consumedKindNames, directionNames, endCauseNames, goneActionNames, type Counters, type Direction } from '../core/counters.js'
import { dropReasons } from '../core/drop-reason.js'
import { originNames } from '../core/session-table.js'

export interface StatsSources {
  readonly core: Core
  readonly dataPortNames: readonly string[]
  readonly upstreamSockets: () => number
  readonly socketErrors: () => number
  readonly eventsDropped: () => number
  readonly linesSuppressed: () => number
  readonly processSamples: () => readonly Sample[]
}

/** Datagrams that belong to no data port: replies from strangers. */
const NO_DATA_PORT = 'none'

export function collectStats (sources: StatsSources): Sample[] {
  const { state } = sources.core
  return [
    sample('udp_director_sessions_active', state.sessions.size),
    ...named('udp_director_sessions_created_total', 'origin', originNames, state.counters.sessionsCreated),
    ...named('udp_director_sessions_reset_total', 'origin', originNames, state.counters.sessionsReset),
    ...named('udp_director_sessions_ended_total', 'cause', endCauseNames, state.counters.sessionsEnded),
    ...named('udp_director_targets_gone_total', 'action', goneActionNames, state.counters.targetsGone),
    sample('udp_director_tokens_active', state.tokens.size),
    ...named('udp_director_tokens_redeemed_total', 'data_port', sources.dataPortNames, state.counters.redeemed),
    sample('udp_director_tokens_expired_total', state.tokens.expiredUnused),
    ...named('udp_director_packets_consumed_total', 'kind', consumedKindNames, state.counters.consumed),
    ...perDirection(state.counters, sources.dataPortNames),
    sample('udp_director_upstream_sockets', sources.upstreamSockets()),
    sample('udp_director_targets_active', state.targets.size),
    sample('udp_director_socket_errors_total', sources.socketErrors()),
    sample('udp_director_events_dropped_total', sources.eventsDropped()),
    sample('udp_director_log_lines_suppressed_total', sources.linesSuppressed()),
    ...sources.processSamples()
  ]
}

function sample (name: MetricName, value: number, labels: Record<string, string> = {}): Sample {
  return { name, labels, value }
}

function named (name: MetricName, label: string, values: readonly string[], counts: Float64Array): Sample[] {
  return values.map((value, index) => sample(name, counts[index]!, { [label]: value }))
}

function perDirection (counters: Counters, dataPortNames: readonly string[]): Sample[] {
  return directionNames.flatMap((direction, number) => [
    ...perDataPort(counters, number as Direction, direction, dataPortNames),
    ...Object.entries(dropReasons).filter(([, row]) => row.direction === 'both' || row.direction === direction)
      .map(([reason, row]) => sample('udp_director_packets_dropped_total', counters.dropped[number * counters.reasons + Number(reason)]!, { direction, reason: row.name }))
  ])
}

function perDataPort (counters: Counters, number: Direction, direction: string, dataPortNames: readonly string[]): Sample[] {
  const samples = dataPortNames.flatMap((dataPort, index) => {
    const column = counters.column(number, index)
    return [
      sample('udp_director_packets_received_total', counters.received[column]!, { direction, data_port: dataPort }),
      sample('udp_director_packets_proxied_total', counters.proxied[column]!, { direction, data_port: dataPort }),
      sample('udp_director_bytes_proxied_total', counters.bytes[column]!, { direction, data_port: dataPort })
    ]
  })
  const strangers = counters.received[counters.column(number, counters.noDataPort)]!
  return strangers === 0 ? samples : [...samples, sample('udp_director_packets_received_total', strangers, { direction, data_port: NO_DATA_PORT })]
}
