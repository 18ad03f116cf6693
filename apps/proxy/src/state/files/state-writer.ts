// Who writes state logs: the shards themselves where the files are in memory, else a thread for all of them.
import { statfs } from 'node:fs/promises'
import { dirname, extname } from 'node:path'
import { Worker } from 'node:worker_threads'
import { Ring } from './ring.js'
import { openRingStorage } from './ring-storage.js'
import { openStateDirectory } from './state-directory.js'
import type { StateStorage } from './state-storage.js'
import type { WriterData } from './writer-thread.js'

/** What a shard is given to write by: plain data, for it may go to another thread. Left out, it writes itself. */
export interface WriterEnd {
  readonly memory: SharedArrayBuffer
  readonly bell: Int32Array<SharedArrayBuffer>
}

export interface StateWriter {
  /** By the number of the shard. */
  readonly ends: readonly WriterEnd[]
  /** Resolves when everything is written, or after a while if the disk does not take it. */
  readonly close: () => Promise<void>
}

// Linux statfs(2): tmpfs and ramfs.
const memoryTypes: ReadonlySet<number> = new Set([0x0102_1994, 0x8584_58f6])

/** A disk that takes longer than this for the last of it is not waited for, in ms. */
const CLOSE_WAIT_MS = 2000

const script = new URL(`./writer-thread${extname(import.meta.filename)}`, import.meta.url)

/** Whether files beside this path are in memory, so that to write one never waits for a disk. */
export async function isInMemory (path: string): Promise<boolean> {
  if (process.platform !== 'linux') return false
  for (let directory = dirname(path); ; directory = dirname(directory)) {
    try {
      return memoryTypes.has((await statfs(directory)).type)
    } catch { // ENOENT: the one above says it
      if (directory === dirname(directory)) return false
    }
  }
}

/** Starts the thread. */
export function openStateWriter (path: string, shards: number): StateWriter {
  const bell = new Int32Array(new SharedArrayBuffer(8))
  const rings = Array.from({ length: shards }, () => new Ring())
  const worker = new Worker(script, { workerData: { path, rings: rings.map(({ memory }) => memory), bell } satisfies WriterData, name: 'state writer', resourceLimits: { maxYoungGenerationSizeMb: 4 } })
  worker.unref()
  const ended = new Promise<void>(resolve => { worker.once('exit', () => { resolve() }) })
  return {
    ends: rings.map(({ memory }) => ({ memory, bell })),
    close: async () => {
      Atomics.store(bell, 1, 1)
      Atomics.add(bell, 0, 1)
      Atomics.notify(bell, 0)
      let timer: NodeJS.Timeout | undefined
      await Promise.race([ended, new Promise<void>(resolve => { timer = setTimeout(resolve, CLOSE_WAIT_MS) })])
      clearTimeout(timer)
    }
  }
}

/** Where a shard writes. */
export function openShardStorage (path: string, end: WriterEnd | undefined): StateStorage {
  return end === undefined ? openStateDirectory(path) : openRingStorage(new Ring(end.memory), end.bell)
}
