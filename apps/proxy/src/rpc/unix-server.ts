// The calls that control makes, as HTTP on a Unix socket.
import Fastify from 'fastify'
import { MAX_RPC_BODY_BYTES } from '#rpc/contract.js'
import { registerRpc } from '#rpc/server.js'
import type { RpcService } from '#rpc/service.js'
import { listenOnUnixSocket } from '../unix-sockets/unix-socket.js'
import { boundCalls } from './call-bounds.js'
import type { RpcServer, RpcServerOptions } from './rpc-place.js'

/** It does not listen yet. */
export function createUnixServer (socketPath: string, service: RpcService, { clock, onBug }: RpcServerOptions): RpcServer {
  // Control's pushes are one request that lasts as long as control does.
  const app = Fastify({ logger: false, bodyLimit: MAX_RPC_BODY_BYTES, requestTimeout: 0, forceCloseConnections: true })
  const tables = boundCalls(app, clock)
  registerRpc(app, service, onBug)
  return {
    listen: async () => { await listenOnUnixSocket(app, socketPath) },
    tables,
    close: async () => { await app.close() }
  }
}
