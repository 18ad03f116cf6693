// State logs in memory. What was appended is there, whatever becomes of the writer: that is what a kill leaves. And what
// can go wrong on a disk.
import { isOf, type StateFile, type StateStorage } from '../apps/proxy/src/state/files/state-storage.js'

export class MemoryStorage implements StateStorage {
  /** What is there, by name. May be changed, as a disk or an attacker would. */
  readonly logs = new Map<string, Uint8Array>()
  /** Bytes that fit, as from now; more fails like a full disk. */
  room = Infinity

  list (): string[] {
    return [...this.logs.keys()]
  }

  read (name: string): Uint8Array {
    const bytes = this.logs.get(name)
    if (bytes === undefined) throw new Error('ENOENT')
    return bytes
  }

  create (name: string): StateFile {
    this.logs.set(name, new Uint8Array())
    let written = 0
    return {
      room: Infinity,
      get written () { return written },
      waitForRoom: () => {},
      check: () => {},
      append: bytes => {
        written += bytes.length
        const taken = Math.min(bytes.length, this.room)
        this.room -= taken
        this.logs.set(name, appended(this.read(name), bytes.subarray(0, taken)))
        if (taken < bytes.length) throw Object.assign(new Error('no space left on device'), { code: 'ENOSPC' })
      },
      close: () => {}
    }
  }

  remove (name: string): void {
    this.logs.delete(name)
  }

  removeAllOf (shard: number, from: number): void {
    for (const name of this.list()) if (isOf(name, shard, from)) this.remove(name)
  }
}

// Memory grows in doubles and holds both, so that a long log is not copied for each of its batches. A view that ends before
// the end of what was written is somebody's edit, and is not written over.
const used = new WeakMap<ArrayBufferLike, number>()

function appended (before: Uint8Array, more: Uint8Array): Uint8Array {
  const end = before.byteOffset + before.length
  const length = before.length + more.length
  if (used.get(before.buffer) === end && end + more.length <= before.buffer.byteLength) {
    const grown = Buffer.from(before.buffer, before.byteOffset, length)
    grown.set(more, before.length)
    used.set(before.buffer, end + more.length)
    return grown
  }
  const grown = Buffer.from(new ArrayBuffer(2 * length + 256), 0, length)
  grown.set(before)
  grown.set(more, before.length)
  used.set(grown.buffer, length)
  return grown
}
