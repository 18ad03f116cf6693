// GET /metrics: this process's own metrics and, as of this moment, those of the proxy.
import { Type } from '@sinclair/typebox'
import type { Sample } from '#rpc/contract.js'
import type { ControlDeps } from '../../deps.js'
import type { TypedApp } from '../listener/typed-app.js'

/** How long a scrape waits for the proxy, in milliseconds; Prometheus' own default timeout is 10 s. */
const STATS_DEADLINE_MS = 500

/** Adds GET /metrics. */
export function addMetricsRoute (app: TypedApp, deps: ControlDeps): void {
  const { metrics, inventory, link, defaultEndpoint, tables, drain } = deps
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
      proxySamples
    })
    return reply.header('content-type', metrics.contentType).send(text)
  })
}

async function samplesOf ({ proxy }: ControlDeps): Promise<readonly Sample[] | undefined> {
  const stats = await proxy.call('stats', {}, { deadlineMs: STATS_DEADLINE_MS })
  return stats.ok ? stats.value.samples : undefined
}
