// The thread of a shard on the batch engine. It waits in the kernel, not in Node's event loop: nothing of libuv runs here,
// no timer and no promise. The main thread's messages are read when its write to the eventfd ends a wait.
import { parentPort, receiveMessageOnPort, workerData, type MessagePort } from 'node:worker_threads'
import type { Config } from '#config/schema.js'
import { systemClock } from '#core/system-clock.js'
import { coreOptions } from '../body/core-options.js'
import { BatchEngine } from '../../engines/batch/batch-engine.js'
import { openLibc } from '../../engines/batch/libc.js'
import type { Listener } from '../../engines/batch/listeners.js'
import { Outbox } from './outbox.js'
import { ShardBody } from '../body/shard-body.js'
import { ShardLoop } from './shard-loop.js'
import type { ShardStateStart } from '../body/shard-state.js'
import type { FromWorker, ToWorker } from './worker-messages.js'

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
const body = new ShardBody({ config, clock: systemClock, voice: outbox, core: { ...coreOptions(config, Math.random, { shard, shards }), claims }, stateStart, isTracing })
const engine = new BatchEngine({ ...body.wiring, libc, listeners })
body.attach(engine)

const loop = new ShardLoop({
  body,
  clock: systemClock,
  turn: timeoutMs => engine.turn(timeoutMs),
  read: () => receiveMessageOnPort(port)?.message as ToWorker | undefined,
  // What happened before an answer is told before it.
  answer: (id, answer) => {
    outbox.flush()
    port.postMessage({ type: 'answer', id, answer } satisfies FromWorker)
  }
})

port.postMessage({ type: 'ready', wakeFd: engine.wakeFd } satisfies FromWorker)
while (loop.isOpen) {
  loop.turn()
  outbox.flush()
}
body.close()
engine.close()
// The thread ends when its port is closed.
port.close()
