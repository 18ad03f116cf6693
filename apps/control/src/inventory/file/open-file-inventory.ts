// The inventory without a cluster: a directory (or one file) of YAML or JSON Kubernetes objects, read again as a whole
// whenever it changes. What is broken is reported and replaced by what it last said when it was not.
import type { ResourceMapping } from '#config/schema.js'
import type { Cancel, Clock } from '#core/clock.js'
import { err, ok, type Result } from '#core/result.js'
import type { Inventory, InventoryLog, InventoryStatus } from '../objects/inventory.js'
import { heldTypes, type IndexPaths, type ResourceType } from '../objects/resource-types.js'
import { inTurns } from '#core/in-turns.js'
import { createStore, type Store } from '../store/store.js'
import { assignObjects } from './assign.js'
import { createCoalescer, type Coalescer } from './coalescer.js'
import { formatFault, nextContents, noContents, parsedBefore, type FileFault, type ReadFile } from './contents.js'
import { FaultLog } from './fault-log.js'
import { createParser, type Parser } from './parser.js'
import { listPath, readListing, type Listing, type PathFault } from './read-path.js'
import { watchDirectory, type StopWatching } from './watch-directory.js'

export interface FileInventoryDeps {
  /** A directory, of which all .yaml, .yml and .json files are read (not those below it), or a file. */
  readonly path: string
  /** The configured mappings: objects of no type in here are ignored, but for Services that a mapping routes to. */
  readonly mappings: Readonly<Record<string, ResourceMapping>>
  /** See `indexedPaths`. */
  readonly indexPaths?: IndexPaths
  readonly clock: Clock
  readonly log: InventoryLog
  /** How long the files must be at rest before they are read again, in milliseconds. */
  readonly debounceMs?: number
  /** How often the files are looked at even without a notice from the system, in milliseconds. */
  readonly pollMs?: number
  /** Called after every reading: whether all of it was good. */
  readonly onReload?: (outcome: ReloadOutcome) => void
}

export type ReloadOutcome = 'ok' | 'fault'

/** Why there is no inventory at `path`, with a sentence for the operator. */
export interface OpenFailure {
  readonly reason: PathFault
  readonly message: string
}

const DEBOUNCE_MS = 100
const POLL_MS = 5000

const pathFaults: Readonly<Record<PathFault, string>> = {
  not_found: 'does not exist',
  not_readable: 'cannot be read',
  not_a_file_or_directory: 'is neither a file nor a directory'
}

/**
 * Opens the inventory at `path` and reads it once. Fails only if the path itself cannot be read. A file that is broken
 * from the start has no last good content and so contributes nothing, but the inventory is `synced` all the same: one
 * bad file must not keep a director from serving the others. `status().faults` has it as `file:line:column: message`.
 * `ageMs` counts from the last moment at which everything was read and nothing was wrong, or from the opening.
 */
export async function openFileInventory (deps: FileInventoryDeps): Promise<Result<Inventory, OpenFailure>> {
  const listing = await listPath(deps.path)
  if (!listing.ok) {
    return err({ reason: listing.error, message: `inventory.path: ${deps.path} ${pathFaults[listing.error]}` })
  }
  const types = heldTypes(deps.mappings)
  const store = createStore(types.keys(), deps.indexPaths)
  const files = new WatchedFiles(deps, types, store)
  await files.read(listing.value)
  const { find, count, get, sizes, namespaces, onChange } = store
  return ok({ find, count, get, sizes, namespaces, onChange, status: () => files.status(), unready: () => undefined, close: () => files.close() })
}

// Keeps `store` in step with the files.
class WatchedFiles {
  readonly #deps: FileInventoryDeps
  readonly #types: ReadonlyMap<string, ResourceType>
  readonly #store: Store
  readonly #faultLog: FaultLog
  readonly #changes: Coalescer
  readonly #parser: Parser
  readonly #stopPolling: () => void
  #contents = noContents
  #pathFault: FileFault | undefined
  // Of the listing that `#contents` is from; empty while the path cannot be read.
  #stamp = ''
  #trueAtMs: number
  #stopWatching: StopWatching | undefined
  #isPolling = false
  #cancelLook: Cancel | undefined
  #isClosed = false
  #saidUnwatched = false
  #saidHeld = false

  constructor (deps: FileInventoryDeps, types: ReadonlyMap<string, ResourceType>, store: Store) {
    this.#deps = deps
    this.#types = types
    this.#store = store
    this.#faultLog = new FaultLog(deps.log)
    this.#parser = createParser(deps.clock)
    this.#changes = createCoalescer(deps.clock, deps.debounceMs ?? DEBOUNCE_MS, () => this.#readAgain())
    this.#stopPolling = deps.clock.every(deps.pollMs ?? POLL_MS, () => { void this.#poll() })
    this.#trueAtMs = deps.clock.now()
  }

