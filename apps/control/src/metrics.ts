// What the control process counts, in its own words; the names and labels are those of the metric table.
import type { Sample } from '#rpc/contract.js'
import { createMetrics } from '#telemetry/metrics.js'
import type { ErrorCode } from './errors.js'

/** Why a token became void before its time. */
export type RevocationCause = 'operator' | 'unacknowledged'

/** What is read, not counted, when someone asks. */
export interface Readings {
  readonly objects: ReadonlyMap<string, number>
  readonly inventoryAgeMs: number
  readonly defaultTargets: number
  readonly isProxyUp: boolean
  /** Undefined if the proxy did not answer: then it has no metrics, rather than old ones. */
  readonly proxySamples: readonly Sample[] | undefined
}

export interface ControlMetrics {
  readonly queryReceived: () => void
  /** `code` is null for a success. */
  readonly queryAnswered: (code: ErrorCode | null, seconds: number) => void
  readonly tokenIssued: (via: 'query' | 'tokens') => void
  readonly tokenRevoked: (cause: RevocationCause) => void
  readonly linkSynchronised: () => void
  readonly batchPushed: (size: number) => void
  readonly inventoryReloaded: (outcome: 'ok' | 'fault') => void
  /** The Prometheus text. */
  readonly expose: (readings: Readings) => Promise<string>
  readonly contentType: string
}

/** A registry of its own, with every closed label value at 0 so that rates start from the first event. */
export function createControlMetrics (): ControlMetrics {
  const metrics = createMetrics('control')
  const { counters, gauges, histograms } = metrics
  for (const via of ['query', 'tokens']) counters.udp_director_tokens_issued_total.inc({ via }, 0)
  for (const cause of ['operator', 'unacknowledged']) counters.udp_director_tokens_revoked_total.inc({ cause }, 0)
  for (const outcome of ['ok', 'fault']) counters.udp_director_inventory_reloads_total.inc({ outcome }, 0)

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
    inventoryReloaded: outcome => { counters.udp_director_inventory_reloads_total.inc({ outcome }) },
    expose: async ({ objects, inventoryAgeMs, defaultTargets, isProxyUp, proxySamples }) => {
      for (const [type, count] of objects) gauges.udp_director_inventory_objects.set({ resource_type: type }, count)
      gauges.udp_director_inventory_last_success_age_seconds.set(inventoryAgeMs / 1000)
      gauges.udp_director_default_targets.set(defaultTargets)
      gauges.udp_director_proxy_up.set(isProxyUp ? 1 : 0)
      if (proxySamples === undefined) metrics.clearSamples()
      else metrics.applySamples(proxySamples)
      return await metrics.expose()
    },
    contentType: metrics.contentType
  }
}
