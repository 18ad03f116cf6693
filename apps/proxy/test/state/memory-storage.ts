// State logs in memory. What was appended is there, whatever becomes of the writer: that is what a kill leaves. And what
// can go wrong on a disk.
import { isOf, type StateFile, type StateStorage } from '../../src/state/state-storage.js'

export class MemoryStorage implements StateStorage {
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
        this.logs.set(name, Buffer.concat([this.read(name), bytes.subarray(0, taken)]))
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
