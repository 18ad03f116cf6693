// The shard of the main thread, on the engine that needs no thread of its own.
import { dataAddresses } from '#config/bind-addresses.js'
import type { Config } from '#config/schema.js'
import type { Cancel, Clock } from '#core/clock.js'
import type { StateLog } from '../state/state-log.js'
import { coreOptions } from '../core-options.js'
import { TraceRing } from '../core/trace-ring.js'
import { openDgramEngine } from '../engines/dgram/dgram-engine.js'
import type { Descriptors } from '../engines/dgram/socket.js'
import { createShardCore } from './shard-core.js'
import { CallRunner, SLICE_PAUSE_MS } from './call-runner.js'
import { createShardCalls } from './shard-calls.js'
import type { Shard, ShardVoice } from './shard.js'
import { openStateLog, restoreShard, saveState, type ShardStateStart } from './shard-state.js'
import { statsOf } from './shard-stats.js'
import { SocketFaults } from './socket-faults.js'

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
  const { core, journal, translator, tracer } = createShardCore(config, { ...coreOptions(config, random), trace: isTracing ? new TraceRing() : undefined }, clock, voice)
  const stopTracing = tracer === undefined ? () => {} : clock.every(TRACE_PERIOD_MS, () => { tracer.tell() })
  const stateDeps = { core, translator, clock, voice }
  const sessionsRestored = stateStart === undefined ? 0 : restoreShard(stateStart, stateDeps)
  let stateLog: StateLog | undefined
  const socketFaults = new SocketFaults({ voice, clock, linesPerSecond: config.limits.warningsPerSecond })
  const engine = await openDgramEngine({
    core,
    clock,
    descriptors,
    bindAddresses: dataAddresses(config),
    dataPorts: config.dataPorts,
    receiveBufferBytes: config.limits.receiveBufferBytes,
    sendQueueBytes: config.limits.sendQueueBytes,
    onSocketError: socketFaults.report,
    beforeSend: () => { stateLog?.flush() }
  })
  if (stateStart !== undefined) stateLog = openStateLog(stateStart, engine.dataPorts, stateDeps)
  const runner = new CallRunner(createShardCalls({
    core,
    clock,
    translator,
    journal,
    stats: () => statsOf(core, { upstreamSockets: engine.upstreamSockets(), socketErrors: socketFaults.total, receiveDrops: [], journalSuppressed: journal.suppressed + socketFaults.suppressed, stateBytes: stateLog?.bytes ?? 0, stateFaults: stateLog?.faults ?? 0, stateStatus: stateLog?.health ?? 'off', sessionsRestored }),
    sweepSockets: () => engine.sweep(),
    saveState: () => saveState(stateLog)
  }), clock)
  let cancelStep: Cancel | undefined
  const stepSoon = (): void => {
    if (cancelStep !== undefined || runner.isIdle) return
    cancelStep = clock.after(SLICE_PAUSE_MS, () => {
      cancelStep = undefined
      runner.step()
      stateLog?.flush()
      stepSoon()
    })
  }
  return {
    engine: engine.name,
    dataPorts: engine.dataPorts,
    call: async (name, ...args) => await new Promise(resolve => {
      runner.run(name, args, answer => {
        stateLog?.flush()
        resolve(answer)
      })
      stateLog?.flush()
      stepSoon()
    }),
    close: async () => {
      cancelStep?.()
      stopTracing()
      stateLog?.close()
      await engine.close()
    }
  }
}
