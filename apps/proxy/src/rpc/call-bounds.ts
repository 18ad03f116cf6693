// How much of the proxy its Unix socket can take up: whoever may open the socket must not be able to starve the proxy of
// descriptors or memory. Control keeps an event stream of its own, one more for each kind that only readers of its hub want, and a
// few connections; an operator's curl is one more.
import type { FastifyInstance } from 'fastify'
import type { Clock } from '#core/clock.js'
import { Connections } from '#http/connections.js'
import { UnderWay } from '#http/under-way.js'
import { whenOver } from '#http/when-over.js'
import { EVENTS_PATH, rpcCalls, type RpcCall } from '#rpc/contract.js'
import { rpcErrors, rpcFailure } from '#rpc/failure.js'
import type { TableSize } from '../core/table-sizes.js'
import type { RpcTable } from './stats.js'

export const MAX_RPC_CONNECTIONS = 64

/** A body is up to 16 MiB: this many of them are the most memory that calls take. */
export const MAX_RPC_CALLS = 32

/** Calls of one connection that are under way; control has one at a time. */
export const MAX_CALLS_PER_CONNECTION = 4

/** For so long, in milliseconds, a call whose body has not come, or whose answer is not taken, need not give way to others. */
export const CALL_GRACE_MS = 1000

// Lasts as long as control does, and is not waiting for anybody.
const lasting: ReadonlySet<string> = new Set(Object.values(rpcCalls).flatMap(({ lines }: RpcCall) => lines ?? []))

/**
 * Bounds the connections and calls of `app`, which must not listen yet; returns how many there are. Who fills a bound by
 * doing nothing gives way to who comes: control can always synchronise.
 */
export function boundCalls (app: FastifyInstance, clock: Clock): () => Readonly<Record<RpcTable, TableSize>> {
  const busy = rpcFailure('BUSY').error
  const connections = new Connections(app.server, {
    // The event stream may be left unread: what its reader misses is told, see event-stream.ts.
    bounds: { max: MAX_RPC_CONNECTIONS, maxRequests: MAX_CALLS_PER_CONNECTION, answerTimeoutMs: Infinity },
    clock,
    tooManyRequests: () => ({ status: rpcErrors.BUSY.status, headers: { 'content-type': 'application/json' }, body: JSON.stringify(busy) }),
    onClosed: () => undefined
  })
  app.addHook('preClose', done => {
    connections.end()
    done()
  })
  app.addHook('onClose', () => { connections.close() })
  const calls = new UnderWay({ max: MAX_RPC_CALLS, maxPerCaller: MAX_RPC_CALLS, graceMs: CALL_GRACE_MS }, () => clock.now())
  app.addHook('onRequest', (request, reply, next) => {
    const { url = '' } = request.routeOptions
    // The event stream lasts as long as its reader and holds no body; its connection is counted.
    if (url === EVENTS_PATH) {
      next()
      return
    }
    const held = {
      isWaitingForCaller: () => !lasting.has(url) && (!request.raw.complete || reply.raw.writableEnded),
      giveUp: () => { request.raw.socket.destroy() }
    }
    if (calls.enter('', held) === 'admitted') {
      whenOver(request.raw, reply.raw, () => { calls.leave(held) })
      next()
    } else void reply.code(rpcErrors.BUSY.status).send(busy)
  })
  return () => ({
    rpc_connections: { entries: connections.count, capacity: MAX_RPC_CONNECTIONS },
    rpc_calls: { entries: calls.count, capacity: MAX_RPC_CALLS }
  })
}
