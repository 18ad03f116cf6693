// What the proxy has to know of an engine to choose it and to open shards on it: a row for each (engine-kinds.ts).
import type { Config } from '#config/schema.js'
import type { Clock } from '#core/clock.js'
import type { Result } from '#core/result.js'
import type { EngineName } from '../engines/engine.js'
import type { StateStorage } from '../state/files/state-storage.js'
import type { WriterEnd } from '../state/files/state-writer.js'
import type { ShardStart } from './body/shard-start.js'
import type { Shard } from './calls/shard.js'
import type { ShardVoice } from './journal/shard-voice.js'

/** What all shards of an engine have in common. */
export interface EngineSurroundings {
  readonly config: Config
  readonly clock: Clock
  /** Uniform in [0, 1). */
  readonly random: () => number
  readonly voice: ShardVoice
  /** Where a shard of this thread writes its state log; one with a thread of its own finds that out there. Undefined: nowhere. */
  readonly openStorage: ((writer: WriterEnd | undefined) => StateStorage) | undefined
}

/** An engine that has what its shards share. */
export interface OpenEngine {
  /** How many there are to be opened, at least 1. */
  readonly shards: number
  /** Opens one of them; it forwards when this resolves. */
  readonly openShard: (start: ShardStart) => Promise<Shard>
}

export interface EngineKind {
  readonly name: EngineName
  /** How it is opened on this system, or why it cannot run here. The data ports are bound with it, or with its only shard: either throws BindError, with nothing left open. */
  readonly find: () => Promise<Result<(surroundings: EngineSurroundings) => OpenEngine, Error>>
}
