// The proxy, put together: core, engine, journal, RPC server and the periodic sweep.
import { randomUUID } from 'node:crypto'
import Fastify, { type FastifyInstance } from 'fastify'
import type { Logger } from 'pino'
import type { Config } from '#config/schema.js'
import type { Clock } from '#core/clock.js'
import { MAX_RPC_BODY_BYTES, type Sample } from '#rpc/contract.js'
import { registerRpc } from '#rpc/server.js'
import { coreOptions } from './core-options.js'
import { createCore, type Core } from './core/core.js'
import { openDgramEngine } from './engines/dgram/dgram-engine.js'
import type { Engine } from './engines/engine.js'
import { Journal } from './journal.js'
import { EventStream } from './rpc/event-stream.js'
import { createHandlers } from './rpc/handlers.js'
import { collectStats } from './rpc/stats.js'
import { Translator } from './rpc/translate.js'
import { listenOnUnixSocket } from './rpc/unix-socket.js'

/** How often sessions are looked through for those that are idle too long, in ms. */
export const SWEEP_PERIOD_MS = 30_000

export interface ProxyDeps {
  readonly config: Config
  readonly log: Logger
  readonly clock: Clock
  readonly socketPath: string
  readonly random: () => number
  readonly processSamples: () => readonly Sample[]
}

export interface Proxy {
  readonly instanceId: string
  readonly engine: Engine
  readonly core: Core
  readonly close: () => Promise<void>
}

/** Binds the data ports, then the Unix socket. Throws BindError or SocketPathError, with nothing left open. */
export async function openProxy (deps: ProxyDeps): Promise<Proxy> {
  const { config, log, clock } = deps
  const parts = createParts(deps)
  const { instanceId, core, events } = parts
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
      log.warn({ err: error }, 'Socket error')
    }
  }).catch((error: unknown) => {
    events.close()
    throw error
  })
  let isDraining = false
  const app = rpcApp(deps, parts, engine, () => isDraining, () => socketErrors)
  const stopSweeping = clock.every(SWEEP_PERIOD_MS, () => { sweep(core, engine, clock, log) })
  const close = async (): Promise<void> => {
    isDraining = true
    stopSweeping()
    events.close()
    await app.close()
    await engine.close()
  }
  try {
    await listenOnUnixSocket(app, deps.socketPath)
  } catch (error) {
    await close()
    throw error
  }
  return { instanceId, engine, core, close }
}

interface Parts {
  readonly instanceId: string
  readonly core: Core
  readonly events: EventStream
  readonly journal: Journal
  readonly translator: Translator
}

// The core tells the journal what happens, and the journal asks the core for names: one of them has to come first.
function createParts ({ config, log, clock, random }: ProxyDeps): Parts {
  const instanceId = randomUUID()
  const translator = new Translator(config.dataPorts.map(({ name }) => name))
  const journal: Journal = new Journal({
    log,
    clock,
    linesPerSecond: config.limits.sessionLinesPerSecond,
    operations: () => core.operations,
    publish: event => { events.publish(event) },
    dataPortName: index => translator.dataPortName(index)
  })
  const core: Core = createCore(coreOptions(config, random), journal)
  const events = new EventStream({ instanceId, targets: core.state.targets, clock })
  return { instanceId, core, events, journal, translator }
}

function rpcApp (deps: ProxyDeps, parts: Parts, engine: Engine, isDraining: () => boolean, socketErrors: () => number): FastifyInstance {
  const { log, clock } = deps
  const { instanceId, core, events, journal, translator } = parts
  const app = Fastify({ logger: false, bodyLimit: MAX_RPC_BODY_BYTES, forceCloseConnections: true })
  events.register(app)
  registerRpc(app, createHandlers({
    core,
    clock,
    translator,
    instanceId,
    engine: engine.name,
    dataPorts: engine.dataPorts.map(({ name, address, port }) => ({ name, address, port })),
    isDraining,
    stats: () => collectStats({
      core,
      dataPortNames: engine.dataPorts.map(({ name }) => name),
      upstreamSockets: () => engine.upstreamSockets(),
      socketErrors,
      eventsDropped: () => events.dropped,
      linesSuppressed: () => core.state.warningsSuppressed + journal.suppressed,
      processSamples: deps.processSamples
    }),
    onUnusableTargets: faults => { log.warn({ faults: Object.fromEntries(faults) }, 'Default targets left out') }
  }), error => { log.error({ err: error }, 'RPC call failed') })
  return app
}

function sweep (core: Core, engine: Engine, clock: Clock, log: Logger): void {
  const ended = core.operations.sweep(clock.now())
  engine.sweep()
  if (ended > 0) log.info({ ended, active: core.state.sessions.size }, 'Cleaned up timed-out sessions')
}
