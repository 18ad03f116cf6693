// The thread that writes state logs to a disk, for all shards: the only one that ever waits for it.
import { workerData } from 'node:worker_threads'
import { Ring } from './ring.js'
import { RingReader } from './ring-storage.js'
import { openStateDirectory } from './state-directory.js'
import { LOOK_PERIOD_MS } from './state-storage.js'

export interface WriterData {
  readonly path: string
  /** One of each shard. */
  readonly rings: readonly SharedArrayBuffer[]
  /** [0] counts up whenever there is something to do, [1] is 1 once this thread shall end. */
  readonly bell: Int32Array<SharedArrayBuffer>
}

const { path, rings, bell } = workerData as WriterData
const readers = rings.map(memory => new RingReader(new Ring(memory), openStateDirectory(path)))
let lastCheckMs = performance.now()
for (;;) {
  const rung = Atomics.load(bell, 0)
  const isEnding = Atomics.load(bell, 1) === 1
  for (const reader of readers) reader.drain()
  if (isEnding) break
  if (performance.now() - lastCheckMs >= LOOK_PERIOD_MS) {
    for (const reader of readers) reader.check()
    lastCheckMs = performance.now()
  }
  Atomics.wait(bell, 0, rung, LOOK_PERIOD_MS)
}
