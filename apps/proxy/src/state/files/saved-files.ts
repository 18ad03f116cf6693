// The state logs of the process before this one, as files. Nothing here is waited for on a thread that forwards, and the
// start waits for none of it for ever: a disk that hangs must not keep the players out.
import { open, readdir, readFile, rename, rm } from 'node:fs/promises'
import { basename, dirname } from 'node:path'
import type { Clock } from '#core/clock.js'
import { generationOf } from './state-storage.js'

export interface SavedFiles {
  /** Every log there is, by name; undefined for one that cannot be read. */
  readonly read: () => Promise<ReadonlyMap<string, Uint8Array | undefined>>
  /** Fails with the system's error if no log can be begun here. */
  readonly tryToWrite: (name: string) => Promise<void>
  /** Takes a log out of the way, for people to look at; at most one is kept for each shard. */
  readonly setAside: (name: string) => Promise<void>
  readonly remove: (name: string) => Promise<void>
}

/** The logs whose names start with `path` and a dot. */
export function savedFilesAt (path: string): SavedFiles {
  const prefix = `${basename(path)}.`
  const fileOf = (name: string): string => `${path}.${name}`
  return {
    read: async () => {
      const logs = new Map<string, Uint8Array | undefined>()
      for (const file of await readdir(dirname(path))) {
        const name = file.slice(prefix.length)
        // A system's error: EACCES, EIO, … One of another owner does not keep the others from being read.
        if (file.startsWith(prefix) && generationOf(name) !== undefined) logs.set(name, await readFile(fileOf(name)).catch(() => undefined))
      }
      return logs
    },
    tryToWrite: async name => {
      const file = await open(fileOf(name), 'wx', 0o600)
      await file.close()
      await rm(fileOf(name), { force: true })
    },
    setAside: async name => { await rename(fileOf(name), `${fileOf(name.replace(/\..*/, ''))}.bad`) },
    remove: async name => { await rm(fileOf(name), { force: true }) }
  }
}

/** What is promised, or undefined if that takes longer than `ms`. */
export async function within<Value> (ms: number, clock: Pick<Clock, 'after'>, promised: Promise<Value>): Promise<Value | undefined> {
  return await new Promise((resolve, reject) => {
    const cancel = clock.after(ms, () => { resolve(undefined) })
    promised.finally(cancel).then(resolve, reject)
  })
}
