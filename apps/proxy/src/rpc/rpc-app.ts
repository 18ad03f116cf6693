// The calls that control makes, put together as a server.
import Fastify, { type FastifyInstance } from 'fastify'
import type { Logger } from 'pino'
import type { Clock } from '#core/clock.js'
import { MAX_RPC_BODY_BYTES, type Sample } from '#rpc/contract.js'
import { registerRpc } from '#rpc/server.js'
import { createRpcService } from '#rpc/service.js'
import type { Draining } from './draining.js'
import type { BoundDataPort, EngineName } from '../engines/engine.js'
import type { Shards } from '../shards/shards.js'
import type { FormerState } from '../state/former-state.js'
import { boundCalls } from './call-bounds.js'
import type { EventStream } from './event-stream.js'
import { createHandlers } from './handlers.js'
import { collectStats } from './stats.js'

/** What the calls are about. */
export interface RpcParts {
  readonly instanceId: string
  readonly shards: Shards
  readonly engine: EngineName
  readonly dataPorts: readonly BoundDataPort[]
  readonly events: EventStream
  readonly former: FormerState | undefined
  readonly draining: Draining
}

/** What it is put together with. */
export interface RpcAppDeps {
  readonly clock: Clock
  readonly log: Logger
  readonly processSamples: () => readonly Sample[]
}

/** The server of control's calls; it does not listen yet. */
export function createRpcApp ({ clock, log, processSamples }: RpcAppDeps, { events, shards, dataPorts, former, ...parts }: RpcParts): FastifyInstance {
  // Control's pushes are one request that lasts as long as control does.
  const app = Fastify({ logger: false, bodyLimit: MAX_RPC_BODY_BYTES, requestTimeout: 0, forceCloseConnections: true })
  const rpcTables = boundCalls(app, clock)
  const onBug = (error: Error): void => { log.error({ err: error }, 'RPC call failed') }
  const handlers = createHandlers({
    ...parts,
    events,
    shards,
    dataPorts: dataPorts.map(({ name, address, port }) => ({ name, address, port })),
    stats: async () => collectStats({
      stats: await shards.stats(),
      dataPortNames: dataPorts.map(({ name }) => name),
      eventsSkipped: events.skipped,
      rpcTables: rpcTables(),
      stateLogsSetAside: former?.faults ?? 0,
      isDraining: parts.draining.isDraining,
      processSamples: processSamples()
    }),
    onUnusableTargets: faults => { log.warn({ faults }, 'Default targets left out') }
  })
  registerRpc(app, createRpcService({ handlers, events, onBug }), onBug)
  return app
}
