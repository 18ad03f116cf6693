// What the control process counts, in its own words; the names and labels are those of the metric table.
import type { Sample } from '#rpc/contract.js'
import { measureLoopDelay } from '#telemetry/event-loop-delay.js'
import { createMetrics, type Metrics } from '#telemetry/metrics.js'
import type { TableReading } from '#telemetry/tables.js'
import { authFailures } from './http/auth/authenticator.js'
import { refusals, type GuardMetrics } from './http/guards/guard-deps.js'
import { listeners, type Listener } from './http/listener/listener.js'
import type { MetricsText } from './http/routes/metrics.js'
import type { QueryMetrics } from './http/routes/query.js'
import { inventoryLabels, type InventoryMetrics } from './inventory/providers.js'
import type { ReplicasOptions } from './replicas/replicas.js'
import { storeCalls, storeOutcomes } from './store/shared-store.js'
import type { TokenMetrics } from './tokens/token-issuer.js'

export interface ControlMetrics extends GuardMetrics, QueryMetrics, TokenMetrics, MetricsText {
  readonly linkSynchronised: () => void
  readonly batchPushed: (size: number) => void
  readonly inventory: InventoryMetrics
  readonly replicas: ReplicasOptions['metrics']
  readonly keysRead: (listener: Listener, outcome: 'ok' | 'fault') => void
}

/** A registry of its own, with every closed label value at 0 so that rates start from the first event. */
export function createControlMetrics (): ControlMetrics {
  const metrics = createMetrics('control')
  const { counters, gauges, histograms } = metrics
  const takeLoopDelays = measureLoopDelay()
  seed(counters)

  return {
    queryReceived: () => { counters.udp_director_queries_total.inc() },
    queryAnswered: (code, seconds) => {
      if (code === null) counters.udp_director_queries_success.inc()
      else counters.udp_director_queries_failed_total.inc({ code })
      histograms.udp_director_query_duration_seconds.observe(seconds)
    },
    tokenIssued: via => { counters.udp_director_tokens_issued_total.inc({ via }) },
    tokenRevoked: cause => { counters.udp_director_tokens_revoked_total.inc({ cause }) },
    linkSynchronised: () => { counters.udp_director_proxy_link_connects_total.inc() },
    batchPushed: size => { histograms.udp_director_proxy_push_batch_size.observe(size) },
    inventory: {
      listed: outcome => { counters.udp_director_inventory_reloads_total.inc({ outcome }) },
      relisting: reason => { counters.udp_director_inventory_relists_total.inc({ reason }) },
      watchEnded: end => { counters.udp_director_inventory_watch_ends_total.inc({ end }) },
      corrupted: reason => { counters.udp_director_inventory_bad_events_total.inc({ reason }) },
      eventTaken: outcome => { counters.udp_director_inventory_events_total.inc({ outcome }) }
    },
    replicas: {
      targetRefused: () => { counters.udp_director_store_targets_refused_total.inc() },
      redeemedElsewhere: () => { counters.udp_director_redeemed_elsewhere_total.inc() },
      storeCalled: (op, outcome, seconds) => {
        counters.udp_director_store_requests_total.inc({ op, outcome })
        histograms.udp_director_store_request_duration_seconds.observe({ op }, seconds)
      },
      newerRecord: () => { counters.udp_director_store_newer_records_total.inc() }
    },
    requestRefused: (listener, reason) => { counters.udp_director_requests_refused_total.inc({ listener, reason }) },
    connectionRefused: listener => { counters.udp_director_connections_refused_total.inc({ listener }) },
    authenticationFailed: (listener, reason) => { counters.udp_director_authentications_failed_total.inc({ listener, reason }) },
    keysRead: (listener, outcome) => { counters.udp_director_key_reads_total.inc({ listener, outcome }) },
    expose: async ({ objects, inventoryAgeMs, defaultTargets, isProxyUp, drain, tables, store, proxySamples }) => {
      for (const [type, count] of objects) gauges.udp_director_inventory_objects.set({ resource_type: type }, count)
      gauges.udp_director_inventory_last_success_age_seconds.set(inventoryAgeMs / 1000)
      gauges.udp_director_default_targets.set(defaultTargets)
      for (const { quantile, seconds } of takeLoopDelays()) gauges.udp_director_event_loop_delay_seconds.set({ quantile }, seconds)
      gauges.udp_director_proxy_up.set(isProxyUp ? 1 : 0)
      if (store === undefined) {
        gauges.udp_director_store_up.remove()
        gauges.udp_director_replicas.remove()
      } else {
        gauges.udp_director_store_up.set(store.status === 'up' ? 1 : 0)
        gauges.udp_director_replicas.set(store.directors)
      }
      gauges.udp_director_drain_sessions_left.set(drain?.sessions ?? 0)
      gauges.udp_director_drain_tokens_left.set(drain?.unredeemedTokens ?? 0)
      gauges.udp_director_drain_seconds_left.set(drain?.secondsLeft ?? 0)
      if (proxySamples === undefined) metrics.clearSamples()
      else metrics.applySamples(proxySamples)
      const draining = { name: 'udp_director_draining', labels: { process: 'control' }, value: drain === undefined ? 0 : 1 }
      return await metrics.expose([draining, ...tables.flatMap(samplesOfTable)])
    },
    contentType: metrics.contentType
  }
}

function samplesOfTable ({ table, entries, capacity }: TableReading): Sample[] {
  const labels = { process: 'control', table }
  return [{ name: 'udp_director_table_entries', labels, value: entries }, { name: 'udp_director_table_capacity', labels, value: capacity }]
}

function seed (counters: Metrics['counters']): void {
  for (const listener of listeners) {
    counters.udp_director_connections_refused_total.inc({ listener }, 0)
    for (const reason of refusals) counters.udp_director_requests_refused_total.inc({ listener, reason }, 0)
    for (const reason of authFailures) counters.udp_director_authentications_failed_total.inc({ listener, reason }, 0)
    for (const outcome of ['ok', 'fault']) counters.udp_director_key_reads_total.inc({ listener, outcome }, 0)
  }
  for (const op of storeCalls) for (const outcome of storeOutcomes) counters.udp_director_store_requests_total.inc({ op, outcome }, 0)
  for (const via of ['query', 'tokens']) counters.udp_director_tokens_issued_total.inc({ via }, 0)
  for (const cause of ['operator', 'unacknowledged', 'target_gone']) counters.udp_director_tokens_revoked_total.inc({ cause }, 0)
  for (const outcome of ['ok', 'fault']) counters.udp_director_inventory_reloads_total.inc({ outcome }, 0)
  for (const outcome of inventoryLabels.events) counters.udp_director_inventory_events_total.inc({ outcome }, 0)
  for (const reason of inventoryLabels.badEvents) counters.udp_director_inventory_bad_events_total.inc({ reason }, 0)
  for (const end of inventoryLabels.watchEnds) counters.udp_director_inventory_watch_ends_total.inc({ end }, 0)
  for (const reason of inventoryLabels.relists) counters.udp_director_inventory_relists_total.inc({ reason }, 0)
}
