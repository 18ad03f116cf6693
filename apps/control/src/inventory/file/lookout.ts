// When files are to be read again: the file system tells of a change in their directory, a look now and then makes up for what
// it does not tell, and what comes in a burst is one change.
import { watch } from 'node:fs'
import type { Cancel, Clock } from '#core/clock.js'

export interface LookoutOptions {
  readonly clock: Clock
  /** How long nothing must have happened before files are read, in milliseconds; but no longer than ten times that. */
  readonly quietMs: number
  /** How often `hasChanged` is asked, in milliseconds. */
  readonly pollMs: number
  /** Reads the files. Two calls never overlap: what is asked for during one is another one after it. */
  readonly read: () => Promise<void>
  readonly hasChanged: () => Promise<boolean>
  /** The system does not watch the directory, or not any more: no inotify watches are left, or it is on a network. */
  readonly onUnwatched: (error: Error, directory: string) => void
}

export class Lookout {
  readonly #options: LookoutOptions
  readonly #stopPolling: Cancel
  #stopWatching: Cancel | undefined
  #cancelRead: Cancel | undefined
  #cancelLater: Cancel | undefined
  // When files are read even if it never comes to rest.
  #latestMs: number | undefined
  #reading: Promise<void> = Promise.resolve()
  #isPolling = false
  #isClosed = false

  /** Polls from now on, until `close`. */
  constructor (options: LookoutOptions) {
    this.#options = options
    this.#stopPolling = options.clock.every(options.pollMs, () => { void this.#poll() })
  }

  /** Editors and copies touch a file several times for one change, and one that is being written is better read at rest. */
  request (): void {
    if (this.#isClosed) return
    const { clock, quietMs } = this.#options
    this.#latestMs ??= clock.now() + quietMs * 10
    this.#cancelRead?.()
    this.#cancelRead = clock.after(Math.max(0, Math.min(quietMs, this.#latestMs - clock.now())), () => { this.#read() })
  }

  /** As `request`, at that time, in place of the one that was named before. Undefined: at none. */
  requestAt (atMs: number | undefined): void {
    this.#cancelLater?.()
    const { clock } = this.#options
    if (atMs !== undefined && !this.#isClosed) this.#cancelLater = clock.after(Math.max(0, atMs - clock.now()), () => { this.request() })
  }

  /** Watches this directory in place of the former one. To be called anew for every reading: it may be another one of the same name, whose changes nobody would notice. */
  watch (directory: string): void {
    const stopFormer = this.#stopWatching
    this.#stopWatching = this.#isClosed ? undefined : watchDirectory(directory, () => { this.request() }, error => { this.#options.onUnwatched(error, directory) })
    stopFormer?.()
  }

  unwatch (): void {
    this.#stopWatching?.()
    this.#stopWatching = undefined
  }

  /** No reading begins any more; resolves when the last one is over. */
  async close (): Promise<void> {
    this.#isClosed = true
    this.#stopPolling()
    this.#cancelRead?.()
    this.#cancelLater?.()
    this.unwatch()
    await this.#reading
  }

  #read (): void {
    this.#cancelRead = undefined
    this.#latestMs = undefined
    this.#reading = this.#reading.then(async () => { if (!this.#isClosed) await this.#options.read() })
  }

  async #poll (): Promise<void> {
    if (this.#isPolling) return
    this.#isPolling = true
    const hasChanged = await this.#options.hasChanged()
    this.#isPolling = false
    if (hasChanged) this.request()
  }
}

// It is a hint that comes early, not a promise: some file systems give none, and a directory that is replaced by another of
// its name goes silent. Undefined where the system cannot watch, with the reason handed to `onFailure`, which is also called
// if that comes later.
function watchDirectory (directory: string, onChange: () => void, onFailure: (error: Error) => void): Cancel | undefined {
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
