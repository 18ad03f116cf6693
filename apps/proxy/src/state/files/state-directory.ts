// State logs as files beside each other: `<path>.<shard>.<generation>`. A kill of the process loses nothing that was
// written, because the system has it already; nothing is synced to a disk, because a pod that loses its node has lost its
// clients' packets, too.
import { closeSync, fstatSync, mkdirSync, openSync, readdirSync, readFileSync, rmSync, statSync, writeSync } from 'node:fs'
import { basename, dirname } from 'node:path'
import { generationOf, isOf, type StateStorage } from './state-storage.js'

// Clients and tokens are in it.
const MODE = 0o600
const DIRECTORY_MODE = 0o700

/** The logs whose names start with `path` and a dot. */
export function openStateDirectory (path: string): StateStorage {
  const prefix = `${basename(path)}.`
  const fileOf = (name: string): string => `${path}.${name}`
  const list = (): string[] => readdirSync(dirname(path))
    .filter(file => file.startsWith(prefix))
    .map(file => file.slice(prefix.length))
    .filter(name => generationOf(name) !== undefined)
  const remove = (name: string): void => { rmSync(fileOf(name), { force: true }) }
  return {
    list,
    read: name => readFileSync(fileOf(name)),
    create: name => {
      mkdirSync(dirname(path), { recursive: true, mode: DIRECTORY_MODE })
      // Whatever has this name already is not ours to write to.
      const fd = openSync(fileOf(name), 'wx', MODE)
      const { ino, dev } = fstatSync(fd)
      let written = 0
      return {
        room: Infinity,
        get written () { return written },
        append: bytes => {
          for (let done = 0; done < bytes.length;) done += writeSync(fd, bytes, done)
          written += bytes.length
        },
        waitForRoom: () => {},
        check: () => {
          const there = statSync(fileOf(name))
          if (there.ino !== ino || there.dev !== dev || there.size !== written) throw new Error(`the state log ${fileOf(name)} is not what was written`)
        },
        close: () => { closeSync(fd) }
      }
    },
    remove,
    removeAllOf: (shard, from) => {
      for (const name of list()) if (isOf(name, shard, from)) remove(name)
    }
  }
}
