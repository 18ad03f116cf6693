// The engines there are. `engine: auto` takes the first that can run.
import { availableParallelism } from 'node:os'
import { dataAddresses } from '#config/bind-addresses.js'
import { err, ok } from '#core/result.js'
import { NoLibc, openLibc, type Libc } from '../engines/batch/libc.js'
import { openListeners } from '../engines/batch/listeners.js'
import { UdpSockets } from '../engines/batch/udp-socket.js'
import { dataPortsOf } from '../engines/engine.js'
import type { EngineKind, OpenedShards, OpenShardsOptions } from './engine-kind.js'
import { openLocalShard } from './hosts/local-shard.js'
import type { Shard } from './calls/shard.js'
import { Shards } from './shards.js'
import { stateStarts } from './state-starts.js'
import { TokenClaims } from './calls/token-claims.js'
import { openWorkerShard } from './hosts/worker-shard.js'

// What a container may use can be far less than the machine has: 64 processors are no reason for 63 threads.
const MAX_AUTO_WORKERS = 8

/** By preference. */
export const engineKinds: readonly EngineKind[] = [
  {
    name: 'batch',
    find: async options => {
      const libc = await libcFor(options)
      return libc instanceof NoLibc ? err(libc) : ok(async () => await openWorkers(options, libc))
    }
  },
  {
    name: 'dgram',
    find: async options => ok(async () => await openHere(options))
  }
]

async function libcFor ({ libc = openLibc }: OpenShardsOptions): Promise<Libc | NoLibc> {
  return await libc().catch((error: unknown) => {
    if (error instanceof NoLibc) return error
    throw error
  })
}

async function openHere (options: OpenShardsOptions): Promise<OpenedShards> {
  const { config, voice, clock } = options
  if (config.dscp !== 0) voice.log('warn', { dscp: config.dscp }, 'Engine dgram cannot write marks into IP headers, dscp has no effect')
  const libc = await libcFor(options)
  const [stateStart] = stateStarts(options, 1, undefined)
  const descriptors = libc instanceof NoLibc ? undefined : new UdpSockets(libc)
  const shard = await openLocalShard({ ...options, stateStart, descriptors })
  return { shards: new Shards([shard], undefined, clock), engine: shard.engine, dataPorts: shard.dataPorts }
}

async function openWorkers (options: OpenShardsOptions, libc: Libc): Promise<OpenedShards> {
  const { config, clock, voice } = options
  const { workers, dscp, dataPorts, limits: { receiveBufferBytes, sendQueueBytes, maxTokens } } = config
  const wanted = workers === 'auto' ? Math.min(MAX_AUTO_WORKERS, Math.max(1, availableParallelism() - 1)) : workers
  const byWorker = openListeners({ libc, sockets: new UdpSockets(libc), bindAddresses: dataAddresses(config), dscp, dataPorts, receiveBufferBytes, sendQueueBytes, workers: wanted })
  if (byWorker.length < wanted) voice.log('warn', { workers: byWorker.length, wanted }, 'The kernel cannot spread clients over workers')
  const claims = byWorker.length > 1 ? new TokenClaims(clock, maxTokens) : undefined
  const starts = stateStarts(options, byWorker.length, claims)
  const opening = byWorker.map(async (listeners, shard): Promise<Shard> =>
    await openWorkerShard({ libc, voice, data: { config, shard, shards: byWorker.length, listeners, claims: claims?.words, stateStart: starts[shard], isTracing: options.isTracing ?? false } }))
  options.onceWorkersStart?.()
  const shards = await Promise.all(opening)
  return { shards: new Shards(shards, claims, clock), engine: 'batch', dataPorts: dataPortsOf(byWorker[0]!) }
}
