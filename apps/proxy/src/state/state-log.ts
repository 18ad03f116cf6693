// Writes what changes in a core to its state log, before anything that depends on it leaves the process; and starts a new
// log when the present one is long, a slice at a time, so that no datagram waits for it.
//
//   generation 4   all there was ─ changes ─ changes ─ ✓complete ─ changes …   long enough: 5 begins, 4 is kept
//   generation 5   changes ─ slice ─ changes ─ slice ─ … ─ ✓complete           now 4 is removed
//
// Whoever reads takes the latest complete generation and what was begun after it: an image stands for all before it.
import type { Clock } from '#core/clock.js'
import type { CoreState } from '../core/state.js'
import { imageSources, writeCounters, type ImageSource } from './images.js'
import { ImageKind, ImageWriter } from './image-writer.js'
import { encodeHeader, type LogHeader } from './log-format.js'
import { logName, type StateFile, type StateStorage } from './state-storage.js'

export interface StateLogOptions {
  readonly storage: StateStorage
  readonly state: CoreState
  readonly clock: Clock
  /** Of the first log of this life; its generation is above that of every log there is. */
  readonly header: LogHeader
  /** Writing failed: nothing more is written until a new log can be started. Called once for each such time. */
  readonly onFault: (error: Error) => void
  /** A log is begun anew when it has grown by this much, and by twice what all there is takes. Default: 1 MiB. */
  readonly growthBytes?: number
  /** Slots looked at in one slice. Default: 1000, well below a millisecond. */
  readonly sliceSlots?: number
}

const GROWTH_BYTES = 1024 * 1024

const SLICE_SLOTS = 1000

/** A longer batch is written in parts: only what touches very many sessions at once comes to this. */
const LONG_BATCH_BYTES = 1024 * 1024

/** How often a log without changes says that it is still being written, in ms. */
export const HEARTBEAT_MS = 1000

/** After a failure to write, the next attempt at a new log is this much later, in ms. */
const RETRY_MS = 10_000

export class StateLog {
  readonly #options: StateLogOptions
  readonly #sources: readonly ImageSource[]
  readonly #writer = new ImageWriter()
  #generation: number
  #file: StateFile | undefined
  // Since this log began; and what it held when it was complete.
  #bytes = 0
  #completeBytes = 0
  // Where the next slice begins; undefined once the log is complete.
  #cursor: { source: number, slot: number } | undefined
  #lastWriteMs = 0
  #lastReceived = -1
  #retryAtMs = 0
  /** Times that writing failed. */
  faults = 0

  constructor (options: StateLogOptions) {
    const { state, clock, header } = options
    this.#options = options
    this.#generation = header.generation
    this.#sources = imageSources(state, { wallOffsetMs: () => clock.wallNow() - clock.now(), writesUnredeemed: header.shard === 0 })
  }

  /** Bytes of the log being written. */
  get bytes (): number { return this.#bytes }

  /** Writes all there is: from now on a restart finds it. */
  open (): void {
    this.#begin()
    while (this.#file !== undefined && this.#cursor !== undefined) this.#slice()
  }

  /** Writes what has changed since the last time; a look at a few numbers if nothing has. */
  flush (): void {
    if (this.#file === undefined) return
    for (const { changes, write } of this.#sources) {
      const { size } = changes
      if (size === 0) continue
      for (let index = 0; index < size; index++) {
        write(this.#writer, changes.at(index))
        if (this.#writer.length > LONG_BATCH_BYTES) this.#append()
      }
      changes.clear()
    }
    if (!this.#writer.isEmpty) this.#append()
  }

  /** To be called several times a second: writes the counters if they moved, and goes on with a new log. */
  tick (): void {
    const now = this.#options.clock.now()
    if (this.#file === undefined) {
      if (now >= this.#retryAtMs) this.#begin()
      return
    }
    this.flush()
    this.#writeCounters(now)
    if (this.#cursor !== undefined) this.#slice()
    else if (this.#bytes - this.#completeBytes > Math.max(this.#options.growthBytes ?? GROWTH_BYTES, 2 * this.#completeBytes)) this.#begin()
  }

  /** Writes the last of it and lets go of the file. */
  close (): void {
    this.flush()
    this.#writeCounters(this.#options.clock.now(), true)
    this.#file?.close()
    this.#file = undefined
  }

  // What changed up to here is in the former log or will be in a slice of the new one.
  #begin (): void {
    const { storage, header } = this.#options
    this.#file?.close()
    this.#file = undefined
    for (const { changes } of this.#sources) changes.clear()
    try {
      this.#file = storage.create(logName(header.shard, this.#generation))
      this.#bytes = 0
      this.#cursor = { source: 0, slot: 0 }
      const head = encodeHeader({ ...header, generation: this.#generation++ })
      this.#file.append(head)
      this.#bytes += head.length
    } catch (error) {
      this.#fail(error as Error)
    }
  }

  #slice (): void {
    const cursor = this.#cursor!
    for (let looks = 0; looks < (this.#options.sliceSlots ?? SLICE_SLOTS) && cursor.source < this.#sources.length;) {
      const { highWater, isUsed, write } = this.#sources[cursor.source]!
      if (cursor.slot >= highWater()) {
        cursor.source++
        cursor.slot = 0
        continue
      }
      if (isUsed(cursor.slot)) write(this.#writer, cursor.slot)
      cursor.slot++
      looks++
    }
    if (cursor.source === this.#sources.length) this.#complete()
    else if (!this.#writer.isEmpty) this.#append()
  }

  #complete (): void {
    const { storage, state, header } = this.#options
    writeCounters(this.#writer, state)
    this.#writer.mark(ImageKind.complete, 0)
    this.#append()
    if (this.#file === undefined) return
    this.#cursor = undefined
    this.#completeBytes = this.#bytes
    const former = logName(header.shard, this.#generation - 2)
    if (this.#generation - 2 >= header.generation) storage.remove(former)
  }

  // Sessions end without a datagram, too: what is counted then waits for the heartbeat, unless this is the last time.
  #writeCounters (now: number, isLast = false): void {
    const { counters } = this.#options.state
    const received = counters.received.reduce((sum, count) => sum + count, 0)
    if (this.#file === undefined || (!isLast && received === this.#lastReceived && now - this.#lastWriteMs < HEARTBEAT_MS)) return
    this.#lastReceived = received
    writeCounters(this.#writer, this.#options.state)
    this.#append()
  }

  #append (): void {
    const { clock } = this.#options
    const batch = this.#writer.take(clock.wallNow())
    try {
      this.#file?.append(batch)
      this.#bytes += batch.length
      this.#lastWriteMs = clock.now()
    } catch (error) {
      this.#fail(error as Error)
    }
  }

  // A log with a gap would tell of a past that never was. It is no use any more; the next one starts with all there is.
  #fail (error: Error): void {
    const { storage, header, clock, onFault } = this.#options
    this.faults++
    this.#retryAtMs = clock.now() + RETRY_MS
    try {
      this.#file?.close()
      for (const name of storage.list()) if (name.startsWith(`${header.shard}.`)) storage.remove(name)
    } catch { // whatever ails the directory is what is reported
    }
    this.#file = undefined
    onFault(error)
  }
}
