// How much of the proxy its Unix socket can take up: whoever may open the socket must not be able to starve the proxy of
// descriptors or memory. Control keeps one event stream and a few connections; an operator's curl is one more.
import type { FastifyInstance } from 'fastify'
import { EVENTS_PATH } from '#rpc/contract.js'
import { rpcErrors, rpcFailure } from '#rpc/failure.js'
import type { TableSize } from '../core/table-sizes.js'
import type { RpcTable } from './stats.js'

export const MAX_RPC_CONNECTIONS = 64

/** A body is up to 16 MiB: this many of them are the most memory that calls take. */
export const MAX_RPC_CALLS = 32

/** Bounds the connections and calls of `app`, which must not listen yet; returns how many there are. */
export function boundCalls (app: FastifyInstance): () => Readonly<Record<RpcTable, TableSize>> {
  let connections = 0
  let calls = 0
  // Node closes those beyond it at once.
  app.server.maxConnections = MAX_RPC_CONNECTIONS
  app.server.on('connection', socket => {
    connections++
    socket.once('close', () => { connections-- })
  })
  app.addHook('onRequest', (request, reply, next) => {
    // The event stream lasts as long as its reader and holds no body; its connection is counted.
    if (request.routeOptions.url === EVENTS_PATH) {
      next()
      return
    }
    calls++
    reply.raw.once('close', () => { calls-- })
    if (calls > MAX_RPC_CALLS) void reply.code(rpcErrors.BUSY.status).send(rpcFailure('BUSY').error)
    else next()
  })
  return () => ({
    rpc_connections: { entries: connections, capacity: MAX_RPC_CONNECTIONS },
    rpc_calls: { entries: calls, capacity: MAX_RPC_CALLS }
  })
}
