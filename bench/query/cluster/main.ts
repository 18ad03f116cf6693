// The process with the fake Kubernetes API: its work must not be control's.
import { startKubeApi, type KubeApi } from '#testkit/kube-api/start-kube-api.js'
import { gameServer, spreadOf } from '../game-servers.js'
import { serve } from '#testkit/processes/helper.js'
import { Churn } from './churn.js'

// A watch that follows needs little of the past, and each event keeps two objects in memory.
const RING_CAPACITY = 1000

let api: KubeApi | undefined
let churn: Churn | undefined

const calls = {
  /** Starts a cluster with so many GameServers; `meanBytes` is how long their JSON is on average. */
  open: async ({ objects }: { objects: number }): Promise<{ kubeconfig: string, meanBytes: number }> => {
    const cluster = api = await startKubeApi({ ringCapacity: RING_CAPACITY })
    const spread = spreadOf(objects)
    const created = Array.from({ length: objects }, (_, number) => cluster.store.create('gameservers', gameServer(number, spread)))
    churn = new Churn(cluster, spread, created.map(({ metadata }) => metadata.name))
    const sample = created.slice(0, 1000)
    return { kubeconfig: cluster.kubeconfig(), meanBytes: sample.reduce((sum, object) => sum + JSON.stringify(object).length, 0) / sample.length }
  },
  start: async ({ eventsPerSecond }: { eventsPerSecond: number }): Promise<void> => { churn?.start(eventsPerSecond) },
  stop: async (): Promise<void> => { churn?.stop() }
}

export type ClusterCalls = typeof calls

serve(calls, async () => {
  churn?.stop()
  await api?.close()
})
