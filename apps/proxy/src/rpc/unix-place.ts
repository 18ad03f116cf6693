// The Unix socket on which control calls.
import { claimUnixSocket } from '../unix-sockets/unix-socket.js'
import type { RpcPlace } from './rpc-place.js'

export function unixPlace (socketPath: string): RpcPlace {
  return {
    claim: async () => { await claimUnixSocket(socketPath) },
    load: async () => {
      const [{ createProxyService }, { createUnixServer }] = await Promise.all([import('./proxy-service.js'), import('./unix-server.js')])
      return { createService: createProxyService, createServer: (service, options) => createUnixServer(socketPath, service, options) }
    }
  }
}
