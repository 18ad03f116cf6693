// Puts together what directors do that share a store: the store, and the parts that speak with it. Who hears what, and in which order,
// is decided here and nowhere else.
import { ok, type Result } from '#core/result.js'
import type { RpcEvent } from '#rpc/contract.js'
import type { OpenStore, ReplicaMessage, SharedStore, StoreCall, StoreFailure, StoreStatus } from '../store/shared-store.js'
import type { ReplicaContext, ReplicaPart } from './parts/replica-part.js'

export interface ReplicasOptions extends Omit<ReplicaContext, 'store'> {
  readonly openStore: OpenStore
}

/** The store, as probes and metrics see it. */
export interface StoreReading {
  readonly status: StoreStatus
  readonly reason: string | undefined
  /** When the status came, on the clock's monotonic scale. */
  readonly sinceMs: number
}

export interface Replicas {
  readonly replica: string
  readonly reading: () => StoreReading
  /** What the own proxy says. */
  readonly hear: (event: RpcEvent) => void
  /** The own proxy has been told all that control knows. */
  readonly proxyUp: () => void
  readonly close: () => Promise<void>
}

/** The parts of one director, in the order in which they hear that the store is there. */
function partsOf (_context: ReplicaContext): readonly ReplicaPart[] {
  return []
}

/** Opens the store. Fails with a sentence if what the configuration names cannot be read here. */
export async function openReplicas (options: ReplicasOptions): Promise<Result<Replicas, string>> {
  const { openStore, ...given } = options
  const { clock, config, sharedState, random, log, replica } = given
  let parts: readonly ReplicaPart[] = []
  let up: AbortController | undefined
  let sinceMs = clock.now()
  const goUp = async (signal: AbortSignal, isAgain: boolean): Promise<void> => {
    for (const part of parts) if (!signal.aborted) await part.onStoreUp?.({ isAgain, signal })
  }
  const opened = await openStore({
    sharedState,
    replica,
    deadlineMs: config.limits.storeDeadlineMs,
    clock,
    random,
    log,
    events: {
      onUp: isAgain => {
        sinceMs = clock.now()
        up?.abort()
        up = new AbortController()
        void goUp(up.signal, isAgain)
      },
      onDown: _reason => {
        sinceMs = clock.now()
        up?.abort()
        up = undefined
        for (const part of parts) part.onStoreDown?.()
      },
      onMessage: (message: ReplicaMessage) => { for (const part of parts) part.onMessage?.(message) },
      onNewerRecord: () => undefined,
      onCall: (_call: StoreCall, _outcome: 'ok' | StoreFailure, _seconds: number) => undefined
    }
  })
  if (!opened.ok) return opened
  const store: SharedStore = opened.value
  parts = partsOf({ ...given, store })
  return ok({
    replica,
    reading: () => ({ status: store.status, reason: store.reason, sinceMs }),
    hear: _event => undefined,
    proxyUp: () => { for (const part of parts) part.onProxyUp?.() },
    close: async () => {
      up?.abort()
      for (const part of parts) part.close?.()
      await store.close()
    }
  })
}
