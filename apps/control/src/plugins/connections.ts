// A bound on connections. Those that bring no whole request in time are closed; see createApp.
import type { FastifyInstance } from 'fastify'
import type { Listener } from '../listener.js'
import type { ControlDeps } from '../deps.js'

/** Closes connections beyond `limits.maxConnections` as soon as they are made. */
export function addConnectionBound (app: FastifyInstance, { config, metrics, tables }: Pick<ControlDeps, 'config' | 'metrics' | 'tables'>, listener: Listener): void {
  const { maxConnections } = config.limits
  let count = 0
  tables.add(`connections_${listener}`, maxConnections, () => count)
  app.server.maxConnections = maxConnections
  app.server.on('drop', () => { metrics.connectionRefused(listener) })
  app.server.on('connection', socket => {
    count++
    socket.once('close', () => { count-- })
  })
}
