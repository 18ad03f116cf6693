// The shard of the main thread, on the engine that needs no thread of its own.
import { dataAddresses } from '#config/bind-addresses.js'
import type { Config } from '#config/schema.js'
import type { Clock } from '#core/clock.js'
import { coreOptions } from '../body/core-options.js'
import { openDgramEngine } from '../../engines/dgram/dgram-engine.js'
import type { Descriptors } from '../../engines/dgram/socket.js'
import { LocalHost } from './local-host.js'
import { ShardBody } from '../body/shard-body.js'
import type { ShardStateStart } from '../body/shard-state.js'
import type { Shard } from '../calls/shard.js'
import type { ShardVoice } from '../journal/shard-voice.js'

export interface LocalShardOptions {
  readonly config: Config
  readonly clock: Clock
  readonly random: () => number
  readonly voice: ShardVoice
  /** Left out: nothing is kept for a restart. */
  readonly stateStart?: ShardStateStart | undefined
  /** Makes the sockets' descriptors, where the system's calls are at hand. */
  readonly descriptors?: Descriptors
  /** Whether every decision about a datagram is told of, as far as a bound goes. */
  readonly isTracing?: boolean
}

// How often decisions are told of, in ms.
const TRACE_PERIOD_MS = 20

/** Binds the data ports. Throws BindError, with nothing left open. */
export async function openLocalShard ({ config, clock, random, voice, stateStart, descriptors, isTracing = false }: LocalShardOptions): Promise<Shard> {
  const body = new ShardBody({ config, clock, voice, core: coreOptions(config, random), stateStart, isTracing })
  const engine = await openDgramEngine({ ...body.wiring, descriptors, bindAddresses: dataAddresses(config), dataPorts: config.dataPorts })
  body.attach(engine)
  const host = new LocalHost(body, clock)
  const stopTracing = isTracing ? clock.every(TRACE_PERIOD_MS, () => { body.tellTrace() }) : () => {}
  return {
    engine: engine.name,
    dataPorts: engine.dataPorts,
    call: host.call,
    close: async () => {
      host.close()
      stopTracing()
      body.close()
      await engine.close()
    }
  }
}
