// State logs that another thread writes: a storage whose calls never wait for a disk, and the other end, which does what they say.
import type { Ring } from './ring.js'
import { generationOf, logName, type StateFile, type StateStorage } from './state-storage.js'

const Op = Object.freeze({ create: 0, append: 1, close: 2, remove: 3, removeAllOf: 4 } as const)

const nothing = new Uint8Array()

/** @param ring @param bell told whenever there is something to do */
export function openRingStorage (ring: Ring, bell: Int32Array): StateStorage {
  // A failure is told by the number of the file; 0 is none.
  let files = 0
  const tell = (op: number, file: number, body: Uint8Array): void => {
    if (!ring.put(op, file, body)) throw new Error('the disk has not taken what it was given before')
    Atomics.add(bell, 0, 1)
    Atomics.notify(bell, 0)
  }
  const create = (name: string): StateFile => {
    const file = ++files
    tell(Op.create, file, Buffer.from(name))
    let appended = 0
    return {
      get room () { return ring.room },
      // What waits is this file's at most; once it has failed, nothing more of it will be written.
      get written () { return ring.failureOf(file) === undefined ? Math.max(0, appended - ring.waiting) : 0 },
      append: bytes => {
        tell(Op.append, file, bytes)
        appended += bytes.length
      },
      waitForRoom: (bytes, timeoutMs) => {
        const untilMs = performance.now() + timeoutMs
        for (let left = timeoutMs; ring.room < bytes && left > 0; left = untilMs - performance.now()) ring.wait(left)
      },
      check: () => {
        const why = ring.failureOf(file)
        if (why !== undefined) throw new Error(why)
      },
      close: () => { tell(Op.close, file, nothing) }
    }
  }
  return {
    list: () => [],
    read: () => nothing,
    create,
    remove: name => { tell(Op.remove, 0, Buffer.from(name)) },
    removeAllOf: (shard, from) => { tell(Op.removeAllOf, 0, Buffer.from(logName(shard, from))) }
  }
}

/** Does what a shard says, one thing after the other, however long each takes. */
export class RingReader {
  readonly #ring: Ring
  readonly #storage: StateStorage
  readonly #files = new Map<number, StateFile>()

  constructor (ring: Ring, storage: StateStorage) {
    this.#ring = ring
    this.#storage = storage
  }

  /** Returns when there is nothing left to do. */
  drain (): void {
    for (let record = this.#ring.peek(); record !== undefined; record = this.#ring.peek()) {
      const { op, file, body } = record
      this.#guarded(file, () => { this.#run(op, file, body) })
      this.#ring.drop(record)
    }
  }

  /** Looks whether the files are still what was written. */
  check (): void {
    for (const [file, { check }] of this.#files) this.#guarded(file, check)
  }

  #run (op: number, file: number, body: Uint8Array): void {
    const text = (): string => Buffer.from(body).toString()
    if (op === Op.create) this.#files.set(file, this.#storage.create(text()))
    else if (op === Op.append) this.#files.get(file)?.append(body)
    else if (op === Op.close) {
      this.#files.get(file)?.close()
      this.#files.delete(file)
    } else if (op === Op.remove) this.#storage.remove(text())
    else if (op === Op.removeAllOf) this.#storage.removeAllOf(parseInt(text()), generationOf(text())!)
  }

  // A file that failed is not written to any more. What was begun for nothing is told to nobody.
  #guarded (file: number, run: () => void): void {
    try {
      run()
    } catch (error) {
      if (file === 0) return
      const failed = this.#files.get(file)
      this.#files.delete(file)
      try {
        failed?.close()
      } catch { // it failed already
      }
      this.#ring.fail(file, (error as Error).message)
    }
  }
}
