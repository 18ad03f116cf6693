// The proxy, put together: shards, RPC server, event stream and the periodic sweep.
import { randomUUID } from 'node:crypto'
import type { Logger } from 'pino'
import type { Config } from '#config/schema.js'
import type { Clock } from '#core/clock.js'
import { seconds } from '#core/durations.js'
import type { Sample } from '#rpc/contract.js'
import { Draining } from './rpc/draining.js'
import type { BoundDataPort, EngineName } from './engines/engine.js'
import { EventStream } from './rpc/event-stream.js'
import { SessionCounts } from './rpc/session-counts.js'
import { claimUnixSocket, listenOnUnixSocket } from './unix-sockets/unix-socket.js'
import { openShards } from './shards/open-shards.js'
import type { Shards } from './shards/shards.js'
import { READ_WAIT_MS } from './state/former-state.js'
import { within } from './state/files/saved-files.js'
import { SAVE_PERIOD_MS } from './state/state-log.js'
import { readClaimedState } from './state/state-claim.js'
import { isInMemory, openStateWriter, type StateWriter, type WriterEnd } from './state/files/state-writer.js'

// What answers control takes longest to load, and no datagram needs it: workers forward meanwhile.
const loadRpc = async () => await import('./rpc/rpc-app.js')

/** How often sessions are looked through for those that are idle too long, in ms. */
export const SWEEP_PERIOD_MS = 30_000

export interface ProxyDeps {
  readonly config: Config
  readonly log: Logger
  readonly clock: Clock
  readonly socketPath: string
  /** What the names of the state logs begin with; left out, nothing is kept for a restart. */
  readonly statePath?: string | undefined
  readonly random: () => number
  readonly processSamples: () => readonly Sample[]
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
 * Takes over what the process before this one had, binds the data ports, then the Unix socket. Throws BindError,
 * SocketPathError or StateClaimedError, with nothing left open.
 */
export async function openProxy (deps: ProxyDeps): Promise<Proxy> {
  const { config, log, clock, random } = deps
  const instanceId = randomUUID()
  const counts = new SessionCounts()
  const events: EventStream = new EventStream({
    instanceId,
    clock,
    counts,
    refresh: async () => { await shards.takeChangedCounts((shard, part) => { counts.apply(shard, part) }) },
    want: async kinds => { await shards.setEventKinds(kinds) }
  })
  const voice = {
    log: (level: 'trace' | 'debug' | 'info' | 'warn', fields: object, message: string) => { log[level](fields, message) },
    publish: events.publish.bind(events)
  }
  // Whoever answers there is alive, and the state is its own.
  await claimUnixSocket(deps.socketPath)
  const claimed = deps.statePath === undefined ? undefined : await readClaimedState(deps.statePath, config.dataPorts.map(({ name }) => name), voice, clock)
  const former = claimed?.former
  const writers: StateWriter[] = []
  const openWriter = (shards: number): readonly WriterEnd[] => {
    const writer = openStateWriter(former!.path, shards)
    writers.push(writer)
    return writer.ends
  }
  const isOnDisk = former !== undefined && await within(READ_WAIT_MS, clock, isInMemory(former.path)) !== true
  if (isOnDisk) log.info({ path: former.path }, 'State is on a disk, a kill can lose what it has not taken')
  const { shards, engine, dataPorts } = await openShards({ config, clock, random, voice, isTracing: log.isLevelEnabled('trace'), former, run: instanceId, openWriter: isOnDisk ? openWriter : undefined, onceWorkersStart: () => { void loadRpc() } }).catch(async (error: unknown) => {
    await claimed?.release()
    throw error
  })
  events.start()
  const draining = new Draining({
    clock,
    log,
    timeoutMs: seconds(config.drainTimeoutSeconds),
    apply: async isDraining => { await shards.setDraining(isDraining) },
    look: async () => await shards.left()
  })
  const { createRpcApp } = await loadRpc()
  const app = createRpcApp(deps, { instanceId, shards, engine, dataPorts, events, former, draining })
  let isSweeping = false
  const stopSweeping = clock.every(SWEEP_PERIOD_MS, () => {
    if (isSweeping) return
    isSweeping = true
    void sweep(shards, log).then(() => { isSweeping = false })
  })
  // What the process before this one left is needed until a restart would find all there is without it.
  let isNeeded = former !== undefined
  const save = async (): Promise<void> => {
    const { isComplete, status } = await shards.saveState()
    events.tellState(status)
    if (!isComplete || !isNeeded) return
    isNeeded = false
    await former?.remove()
  }
  if (former !== undefined) await save()
  const stopSaving = former === undefined ? () => {} : clock.every(SAVE_PERIOD_MS, () => { void save() })
  const close = async (): Promise<void> => {
    draining.close()
    stopSweeping()
    stopSaving()
    events.close()
    await app.close()
    await shards.close()
    await Promise.all(writers.map(async writer => { await writer.close() }))
    await claimed?.release()
  }
  try {
    await listenOnUnixSocket(app, deps.socketPath)
  } catch (error) {
    await close()
    throw error
  }
  return {
    instanceId,
    engine,
    workers: shards.count,
    dataPorts,
    sessions: async () => (await shards.stats()).sessions,
    drain: async () => { await draining.stop() },
    close
  }
}

async function sweep (shards: Shards, log: Logger): Promise<void> {
  const ended = await shards.sweep()
  if (ended > 0) log.info({ ended, active: (await shards.stats()).sessions }, 'Cleaned up timed-out sessions')
}
