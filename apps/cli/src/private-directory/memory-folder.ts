// Where files are in memory, on this machine: state logs there keep no datagram waiting, and a kill of the proxy loses nothing.
import { accessSync, constants, statfsSync } from 'node:fs'
import { readRuntimeFolder } from '#config/env.js'

// statfs(2): f_type of tmpfs and ramfs.
const IN_MEMORY: readonly number[] = [0x01021994, 0x858458f6]

// What state logs of the default `maxSessions` take, docs/operations.md. Containers have 64 MiB at /dev/shm, as a rule.
const NEEDED_BYTES = 48 * 1024 * 1024

/** Where such a place can be. */
export function memoryFolders (): readonly string[] {
  return ['/dev/shm', ...readRuntimeFolder()]
}

/** The first of `folders` that is in memory, may be written, and has room; undefined if there is none. */
export function memoryFolder (folders = memoryFolders()): string | undefined {
  return folders.find(folder => {
    try {
      accessSync(folder, constants.W_OK | constants.X_OK)
      const { type, bavail, bsize } = statfsSync(folder)
      return IN_MEMORY.includes(type) && bavail * bsize >= NEEDED_BYTES
    } catch { // not there, or not ours
      return false
    }
  })
}
