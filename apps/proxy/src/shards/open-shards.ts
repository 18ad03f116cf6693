// Chooses the engine and opens the shards that go with it.
import { BindError, type BoundDataPort, type EngineName } from '../engines/engine.js'
import type { FormerState } from '../state/former-state.js'
import type { WriterEnd } from '../state/files/state-writer.js'
import type { EngineKind, EngineSurroundings, OpenEngine } from './engine-kind.js'
import { Shards } from './shards.js'
import { stateStarts } from './state-starts.js'
import { TokenClaims } from './calls/token-claims.js'

export interface OpenedShards {
  readonly shards: Shards
  readonly engine: EngineName
  /** In the order of the configuration. */
  readonly dataPorts: readonly BoundDataPort[]
}

export interface OpenShardsOptions extends EngineSurroundings {
  /** By preference. */
  readonly engines: readonly EngineKind[]
  /** Where datagrams of the director itself may come from. */
  readonly ownAddresses: readonly string[]
  /** Whether every decision about a datagram is told of, as far as a bound goes. */
  readonly isTracing: boolean
  /** What the process before this one left, and where this one writes; undefined: nothing is kept for a restart. */
  readonly former: FormerState | undefined
  /** Names this life in its state logs. */
  readonly run: string
  /** Starts the thread that writes the logs of so many shards; undefined: each writes its own. */
  readonly openWriter: ((shards: number) => readonly WriterEnd[]) | undefined
  /** Called when the shards have been started: there is time for something else until they forward. */
  readonly onceShardsStart: () => void
}

/**
 * Binds the data ports. Throws BindError, with nothing left open, and what is in the way if the configuration insists on
 * an engine that this system does not have.
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
  const { config: { engine }, engines, voice } = options
  const kinds = engines.filter(({ name }) => engine === 'auto' || engine === name)
  for (const [index, kind] of kinds.entries()) {
    const found = await kind.find()
    if (found.ok) return { engine: kind.name, ...await openAll(found.value(options), options) }
    const next = kinds[index + 1]
    if (next === undefined) throw found.error
    voice.log('warn', { reason: found.error.message, engine: next.name }, 'Engine is not available, using another one')
  }
  throw new Error(`there is no engine ${engine}`)
}

async function openAll ({ shards, openShard }: OpenEngine, options: OpenShardsOptions): Promise<Omit<OpenedShards, 'engine'>> {
  const { config, clock, ownAddresses, isTracing, onceShardsStart } = options
  const claims = shards > 1 ? new TokenClaims(clock, config.limits.maxTokens) : undefined
  const starts = stateStarts(options, shards, claims)
  const opening = Array.from({ length: shards }, async (_, shard) =>
    await openShard({ config, shard, shards, claims: claims?.words, ownAddresses, stateStart: starts[shard], isTracing }))
  onceShardsStart()
  const opened = await Promise.all(opening)
  return { shards: new Shards(opened, claims, clock), dataPorts: opened[0]!.dataPorts }
}
