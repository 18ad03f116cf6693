// The engines there are. `engine: auto` takes the first that can run.
import { availableParallelism } from 'node:os'
import { dataAddresses } from '#config/bind-addresses.js'
import { err, ok } from '#core/result.js'
import { NoLibc, type Libc } from '../engines/batch/system/libc.js'
import { openListeners } from '../engines/batch/ports/listeners.js'
import { UdpSockets } from '../engines/batch/system/udp-socket.js'
import { openDgramEngine } from '../engines/dgram/dgram-engine.js'
import type { EngineKind, EngineSurroundings, OpenEngine } from './engine-kind.js'
import { openLocalShard } from './hosts/local-shard.js'
import { openWorkerShard } from './hosts/worker-shard.js'

// What a container may use can be far less than the machine has: 64 processors do not justify 63 threads.
const MAX_AUTO_WORKERS = 8

/**
 * By preference.
 * @param openLibc how to get at the system's calls; throws NoLibc where they cannot be had
 */
export function systemEngines (openLibc: () => Promise<Libc>): readonly EngineKind[] {
  const findLibc = async (): Promise<Libc | NoLibc> => await openLibc().catch((error: unknown) => {
    if (error instanceof NoLibc) return error
    throw error
  })
  return [
    {
      name: 'batch',
      find: async () => {
        const libc = await findLibc()
        return libc instanceof NoLibc ? err(libc) : ok(surroundings => openBatch(surroundings, libc))
      }
    },
    {
      name: 'dgram',
      find: async () => {
        const libc = await findLibc()
        return ok(surroundings => openDgram(surroundings, libc instanceof NoLibc ? undefined : new UdpSockets(libc)))
      }
    }
  ]
}

// A worker for each shard. Sockets are opened here: descriptors belong to the process.
function openBatch ({ config, voice }: EngineSurroundings, libc: Libc): OpenEngine {
  const { workers, dscp, dataPorts, limits: { receiveBufferBytes, sendQueueBytes } } = config
  const wanted = workers === 'auto' ? Math.min(MAX_AUTO_WORKERS, Math.max(1, availableParallelism() - 1)) : workers
  const byWorker = openListeners({ libc, sockets: new UdpSockets(libc), bindAddresses: dataAddresses(config), dscp, dataPorts, receiveBufferBytes, sendQueueBytes, workers: wanted })
  if (byWorker.length < wanted) voice.log('warn', { workers: byWorker.length, wanted }, 'The kernel cannot spread clients over workers')
  return { shards: byWorker.length, openShard: async start => await openWorkerShard({ libc, voice, data: { start, listeners: byWorker[start.shard]! } }) }
}

// One shard, in this thread.
function openDgram ({ config, voice, clock, random, openStorage }: EngineSurroundings, descriptors: UdpSockets | undefined): OpenEngine {
  if (config.dscp !== 0) voice.log('warn', { dscp: config.dscp }, 'Engine dgram cannot write marks into IP headers, dscp has no effect')
  return {
    shards: 1,
    openShard: async start => await openLocalShard({
      start,
      clock,
      random,
      voice,
      storage: openStorage?.(start.stateStart?.writer),
      openEngine: async wiring => await openDgramEngine({ ...wiring, descriptors, bindAddresses: dataAddresses(config), dataPorts: config.dataPorts })
    })
  }
}
