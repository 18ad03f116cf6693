// State logs in memory. What was appended is there, whatever becomes of the writer: that is what a kill leaves.
import type { StateStorage } from '../../apps/proxy/src/state/state-storage.js'

export class MemoryStorage implements StateStorage {
  readonly logs = new Map<string, Uint8Array>()
  readonly aside = new Set<string>()

  list (): string[] {
    return [...this.logs.keys()]
  }

  read (name: string): Uint8Array {
    const bytes = this.logs.get(name)
    if (bytes === undefined) throw new Error('ENOENT')
    return bytes
  }

  create (name: string): ReturnType<StateStorage['create']> {
    this.logs.set(name, new Uint8Array())
    return {
      append: bytes => { this.logs.set(name, Buffer.concat([this.read(name), bytes])) },
      close: () => {}
    }
  }

  remove (name: string): void {
    this.logs.delete(name)
  }

  setAside (name: string): void {
    this.logs.delete(name)
    this.aside.add(name)
  }
}
