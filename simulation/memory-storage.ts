// What survives a crash of the proxy: its state logs, byte for byte as they were appended.
import { isOf, type StateFile, type StateStorage } from '../apps/proxy/src/state/state-storage.js'

export class MemoryStorage implements StateStorage {
  readonly #logs = new Map<string, Uint8Array[]>()

  readonly list = (): readonly string[] => [...this.#logs.keys()]

  readonly read = (name: string): Uint8Array => Buffer.concat(this.#logs.get(name) ?? [])

  readonly create = (name: string): StateFile => {
    const parts: Uint8Array[] = []
    this.#logs.set(name, parts)
    // The writer uses its memory again.
    let written = 0
    const append = (bytes: Uint8Array): void => {
      parts.push(bytes.slice())
      written += bytes.length
    }
    return { append, room: Infinity, get written () { return written }, waitForRoom: () => undefined, check: () => undefined, close: () => undefined }
  }

  readonly remove = (name: string): void => { this.#logs.delete(name) }

  readonly removeAllOf = (shard: number, from: number): void => {
    for (const name of this.list()) if (isOf(name, shard, from)) this.remove(name)
  }
}
