// Chooses the engine and opens the shards that go with it.
import type { BoundDataPort, EngineName } from '../engines/engine.js'
import { openLocalShard, type LocalShardOptions } from './local-shard.js'
import { Shards } from './shards.js'

export interface OpenedShards {
  readonly shards: Shards
  readonly engine: EngineName
  /** In the order of the configuration. */
  readonly dataPorts: readonly BoundDataPort[]
}

/** Binds the data ports. Throws BindError, with nothing left open. */
export async function openShards (options: LocalShardOptions): Promise<OpenedShards> {
  const shard = await openLocalShard(options)
  return { shards: new Shards([shard]), engine: shard.engine, dataPorts: shard.dataPorts }
}
