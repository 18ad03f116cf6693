// The files of an inventory, from one reading to the next: what they add up to goes into the store, and what is wrong with them
// is told as events.
import type { Clock } from '#core/clock.js'
import { inTurns } from '#core/in-turns.js'
import type { Result } from '#core/result.js'
import type { EventSink } from '../../events/event-sink.js'
import type { InventoryLog, InventoryStatus } from '../objects/inventory.js'
import type { ResourceType } from '../objects/resource-types.js'
import type { Store } from '../store/store.js'
import { assignObjects } from './assign.js'
import { formatFault, nextContents, noContents, parsedBefore, type FileFault, type ReadFile } from './contents.js'
import { FaultReport } from './fault-report.js'
import { Lookout } from './lookout.js'
import { createParser, type Parser } from './parser.js'
import { listPath, pathFaults, readListing, type Listing, type PathFault } from './read-path.js'

export type ReloadOutcome = 'ok' | 'fault'

export interface FollowedFilesDeps {
  /** A directory, of which all .yaml, .yml and .json files are read (not those below it), or a file. */
  readonly path: string
  readonly clock: Clock
  readonly log: InventoryLog
  readonly events: EventSink
  /** How long the files must be at rest before they are read again, in milliseconds. */
  readonly debounceMs?: number
  /** How often the files are looked at even without a notice from the system, in milliseconds. */
  readonly pollMs?: number
  /** Called after every reading: whether all of it was good. */
  readonly onReload?: (outcome: ReloadOutcome) => void
}

const DEBOUNCE_MS = 100
const POLL_MS = 5000

/** Keeps `store` in step with the files of a path. */
export class FollowedFiles {
  readonly #deps: FollowedFilesDeps
  readonly #types: ReadonlyMap<string, ResourceType>
  readonly #store: Store
  readonly #faultReport: FaultReport
  readonly #lookout: Lookout
  readonly #parser: Parser
  #contents = noContents
  #pathFault: FileFault | undefined
  // Of the listing that `#contents` is from; empty while the path cannot be read.
  #stamp = ''
  #trueAtMs: number
  #isClosed = false
  #saidUnwatched = false
  #saidHeld = false

  constructor (deps: FollowedFilesDeps, types: ReadonlyMap<string, ResourceType>, store: Store) {
    const { clock, log, events, debounceMs = DEBOUNCE_MS, pollMs = POLL_MS } = deps
    this.#deps = deps
    this.#types = types
    this.#store = store
    this.#faultReport = new FaultReport(events)
    this.#parser = createParser(clock)
    this.#trueAtMs = clock.now()
    this.#lookout = new Lookout({
      clock,
      quietMs: debounceMs,
      pollMs,
      read: () => this.#readAgain(),
      hasChanged: () => this.#hasChanged(),
      onUnwatched: (error, directory) => {
        if (!this.#saidUnwatched) log.warn({ err: error, directory }, 'Inventory cannot be watched, it is polled')
        this.#saidUnwatched = true
      }
    })
  }

  status (): InventoryStatus {
    return {
      synced: true,
      ageMs: this.#deps.clock.now() - this.#trueAtMs,
      faults: this.#faults().map(formatFault)
    }
  }

  async read (listing: Listing): Promise<void> {
    this.#lookout.watch(listing.directory)
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
    const over = this.#lookout.close()
    // A reading under way may wait for it.
    await this.#parser.close()
    await over
  }

  async #readAgain (): Promise<void> {
    const listing = await listPath(this.#deps.path)
    // The notice was about something else in the directory.
    if (this.#isAsRead(listing) && !this.#isSettled()) return
    if (listing.ok) {
      await this.read(listing.value)
      return
    }
    this.#lookout.unwatch()
    this.#stamp = ''
    this.#pathFault = { file: this.#deps.path, message: pathFaults[listing.error] }
    this.#conclude()
  }

  async #hasChanged (): Promise<boolean> {
    const nowMs = this.#deps.clock.now()
    const listing = await listPath(this.#deps.path)
    const hasChanged = !this.#isAsRead(listing)
    if (!hasChanged && this.#faults().length === 0) this.#trueAtMs = nowMs
    return hasChanged
  }

  // What a file lacks that was written in place is gone once the file is at rest, of which no notice comes.
  #lookWhenSettled (): void {
    const { held, heldUntilMs } = this.#contents
    // Once for all the writes of a slow writer.
    const isNews = held > 0 && !this.#saidHeld
    this.#saidHeld = held > 0
    this.#lookout.requestAt(heldUntilMs)
    if (heldUntilMs !== undefined && isNews) this.#deps.log.info({ path: this.#deps.path, held }, 'Inventory file was written in place and lacks objects, they are kept until it is at rest')
  }

  #isSettled (): boolean {
    const { heldUntilMs } = this.#contents
    return heldUntilMs !== undefined && heldUntilMs <= this.#deps.clock.now()
  }

  #isAsRead (listing: Result<Listing, PathFault>): boolean {
    return (listing.ok ? listing.value.stamp : '') === this.#stamp
  }

  #conclude (): void {
    const faults = this.#faults()
    if (faults.length === 0) this.#trueAtMs = this.#deps.clock.now()
    this.#faultReport.report(faults)
    if (!this.#isClosed) this.#deps.onReload?.(faults.length === 0 ? 'ok' : 'fault')
  }

  #faults (): readonly FileFault[] {
    return this.#pathFault === undefined ? this.#contents.faults : [this.#pathFault, ...this.#contents.faults]
  }
}
