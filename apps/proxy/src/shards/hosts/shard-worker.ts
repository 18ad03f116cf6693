// The thread of a shard on the batch engine. It waits in the kernel, not in Node's event loop: nothing of libuv runs here,
// no timer and no promise. The main thread's messages are read when its write to the eventfd ends a wait.
import { parentPort, receiveMessageOnPort, workerData, type MessagePort } from 'node:worker_threads'
import { systemClock } from '#core/system-clock.js'
import { coreOptions } from '../body/core-options.js'
import { BatchEngine } from '../../engines/batch/batch-engine.js'
import { openLibc } from '../../engines/batch/system/libc.js'
import type { Listener } from '../../engines/batch/ports/listeners.js'
import { Outbox } from './worker-messages.js'
import { ShardBody } from '../body/shard-body.js'
import { ShardLoop } from './shard-loop.js'
import type { ShardStart } from '../body/shard-start.js'
import { openShardStorage } from '../../state/files/state-writer.js'
import type { FromWorker, ToWorker } from './worker-messages.js'

/** What a worker is given. */
export interface WorkerData {
  readonly start: ShardStart
  /** Its sockets, open already: descriptors belong to the process. */
  readonly listeners: readonly Listener[]
}

const port = parentPort as MessagePort
const { start, listeners } = workerData as WorkerData
const libc = await openLibc()
const outbox = new Outbox(message => { port.postMessage(message) })
const storage = start.stateStart && openShardStorage(start.stateStart.path, start.stateStart.writer)
const body = new ShardBody({ start, clock: systemClock, voice: outbox, core: coreOptions(start, Math.random), storage })
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
