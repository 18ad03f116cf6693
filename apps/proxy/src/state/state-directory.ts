// State logs as files beside each other: `<path>.<shard>.<generation>`. A kill of the process loses nothing that was
// written, because the system has it already; nothing is synced to a disk, because a pod that loses its node has lost its
// clients' packets, too.
import { closeSync, openSync, readdirSync, readFileSync, renameSync, rmSync, writeSync } from 'node:fs'
import { basename, dirname } from 'node:path'
import { generationOf, type StateStorage } from './state-storage.js'

// Clients and tokens are in it.
const MODE = 0o600

/** The logs whose names start with `path` and a dot. */
export function openStateDirectory (path: string): StateStorage {
  const prefix = `${basename(path)}.`
  const fileOf = (name: string): string => `${path}.${name}`
  return {
    list: () => readdirSync(dirname(path))
      .filter(file => file.startsWith(prefix))
      .map(file => file.slice(prefix.length))
      .filter(name => generationOf(name) !== undefined),
    read: name => readFileSync(fileOf(name)),
    create: name => {
      const fd = openSync(fileOf(name), 'w', MODE)
      return {
        append: bytes => {
          for (let written = 0; written < bytes.length;) written += writeSync(fd, bytes, written)
        },
        close: () => { closeSync(fd) }
      }
    },
    remove: name => { rmSync(fileOf(name), { force: true }) },
    setAside: name => { renameSync(fileOf(name), `${fileOf(name.replace(/\..*/, ''))}.bad`) }
  }
}
