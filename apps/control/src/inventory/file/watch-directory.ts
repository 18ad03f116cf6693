// The file system's own notice of a change in a directory. It is a hint that comes early, not a promise: some file
// systems give none, and a directory that is replaced by another of its name goes silent. Polling makes up for both.
import { watch } from 'node:fs'

/** Ends the notices. */
export type StopWatching = () => void

/**
 * Calls `onChange` when something in `directory` has changed. Undefined where the system cannot watch (no inotify
 * watches left, a network file system), with the reason handed to `onFailure`, which is also called if that comes later.
 */
export function watchDirectory (directory: string, onChange: () => void, onFailure: (error: Error) => void): StopWatching | undefined {
  try {
    const watcher = watch(directory, { persistent: false }, (_event, name) => {
      if (name === null || isRelevant(name)) onChange()
    })
    watcher.on('error', onFailure)
    return () => { watcher.close() }
  } catch (error) {
    onFailure(error instanceof Error ? error : new Error(String(error)))
    return undefined
  }
}

// Editors write swap files under dotted names. A mounted ConfigMap changes by one of them alone: its files are links
// into `..data`, which the kubelet lets point to another version by a rename.
function isRelevant (name: string): boolean {
  return !name.startsWith('.') || name === '..data'
}
