// Chooses the engine and opens the shards that go with it.
import { availableParallelism } from 'node:os'
import { openLibc, NoLibc, type Libc } from '../engines/batch/libc.js'
import { openListeners } from '../engines/batch/listeners.js'
import { UdpSockets } from '../engines/batch/udp-socket.js'
import type { BoundDataPort, EngineName } from '../engines/engine.js'
import { openLocalShard, type LocalShardOptions } from './local-shard.js'
import type { Shard } from './shard.js'
import { Shards } from './shards.js'
import { TokenClaims } from './token-claims.js'
import { openWorkerShard } from './worker-shard.js'

export interface OpenedShards {
  readonly shards: Shards
  readonly engine: EngineName
  /** In the order of the configuration. */
  readonly dataPorts: readonly BoundDataPort[]
}

export interface OpenShardsOptions extends LocalShardOptions {
  /** How to get at the system's calls; throws NoLibc where the batch engine cannot run. */
  readonly libc?: () => Promise<Libc>
}

// What a container may use can be far less than the machine has: 64 processors are no reason for 63 threads.
const MAX_AUTO_WORKERS = 8

/**
 * Binds the data ports. Throws BindError, with nothing left open, and NoLibc if the configuration insists on an engine
 * that this system does not have.
 */
export async function openShards (options: OpenShardsOptions): Promise<OpenedShards> {
  const { config, voice } = options
  const libc = config.engine === 'dgram'
    ? undefined
    : await (options.libc ?? openLibc)().catch((error: unknown) => {
      if (!(error instanceof NoLibc) || config.engine === 'batch') throw error
      voice.log('warn', { reason: error.message }, 'Batch engine is not available, using dgram')
      return undefined
    })
  if (libc !== undefined) return await openWorkers(options, libc)
  const shard = await openLocalShard(options)
  return { shards: new Shards([shard], undefined), engine: shard.engine, dataPorts: shard.dataPorts }
}

async function openWorkers ({ config, clock, voice }: OpenShardsOptions, libc: Libc): Promise<OpenedShards> {
  const { workers, bindAddress, dataPorts, limits: { receiveBufferBytes, sendQueueBytes, maxTokens } } = config
  const wanted = workers === 'auto' ? Math.min(MAX_AUTO_WORKERS, Math.max(1, availableParallelism() - 1)) : workers
  const byWorker = openListeners({ libc, sockets: new UdpSockets(libc), bindAddress, dataPorts, receiveBufferBytes, sendQueueBytes, workers: wanted })
  if (byWorker.length < wanted) voice.log('warn', { workers: byWorker.length, wanted }, 'The kernel cannot spread clients over workers')
  const claims = byWorker.length > 1 ? new TokenClaims(clock, maxTokens) : undefined
  const shards = await Promise.all(byWorker.map(async (listeners, shard): Promise<Shard> =>
    await openWorkerShard({ libc, voice, data: { config, shard, shards: byWorker.length, listeners, claims: claims?.words } })))
  return { shards: new Shards(shards, claims), engine: 'batch', dataPorts: byWorker[0]! }
}
