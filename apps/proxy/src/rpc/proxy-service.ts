// The calls that control makes, put together: what they do, and the numbers they tell.
import type { Sample } from '#rpc/contract.js'
import { createRpcService, type RpcService } from '#rpc/service.js'
import type { TableSize } from '../core/table-sizes.js'
import type { BoundDataPort, EngineName } from '../engines/engine.js'
import type { Shards } from '../shards/shards.js'
import type { FormerState } from '../state/former-state.js'
import type { Draining } from './draining.js'
import type { EventStream } from './event-stream.js'
import { createHandlers } from './handlers.js'
import { collectStats, type RpcTable } from './stats.js'

export interface ProxyServiceParts {
  readonly instanceId: string
  readonly shards: Shards
  readonly engine: EngineName
  readonly dataPorts: readonly BoundDataPort[]
  readonly events: EventStream
  readonly former: FormerState | undefined
  readonly draining: Draining
  /** Calls and connections of the server that this is put behind. */
  readonly rpcTables: () => Readonly<Record<RpcTable, TableSize>>
  readonly processSamples: () => readonly Sample[]
  readonly log: { readonly warn: (fields: object, message: string) => void }
  readonly onBug: (error: Error) => void
}

export function createProxyService ({ events, shards, dataPorts, former, rpcTables, processSamples, log, onBug, ...parts }: ProxyServiceParts): RpcService {
  const handlers = createHandlers({
    ...parts,
    events,
    shards,
    dataPorts: dataPorts.map(({ name, address, port }) => ({ name, address, port })),
    stats: async () => collectStats({
      stats: await shards.ask('stats'),
      dataPortNames: dataPorts.map(({ name }) => name),
      eventsSkipped: events.skipped,
      rpcTables: rpcTables(),
      stateLogsSetAside: former?.faults ?? 0,
      isDraining: parts.draining.isDraining,
      processSamples: processSamples()
    }),
    onUnusableTargets: faults => { log.warn({ faults }, 'Default targets left out') }
  })
  return createRpcService({ handlers, events, onBug })
}
