// The shard of the main thread, on the engine that needs no thread of its own.
import type { Config } from '#config/schema.js'
import type { Clock } from '#core/clock.js'
import { coreOptions } from '../core-options.js'
import { openDgramEngine } from '../engines/dgram/dgram-engine.js'
import { createShardCore } from './shard-core.js'
import { createShardCalls } from './shard-calls.js'
import type { Shard, ShardVoice } from './shard.js'
import { statsOf } from './shard-stats.js'

export interface LocalShardOptions {
  readonly config: Config
  readonly clock: Clock
  readonly random: () => number
  readonly voice: ShardVoice
}

/** Binds the data ports. Throws BindError, with nothing left open. */
export async function openLocalShard ({ config, clock, random, voice }: LocalShardOptions): Promise<Shard> {
  const { core, journal, translator } = createShardCore(config, coreOptions(config, random), clock, voice)
  let socketErrors = 0
  const engine = await openDgramEngine({
    core,
    clock,
    bindAddress: config.bindAddress,
    dataPorts: config.dataPorts,
    receiveBufferBytes: config.limits.receiveBufferBytes,
    sendQueueBytes: config.limits.sendQueueBytes,
    onSocketError: error => {
      socketErrors++
      voice.log('warn', { err: error }, 'Socket error')
    }
  })
  const calls = createShardCalls({
    core,
    clock,
    translator,
    stats: () => statsOf(core, { upstreamSockets: engine.upstreamSockets(), socketErrors, receiveDrops: [], journalSuppressed: journal.suppressed }),
    sweepSockets: () => { engine.sweep() }
  })
  return {
    engine: engine.name,
    dataPorts: engine.dataPorts,
    call: (name, ...args) => {
      const call = calls[name] as (...given: typeof args) => ReturnType<typeof calls[typeof name]>
      return Promise.resolve(call(...args))
    },
    close: async () => { await engine.close() }
  }
}
