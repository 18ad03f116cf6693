// The proxy, put together: shards, RPC server, event stream and the periodic sweep, on whatever platform.
import type { Logger } from 'pino'
import { ownSources } from '#config/own-listeners.js'
import type { Config } from '#config/schema.js'
import { seconds } from '#core/durations.js'
import type { BoundDataPort, EngineName } from './engines/engine.js'
import type { Platform } from './platform.js'
import { Draining } from './rpc/draining.js'
import { EventStream } from './rpc/event-stream.js'
import type { RpcServer } from './rpc/rpc-place.js'
import { SessionCounts } from './rpc/session-counts.js'
import type { ShardVoice } from './shards/journal/shard-voice.js'
import { openShards } from './shards/open-shards.js'
import type { Shards } from './shards/shards.js'
import { READ_WAIT_MS, type FormerState } from './state/former-state.js'
import { within } from './state/files/saved-files.js'
import { SAVE_PERIOD_MS } from './state/state-log.js'
import type { StatePlace } from './state/state-place.js'
import type { StateWriter, WriterEnd } from './state/files/state-writer.js'

export interface ProxyDeps {
  readonly config: Config
  readonly log: Pick<Logger, 'trace' | 'debug' | 'info' | 'warn' | 'error' | 'isLevelEnabled'>
  readonly platform: Platform
}

export interface Proxy {
  readonly instanceId: string
  readonly engine: EngineName
  /** Threads that forward; 1 is the only one of engine dgram. */
  readonly workers: number
  /** In the order of the configuration. */
  readonly dataPorts: readonly BoundDataPort[]
  /** Sessions at this moment. */
  readonly sessions: () => Promise<number>
  /** Takes no new sessions on the default endpoint, and resolves when none is left or `drainTimeoutSeconds` are over. */
  readonly drain: () => Promise<void>
  readonly close: () => Promise<void>
}

/**
 * Takes over what the process before this one had, binds the data ports, then answers control. Throws BindError,
 * SocketPathError or StateClaimedError, with nothing left open.
 */
export async function openProxy ({ config, log, platform }: ProxyDeps): Promise<Proxy> {
  const { clock, random, rpc, engines, processSamples } = platform
  const instanceId = platform.newInstanceId()
  const counts = new SessionCounts()
  const events: EventStream = new EventStream({
    instanceId,
    clock,
    counts,
    refresh: async () => { await shards.takeChangedCounts((shard, part) => { counts.apply(shard, part) }) },
    want: async kinds => { await shards.ask('setEventKinds', kinds) },
    openAsks: async isOpen => { await shards.ask('openAsks', isOpen) }
  })
  const voice: ShardVoice = {
    log: (level, fields, message) => { log[level](fields, message) },
    publish: event => { events.publish(event) }
  }
  // Whoever answers there is alive, and the state is its own.
  await rpc.claim()
  const state = await openState(platform, config, voice)
  const { shards, engine, dataPorts } = await openShards({
    config,
    clock,
    random,
    voice,
    engines,
    ownAddresses: ownSources(config, platform.networkInterfaces()),
    isTracing: log.isLevelEnabled('trace'),
    former: state?.former,
    run: instanceId,
    openWriter: state?.openWriter,
    openStorage: platform.state?.openStorage,
    // Workers forward while what answers control is loaded.
    onceShardsStart: () => { void rpc.load() }
  }).catch(async (error: unknown) => {
    await state?.close()
    throw error
  })
  events.start()
  const draining = new Draining({
    clock,
    log,
    timeoutMs: seconds(config.drainTimeoutSeconds),
    apply: async isDraining => { await shards.ask('setDraining', isDraining) },
    look: async () => await shards.ask('left')
  })
  const { createService, createServer } = await rpc.load()
  const onBug = (error: Error): void => { log.error({ err: error }, 'RPC call failed') }
  const service = createService({ instanceId, shards, engine, dataPorts, events, former: state?.former, draining, rpcTables: () => server.tables(), processSamples, log, onBug })
  const server: RpcServer = createServer(service, { clock, onBug })
  const stopSweeping = sweepAgainAndAgain(shards, platform, { config, log })
  const stopSaving = state === undefined ? () => {} : await saveAgainAndAgain(shards, state.former, platform, events)
  const close = async (): Promise<void> => {
    draining.close()
    stopSweeping()
    stopSaving()
    events.close()
    await server.close()
    await shards.close()
    await state?.close()
  }
  try {
    await server.listen()
  } catch (error) {
    await close()
    throw error
  }
  return {
    instanceId,
    engine,
    workers: shards.count,
    dataPorts,
    sessions: async () => (await shards.ask('stats')).sessions,
    drain: async () => { await draining.stop() },
    close
  }
}

interface OpenState {
  readonly former: FormerState
  /** Starts the thread that writes, where shards would have to wait for a disk. */
  readonly openWriter: ((shards: number) => readonly WriterEnd[]) | undefined
  /** Once the shards write no more: resolves when what they wrote is there. */
  readonly close: () => Promise<void>
}

async function openState ({ state, clock }: Platform, config: Config, voice: ShardVoice): Promise<OpenState | undefined> {
  if (state === undefined) return undefined
  const { former, release } = await state.readClaimed(config.dataPorts.map(({ name }) => name), voice, clock)
  const isOnDisk = await within(READ_WAIT_MS, clock, state.isInMemory()) !== true
  if (isOnDisk) voice.log('info', { path: state.path }, 'State is on a disk, a kill can lose what it has not taken')
  const writers: StateWriter[] = []
  return {
    former,
    openWriter: isOnDisk ? shards => openWriterOf(state, shards, writers) : undefined,
    close: async () => {
      await Promise.all(writers.map(async writer => { await writer.close() }))
      await release()
    }
  }
}

function openWriterOf (state: StatePlace, shards: number, writers: StateWriter[]): readonly WriterEnd[] {
  const writer = state.openWriter(shards)
  writers.push(writer)
  return writer.ends
}

// Where directors share a store, they compare how busy targets are, and a session that was seen elsewhere counts until it is swept.
const SHARED_SWEEP_PERIOD_MS = 5000

function sweepAgainAndAgain (shards: Shards, { clock, sweepPeriodMs }: Platform, { config: { sharedState }, log }: Pick<ProxyDeps, 'config' | 'log'>): () => void {
  let isSweeping = false
  const sweep = async (): Promise<void> => {
    if (isSweeping) return
    isSweeping = true
    const ended = await shards.sweep()
    if (ended > 0) log.info({ ended, active: (await shards.ask('stats')).sessions }, 'Cleaned up timed-out sessions')
    isSweeping = false
  }
  return clock.every(sharedState === undefined ? sweepPeriodMs : Math.min(sweepPeriodMs, SHARED_SWEEP_PERIOD_MS), () => { void sweep() })
}

/** The first time is over when this resolves. */
async function saveAgainAndAgain (shards: Shards, former: FormerState, { clock }: Platform, events: EventStream): Promise<() => void> {
  // What the process before this one left is needed until a restart would find all there is without it.
  let isNeeded = true
  const save = async (): Promise<void> => {
    const { isComplete, status } = await shards.ask('saveState')
    events.tellState(status)
    if (!isComplete || !isNeeded) return
    isNeeded = false
    await former.remove()
  }
  await save()
  return clock.every(SAVE_PERIOD_MS, () => { void save() })
}
