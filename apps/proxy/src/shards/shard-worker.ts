// The thread of a shard on the batch engine. It waits in the kernel, not in Node's event loop: nothing of libuv runs here,
// no timer and no promise. The main thread's messages are read when its write to the eventfd ends a wait.
import { parentPort, receiveMessageOnPort, workerData, type MessagePort } from 'node:worker_threads'
import type { Config } from '#config/schema.js'
import { systemClock } from '#core/system-clock.js'
import { coreOptions } from '../core-options.js'
import { TraceRing } from '../core/trace-ring.js'
import { BatchEngine } from '../engines/batch/batch-engine.js'
import { openLibc } from '../engines/batch/libc.js'
import { dataPortsOf } from '../engines/engine.js'
import type { Listener } from '../engines/batch/listeners.js'
import { CallRunner, SLICE_PAUSE_MS } from './call-runner.js'
import { createShardCalls } from './shard-calls.js'
import { createShardCore } from './shard-core.js'
import type { ShardCall, ShardCalls } from './shard.js'
import type { FromWorker, ToWorker } from './worker-messages.js'
import { Outbox } from './outbox.js'
import { openStateLog, restoreShard, saveState, type ShardStateStart } from './shard-state.js'
import { statsOf } from './shard-stats.js'
import { SocketFaults } from './socket-faults.js'

/** What a worker is given at its start. */
export interface WorkerData {
  readonly config: Config
  /** Its number among the workers, from 0. */
  readonly shard: number
  readonly shards: number
  /** Its sockets, open already: descriptors belong to the process. */
  readonly listeners: readonly Listener[]
  /** Shared by all workers: on which data ports a token was redeemed, by the claim number of its grant. */
  readonly claims: Int32Array | undefined
  /** Left out: nothing is kept for a restart. */
  readonly stateStart: ShardStateStart | undefined
  /** Whether every decision about a datagram is told of, as far as a bound goes. */
  readonly isTracing: boolean
}

const port = parentPort as MessagePort
const { config, shard, shards, listeners, claims, stateStart, isTracing } = workerData as WorkerData
const libc = await openLibc()
const outbox = new Outbox(message => { port.postMessage(message) })
const socketFaults = new SocketFaults({ voice: outbox, clock: systemClock, linesPerSecond: config.limits.warningsPerSecond })

const { core, journal, translator, tracer } = createShardCore(config, { ...coreOptions(config, Math.random, { shard, shards }), claims, trace: isTracing ? new TraceRing() : undefined }, systemClock, outbox)
const stateDeps = { core, translator, clock: systemClock, voice: outbox }
const sessionsRestored = stateStart === undefined ? 0 : restoreShard(stateStart, stateDeps)
const stateLog = stateStart === undefined ? undefined : openStateLog(stateStart, dataPortsOf(listeners), stateDeps)
const engine = new BatchEngine({
  libc,
  core,
  clock: systemClock,
  listeners,
  receiveBufferBytes: config.limits.receiveBufferBytes,
  sendQueueBytes: config.limits.sendQueueBytes,
  dscp: config.dscp,
  onSocketError: socketFaults.report,
  beforeSend: () => { stateLog?.flush() }
})
const runner = new CallRunner(createShardCalls({
  core,
  clock: systemClock,
  translator,
  journal,
  stats: () => statsOf(core, { upstreamSockets: engine.upstreamSockets(), socketErrors: socketFaults.total, receiveDrops: engine.receiveDrops(), journalSuppressed: journal.suppressed + socketFaults.suppressed, stateBytes: stateLog?.bytes ?? 0, stateFaults: stateLog?.faults ?? 0, stateStatus: stateLog?.health ?? 'off', sessionsRestored }),
  sweepSockets: () => engine.sweep(),
  saveState: () => saveState(stateLog)
}), systemClock)

/** Messages are read for so long before datagrams have their turn, in ms. */
const READ_MS = 1

const state = { isOpen: true, hasMessages: false }

/** Does what the main thread has asked, or a part of it: `state.hasMessages` says whether there may be more. */
function readMessages (): void {
  const untilMs = systemClock.now() + READ_MS
  do {
    const message = receiveMessageOnPort(port)?.message as ToWorker | undefined
    state.hasMessages = message !== undefined
    if (message === 'close') state.isOpen = false
    else if (message !== undefined) runner.run(message.name, message.args as Parameters<ShardCalls[ShardCall]>, answer => { tell(message.id, answer) })
  } while (state.hasMessages && state.isOpen && systemClock.now() < untilMs)
}

// What happened before an answer is written and told before the answer.
function tell (id: number, answer: unknown): void {
  stateLog?.flush()
  outbox.flush()
  port.postMessage({ type: 'answer', id, answer } satisfies FromWorker)
}

function turnMs (): number {
  if (state.hasMessages) return 0
  return runner.isIdle ? -1 : SLICE_PAUSE_MS
}

port.postMessage({ type: 'ready', wakeFd: engine.wakeFd } satisfies FromWorker)
while (state.isOpen) {
  if (engine.turn(turnMs()) || state.hasMessages) readMessages()
  if (!runner.isIdle) {
    runner.step()
    stateLog?.flush()
  }
  tracer?.tell()
  outbox.flush()
}
stateLog?.close()
engine.close()
// The thread ends when its port is closed.
port.close()
