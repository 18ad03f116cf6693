// State logs in memory, with what can go wrong on a disk.
import type { StateStorage } from '../../src/state/state-storage.js'

export interface MemoryStorage extends StateStorage {
  readonly logs: Map<string, Uint8Array>
  readonly aside: string[]
  /** Bytes that fit, as from now; more fails like a full disk. */
  room: number
}

export function memoryStorage (): MemoryStorage {
  const logs = new Map<string, Uint8Array>()
  const aside: string[] = []
  const storage: MemoryStorage = {
    logs,
    aside,
    room: Infinity,
    list: () => [...logs.keys()],
    read: name => logs.get(name)!,
    create: name => {
      logs.set(name, new Uint8Array(0))
      return {
        append: bytes => {
          const taken = Math.min(bytes.length, storage.room)
          storage.room -= taken
          logs.set(name, Buffer.concat([logs.get(name)!, bytes.subarray(0, taken)]))
          if (taken < bytes.length) throw Object.assign(new Error('no space left on device'), { code: 'ENOSPC' })
        },
        close: () => {}
      }
    },
    remove: name => { logs.delete(name) },
    setAside: name => {
      logs.delete(name)
      aside.push(name)
    }
  }
  return storage
}
