// Chooses the engine and opens the shards that go with it.
import { availableParallelism } from 'node:os'
import { dataAddresses } from '#config/bind-addresses.js'
import { openLibc, NoLibc, type Libc } from '../engines/batch/libc.js'
import { openListeners } from '../engines/batch/listeners.js'
import { UdpSockets } from '../engines/batch/udp-socket.js'
import { BindError, dataPortsOf, type BoundDataPort, type EngineName } from '../engines/engine.js'
import type { FormerState } from '../state/former-state.js'
import type { WriterEnd } from '../state/state-writer.js'
import { openLocalShard, type LocalShardOptions } from './local-shard.js'
import type { Shard } from './shard.js'
import { Shards } from './shards.js'
import { stateStarts } from './state-starts.js'
import { TokenClaims } from './token-claims.js'
import { openWorkerShard } from './worker-shard.js'

export interface OpenedShards {
  readonly shards: Shards
  readonly engine: EngineName
  /** In the order of the configuration. */
  readonly dataPorts: readonly BoundDataPort[]
}

export interface OpenShardsOptions extends Omit<LocalShardOptions, 'stateStart' | 'descriptors'> {
  /** How to get at the system's calls; throws NoLibc where the batch engine cannot run. */
  readonly libc?: () => Promise<Libc>
  /** What the process before this one left, and where this one writes; left out, nothing is kept for a restart. */
  readonly former?: FormerState | undefined
  /** Names this life in its state logs. */
  readonly run?: string
  /** Starts the thread that writes the logs of so many shards; left out, each writes its own. */
  readonly openWriter?: ((shards: number) => readonly WriterEnd[]) | undefined
  /** Called when the workers have been started: there is time for something else until they forward. */
  readonly onceWorkersStart?: () => void
}

// What a container may use can be far less than the machine has: 64 processors are no reason for 63 threads.
const MAX_AUTO_WORKERS = 8

/**
 * Binds the data ports. Throws BindError, with nothing left open, and NoLibc if the configuration insists on an engine
 * that this system does not have.
 */
export async function openShards (options: OpenShardsOptions): Promise<OpenedShards> {
  const { config, former } = options
  const sameAgain = config.dataPorts.map(({ name, port, ...rest }) => ({ ...rest, name, port: port === 0 ? former?.saved.dataPorts.get(name) ?? 0 : port }))
  try {
    return await openOn({ ...options, config: { ...config, dataPorts: sameAgain } })
  } catch (error) {
    // A port that the system chose once may be somebody else's by now.
    if (error instanceof BindError && error.dataPort.port !== config.dataPorts.find(({ name }) => name === error.dataPort.name)?.port) return await openOn(options)
    throw error
  }
}

async function openOn (options: OpenShardsOptions): Promise<OpenedShards> {
  const { config, voice } = options
  const libc = await (options.libc ?? openLibc)().catch((error: unknown) => {
    if (!(error instanceof NoLibc) || config.engine === 'batch') throw error
    if (config.engine === 'auto') voice.log('warn', { reason: error.message }, 'Batch engine is not available, using dgram')
    return undefined
  })
  if (libc !== undefined && config.engine !== 'dgram') return await openWorkers(options, libc)
  if (config.dscp !== 0) voice.log('warn', { dscp: config.dscp }, 'Engine dgram cannot write marks into IP headers, dscp has no effect')
  const [stateStart] = stateStarts(options, 1, undefined)
  const descriptors = libc === undefined ? undefined : new UdpSockets(libc)
  const shard = await openLocalShard({ ...options, stateStart, descriptors })
  return { shards: new Shards([shard], undefined, options.clock), engine: shard.engine, dataPorts: shard.dataPorts }
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
