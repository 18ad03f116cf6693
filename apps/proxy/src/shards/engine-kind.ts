// What the proxy has to know of an engine to choose it: a row for each (engine-kinds.ts).
import type { Result } from '#core/result.js'
import type { Libc } from '../engines/batch/libc.js'
import type { BoundDataPort, EngineName } from '../engines/engine.js'
import type { FormerState } from '../state/former-state.js'
import type { WriterEnd } from '../state/files/state-writer.js'
import type { LocalShardOptions } from './hosts/local-shard.js'
import type { Shards } from './shards.js'

export interface OpenedShards {
  readonly shards: Shards
  readonly engine: EngineName
  /** In the order of the configuration. */
  readonly dataPorts: readonly BoundDataPort[]
}

export interface OpenShardsOptions extends Omit<LocalShardOptions, 'stateStart' | 'descriptors'> {
  /** How to get at the system's calls; throws NoLibc where they cannot be had. */
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

export interface EngineKind {
  readonly name: EngineName
  /** How its shards are opened here, in the threads it takes; or why it cannot run on this system. */
  readonly find: (options: OpenShardsOptions) => Promise<Result<() => Promise<OpenedShards>, Error>>
}