  status (): InventoryStatus {
    return {
      synced: true,
      ageMs: this.#deps.clock.now() - this.#trueAtMs,
      faults: this.#faults().map(formatFault)
    }
  }

  async read (listing: Listing): Promise<void> {
    this.#watch(listing.directory)
    const { clock, log, path } = this.#deps
    const nowMs = clock.now()
    const read: ReadFile[] = []
    for (const source of await readListing(listing)) {
      const parsed = parsedBefore(source, this.#contents) ?? await this.#parser.parse(source.text.ok ? source.text.value : '', source.name.endsWith('.json'))
      read.push({ source, parsed })
    }
    if (this.#isClosed) return
    this.#stamp = listing.stamp
    this.#pathFault = undefined
    this.#contents = await inTurns(nextContents(this.#contents, read, nowMs), clock)
    this.#lookWhenSettled()
    const { byType, ignored } = await inTurns(assignObjects(this.#contents.objects, this.#types), clock)
    if (await inTurns(this.#store.replaceInSlices(byType), clock)) {
      log.info({ path, files: read.length, objects: Object.fromEntries(this.#store.sizes()), ignored }, 'Inventory read')
    }
    this.#conclude()
  }

  async close (): Promise<void> {
    this.#isClosed = true
    this.#stopPolling()
    this.#cancelLook?.()
    this.#stopWatching?.()
    // First, for a reading under way may wait for it.
    await this.#parser.close()
    await this.#changes.close()
    // A reading that was under way has watched again, and may hold objects.
    this.#stopWatching?.()
    this.#cancelLook?.()
  }

  async #readAgain (): Promise<void> {
    const listing = await listPath(this.#deps.path)
    // The notice was about something else in the directory.
    if (this.#isAsRead(listing) && !this.#isSettled()) return
    if (listing.ok) {
      await this.read(listing.value)
      return
    }
    this.#stopWatching?.()
    this.#stopWatching = undefined
    this.#stamp = ''
    this.#pathFault = { file: this.#deps.path, message: pathFaults[listing.error] }
    this.#conclude()
  }

  async #poll (): Promise<void> {
    if (this.#isPolling) return
    this.#isPolling = true
    const nowMs = this.#deps.clock.now()
    const listing = await listPath(this.#deps.path)
    this.#isPolling = false
    if (!this.#isAsRead(listing)) this.#changes.request()
    else if (this.#faults().length === 0) this.#trueAtMs = nowMs
  }

  // What a file lacks that was written in place is gone once the file is at rest, of which no notice comes.
  #lookWhenSettled (): void {
    this.#cancelLook?.()
    const { held, heldUntilMs } = this.#contents
    const isNews = held > 0 && !this.#saidHeld
    this.#saidHeld = held > 0
    if (heldUntilMs === undefined) return
    this.#cancelLook = this.#deps.clock.after(Math.max(0, heldUntilMs - this.#deps.clock.now()), () => { this.#changes.request() })
    // Once for all the writes of a slow writer.
    if (isNews) this.#deps.log.info({ path: this.#deps.path, held }, 'Inventory file was written in place and lacks objects, they are kept until it is at rest')
  }

  #isSettled (): boolean {
    const { heldUntilMs } = this.#contents
    return heldUntilMs !== undefined && heldUntilMs <= this.#deps.clock.now()
  }

  #isAsRead (listing: Result<Listing, PathFault>): boolean {
    return (listing.ok ? listing.value.stamp : '') === this.#stamp
  }

  // Anew for every reading: the directory may be another one of the same name, whose changes nobody would notice.
  #watch (directory: string): void {
    const stopFormer = this.#stopWatching
    this.#stopWatching = watchDirectory(directory, () => { this.#changes.request() }, error => {
      if (!this.#saidUnwatched) this.#deps.log.warn({ err: error, directory }, 'Inventory cannot be watched, it is polled')
      this.#saidUnwatched = true
    })
    stopFormer?.()
  }

  #conclude (): void {
    const faults = this.#faults()
    if (faults.length === 0) this.#trueAtMs = this.#deps.clock.now()
    this.#faultLog.report(faults)
    if (!this.#isClosed) this.#deps.onReload?.(faults.length === 0 ? 'ok' : 'fault')
  }

  #faults (): readonly FileFault[] {
    return this.#pathFault === undefined ? this.#contents.faults : [this.#pathFault, ...this.#contents.faults]
  }
}
