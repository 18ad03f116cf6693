// GET /replicas: the directors that share a store.
import type { ReplicaInfo, StoreStatus } from '../../store/shared-store.js'
import { refTo } from '../schemas/named.js'
import { ReplicasSchema } from '../schemas/replica.js'
import type { TypedApp } from '../listener/listener.js'

export interface ReplicaRouteDeps {
  /** The directors that this one shares a store with. */
  readonly replicas?: {
    readonly replica: string
    readonly reading: () => { readonly status: StoreStatus, readonly reason: string | undefined }
    /** All of them that are there, this one too. */
    readonly list: () => Promise<readonly ReplicaInfo[]>
  } | undefined
}

/** Adds GET /replicas. */
export function addReplicaRoutes (app: TypedApp, { replicas }: ReplicaRouteDeps): void {
  app.get('/replicas', {
    schema: {
      operationId: 'listReplicas',
      summary: 'The directors that share a store.',
      description: 'Who is there, and how the store is doing. Empty without `sharedState`.',
      tags: ['admin'],
      response: { 200: refTo(ReplicasSchema) },
      problems: []
    }
  }, async () => {
    if (replicas === undefined) return { store: { status: 'off' as const }, replicas: [] }
    const { status, reason } = replicas.reading()
    const all = await replicas.list()
    return {
      replica: replicas.replica,
      store: { status, ...reason === undefined ? {} : { reason } },
      replicas: all.map(({ sinceMs, ...replica }) => ({ ...replica, since: new Date(sinceMs).toISOString() }))
    }
  })
}
