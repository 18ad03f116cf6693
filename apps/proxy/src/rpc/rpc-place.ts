// Where control's calls come in: a Unix socket (unix-place.ts), or what a simulation has in its place.
import type { Clock } from '#core/clock.js'
import type { RpcService } from '#rpc/service.js'
import type { TableSize } from '../core/table-sizes.js'
import type { createProxyService } from './proxy-service.js'
import type { RpcTable } from './stats.js'

export interface RpcServer {
  /** From now on calls are answered. Throws SocketPathError, with nothing left open. */
  readonly listen: () => Promise<void>
  /** Calls and connections, and how many there may be. */
  readonly tables: () => Readonly<Record<RpcTable, TableSize>>
  /** Ends every call. */
  readonly close: () => Promise<void>
}

export interface RpcServerOptions {
  readonly clock: Clock
  /** Something failed that should not have. */
  readonly onBug: (error: Error) => void
}

/** What serves calls, loaded. */
export interface RpcRoom {
  readonly createService: typeof createProxyService
  readonly createServer: (service: RpcService, options: RpcServerOptions) => RpcServer
}

export interface RpcPlace {
  /** Whoever answers here already keeps the place. Throws SocketPathError. */
  readonly claim: () => Promise<void>
  /** Of all that a proxy has to load this takes longest, and no datagram needs it. */
  readonly load: () => Promise<RpcRoom>
}
