// Counts and times queries, those that a guard refuses too: hence before all guards.
import type { FastifyInstance } from 'fastify'
import type { ControlDeps } from '../../deps.js'

const QUERY = '/query'

export function addQueryMetrics (app: FastifyInstance, { metrics, events }: Pick<ControlDeps, 'metrics' | 'events'>): void {
  app.addHook('onRequest', (request, _reply, done) => {
    if (request.routeOptions.url === QUERY) metrics.queryReceived()
    done()
  })
  app.addHook('onResponse', (request, reply, done) => {
    if (request.routeOptions.url === QUERY) {
      const { problemCode, elapsedTime } = reply
      metrics.queryAnswered(problemCode, elapsedTime / 1000)
      if (problemCode !== null) events.publish('token_refused', () => ({ requestId: request.id, code: problemCode, via: 'query' }))
    }
    done()
  })
}
