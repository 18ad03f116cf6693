// The main thread's side of a shard that has a worker: calls go over as messages, and a write to the worker's eventfd ends
// its wait. A worker that fails takes the process with it, as a bug anywhere would: the next one starts clean.
import { extname } from 'node:path'
import { Worker } from 'node:worker_threads'
import type { Libc } from '../../engines/batch/system/libc.js'
import { Memory } from '../../engines/batch/system/memory.js'
import { dataPortsOf } from '../../engines/engine.js'
import type { Shard, ShardCall, ShardCalls } from '../calls/shard.js'
import type { ShardVoice } from '../journal/shard-voice.js'
import type { WorkerData } from './shard-worker.js'
import type { FromWorker, ToWorker } from './worker-messages.js'

export interface WorkerShardOptions {
  readonly libc: Libc
  readonly data: WorkerData
  readonly voice: ShardVoice
}

// The worker runs from the same kind of file as this one: compiled, or as source where tests run from sources.
const script = new URL(`./shard-worker${extname(import.meta.filename)}`, import.meta.url)

// The packet path allocates nothing; what is left are session events, short-lived. A small nursery holds them as well as
// the default one of tens of megabytes.
const resourceLimits = { maxYoungGenerationSizeMb: 4 }

// The process cannot end while a worker waits in the kernel: `process.exit` would wait for that thread for good.
const running = new Set<() => void>()
process.on('exit', () => { for (const stop of running) stop() })

/** Starts the worker; it forwards when this returns. */
export async function openWorkerShard ({ libc, data, voice }: WorkerShardOptions): Promise<Shard> {
  const worker = new Worker(script, { workerData: data, name: `shard ${data.start.shard}`, resourceLimits })
  const waiting = new Map<number, (answer: unknown) => void>()
  let lastId = 0
  const ended = new Promise<void>(resolve => { worker.once('exit', () => { resolve() }) })
  const wakeFd = await new Promise<number>((resolve, reject) => {
    worker.once('error', reject)
    worker.on('message', (message: FromWorker) => {
      if (message.type === 'ready') {
        worker.off('error', reject)
        resolve(message.wakeFd)
      } else if (message.type === 'answer') {
        waiting.get(message.id)?.(message.answer)
        waiting.delete(message.id)
      } else {
        for (const event of message.events) voice.publish(event)
        for (const { level, fields, message: sentence } of message.lines) voice.log(level, fields, sentence)
      }
    })
  })
  const one = new Memory(libc, 8)
  one.words[0] = 1
  const post = (message: ToWorker): void => {
    worker.postMessage(message)
    libc.write(wakeFd, one.address, 8)
  }
  const stop = (): void => { post('close') }
  running.add(stop)
  return {
    dataPorts: dataPortsOf(data.listeners),
    call: async <Name extends ShardCall> (name: Name, ...args: Parameters<ShardCalls[Name]>) => await new Promise<ReturnType<ShardCalls[Name]>>(resolve => {
      const id = ++lastId
      waiting.set(id, resolve as (answer: unknown) => void)
      post({ id, name, args })
    }),
    close: async () => {
      running.delete(stop)
      stop()
      await ended
    }
  }
}
