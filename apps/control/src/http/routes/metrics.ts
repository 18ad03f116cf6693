// GET /metrics: this process's own metrics and, as of this moment, those of the proxy.
import { Type } from '@sinclair/typebox'
import type { Sample } from '#rpc/contract.js'
import type { RpcClient } from '#rpc/client.js'
import type { TableReading, Tables } from '#telemetry/tables.js'
import type { Inventory } from '../../inventory/objects/inventory.js'
import type { Drain, DrainStatus } from '../../proxies/drain.js'
import type { ProxyPeer } from '../../proxies/proxy-peer.js'
import type { DefaultEndpoint } from '../../targets/watch/default-endpoint.js'
import type { Replicas, StoreReading } from '../../replicas/replicas.js'
import type { TypedApp } from '../listener/listener.js'

/** What is read, not counted, when someone asks. */
export interface Readings {
  readonly objects: ReadonlyMap<string, number>
  readonly inventoryAgeMs: number
  readonly defaultTargets: number
  readonly isProxyUp: boolean
  readonly tables: readonly TableReading[]
  /** Undefined without a drain. */
  readonly drain: DrainStatus | undefined
  /** Undefined without `sharedState`. */
  readonly store: StoreReading | undefined
  /** Undefined if the proxy did not answer: then it has no metrics, rather than old ones. */
  readonly proxySamples: readonly Sample[] | undefined
}

export interface MetricsText {
  /** The Prometheus text. */
  readonly expose: (readings: Readings) => Promise<string>
  readonly contentType: string
}

export interface MetricsRouteDeps {
  readonly metrics: MetricsText
  readonly inventory: Pick<Inventory, 'sizes' | 'status'>
  readonly link: Pick<ProxyPeer, 'isSynchronised'>
  readonly proxy: Pick<RpcClient, 'call'>
  readonly defaultEndpoint: Pick<DefaultEndpoint, 'count'>
  readonly tables: Pick<Tables, 'readings'>
  readonly drain: Pick<Drain, 'status'>
  readonly replicas: Pick<Replicas, 'reading'> | undefined
}

/** How long a scrape waits for the proxy, in milliseconds; Prometheus' own default timeout is 10 s. */
const STATS_DEADLINE_MS = 500

/** Adds GET /metrics. */
export function addMetricsRoute (app: TypedApp, deps: MetricsRouteDeps): void {
  const { metrics, inventory, link, defaultEndpoint, tables, drain, replicas } = deps
  app.get('/metrics', {
    schema: {
      operationId: 'getMetrics',
      summary: 'Metrics in the Prometheus text format.',
      description: 'The proxy\'s are absent while it does not answer; `udp_director_proxy_up` is 0 then.',
      tags: ['admin'],
      produces: ['text/plain'],
      response: { 200: Type.String({ description: 'Prometheus text format, version 0.0.4.' }) }
    }
  }, async (_request, reply) => {
    const proxySamples = await samplesOf(deps)
    const text = await metrics.expose({
      objects: inventory.sizes(),
      inventoryAgeMs: inventory.status().ageMs,
      defaultTargets: defaultEndpoint.count(),
      isProxyUp: link.isSynchronised,
      tables: tables.readings(),
      drain: drain.status(),
      store: replicas?.reading(),
      proxySamples
    })
    return reply.header('content-type', metrics.contentType).send(text)
  })
}

async function samplesOf ({ proxy }: MetricsRouteDeps): Promise<readonly Sample[] | undefined> {
  const stats = await proxy.call('stats', {}, { deadlineMs: STATS_DEADLINE_MS })
  return stats.ok ? stats.value.samples : undefined
}
