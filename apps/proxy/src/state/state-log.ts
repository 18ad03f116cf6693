// Writes what changes in a core to its state log, before anything that depends on it leaves the process; and starts a new
// log when the present one is long, a slice at a time, so that no datagram waits for it.
//
//   generation 4   all there was ─ changes ─ changes ─ ✓complete ─ changes ─ ✓continued     long enough: 5 begins, 4 is kept
//   generation 5   changes ─ slice ─ changes ─ slice ─ … ─ ✓complete                        now 4 is removed
//
// Whoever reads takes the latest complete generation and what was begun after it: an image stands for all before it. What
// there is no room for stays marked as changed, and is written as it is by then.
import type { Clock } from '#core/clock.js'
import type { CoreState } from '../core/datagrams/core-state.js'
import type { Marks } from '../core/feed/marks.js'
import { imageSources, writeCounters, type ImageSource } from './format/images.js'
import { ImageWriter } from './format/image-writer.js'
import { ImageKind } from './format/layout.js'
import { encodeHeader, linkAfter, type LogHeader } from './format/log-format.js'
import type { Moment } from './format/moment.js'
import { SeenWriter } from './seen-writer.js'
import { StateHealth, type StateHealthReport } from './state-health.js'
import { LOOK_PERIOD_MS, logName, type StateFile, type StateStorage } from './files/state-storage.js'

export interface StateLogOptions {
  readonly storage: StateStorage
  readonly state: CoreState
  readonly clock: Clock
  /** Of the first log of this life; its generation is above that of every log there is. */
  readonly header: LogHeader
  /** Logs before this generation were not read: they are kept, whatever happens. Default: none. */
  readonly unreadBefore?: number | undefined
  /** Writing works no more, works late, or works again. */
  readonly onHealth: (health: StateHealthReport) => void
  /** A log is begun anew when it has grown by this much, and by twice what all there is takes. Default: 1 MiB. */
  readonly growthBytes?: number
  /** Slots looked at in one slice. Default: 1000, well below a millisecond. */
  readonly sliceSlots?: number
}

const GROWTH_BYTES = 1024 * 1024

const SLICE_SLOTS = 1000

/** A longer batch is written in parts: only what touches very many sessions at once comes to this. */
const LONG_BATCH_BYTES = 256 * 1024

/** Room for a batch, which ends with the image that makes it too long. */
export const BATCH_ROOM_BYTES = LONG_BATCH_BYTES + 2 * 65_536

/** How often a log without changes says that it is still being written, in ms. */
const HEARTBEAT_MS = 1000

/** How often counters are written, in ms: what a kill can lose of them. Sessions and tokens it cannot. */
export const SAVE_PERIOD_MS = 100

/** After a failure to write, the next attempt at a new log is this much later, in ms. The first is made at once. */
const RETRY_MS = 10_000

/** A start waits this long at most for a disk to take all there is, in ms; then it is written bit by bit. */
const START_WAIT_MS = 1000

export class StateLog {
  readonly #options: StateLogOptions
  readonly #sources: readonly (ImageSource & { readonly marks: Marks })[]
  readonly #writer = new ImageWriter()
  readonly #seen: SeenWriter
  readonly #health: StateHealth
  #generation: number
  #file: StateFile | undefined
  // Since this log began; and what it held when it was complete.
  #bytes = 0
  #completeBytes = 0
  // Of the last frame.
  #link = 0
  // Where the next slice begins; undefined once the log is complete.
  #cursor: { source: number, slot: number } | undefined
  // What to add to a time of the core to know it by the machine's clock.
  #bootOffsetMs = NaN
  #lastWriteMs = 0
  #lastCheckMs = 0
  #lastReceived = -1
  #retryAtMs = -Infinity

  constructor (options: StateLogOptions) {
    const { state, clock, header, onHealth } = options
    this.#options = options
    this.#generation = header.generation
    this.#sources = imageSources(state, { writesUnredeemed: header.shard === 0 }).map(source => ({ ...source, marks: source.changes.join() }))
    this.#seen = new SeenWriter(state, clock.now())
    this.#health = new StateHealth(onHealth)
  }

  /** Bytes of the log being written. */
  get bytes (): number { return this.#file === undefined ? 0 : this.#bytes }

  /** Times that writing failed. */
  get faults (): number { return this.#health.faults }

  get health (): StateHealthReport['status'] { return this.#health.status }

  /** Whether a restart finds all there is: nothing of an earlier life is needed any more. */
  get isComplete (): boolean {
    return this.#file !== undefined && this.#cursor === undefined && this.#file.written >= this.#completeBytes
  }

  /** Writes all there is: from now on a restart finds it. */
  open (): void {
    const { clock } = this.#options
    const untilMs = clock.now() + START_WAIT_MS
    this.#readBootClock()
    this.#begin()
    while (this.#file !== undefined && this.#cursor !== undefined) {
      if (!this.#hasRoom()) this.#file.waitForRoom(BATCH_ROOM_BYTES, Math.max(0, untilMs - clock.now()))
      if (!this.#hasRoom()) return
      this.#slice()
    }
  }

  /** Writes what has changed since the last time; a look at a few numbers if nothing has. */
  flush (): void {
    for (const { marks, write } of this.#sources) {
      if (marks.size === 0) continue
      if (this.#writer.isEmpty && !this.#hasRoom()) return
      for (let index = 0; index < marks.size; index++) {
        write(this.#writer, marks.at(index))
        if (this.#writer.length <= LONG_BATCH_BYTES) continue
        this.#append()
        if (this.#hasRoom()) continue
        marks.removeFirst(index + 1)
        return
      }
      marks.clear()
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
    this.#check(now)
    this.flush()
    if (!this.#hasRoom()) return
    this.#seen.turn(this.#writer, now)
    this.#writeCounters(now)
    if (this.#cursor !== undefined) {
      if (this.#hasRoom()) this.#slice()
    } else if (this.#hasRoom() && this.#bytes - this.#completeBytes > Math.max(this.#options.growthBytes ?? GROWTH_BYTES, 2 * this.#completeBytes)) this.#begin()
  }

  /** Writes the last of it and lets go of the file. */
  close (): void {
    this.flush()
    if (this.#hasRoom()) this.#writeCounters(this.#options.clock.now(), true)
    this.#file?.close()
    this.#file = undefined
    for (const { changes, marks } of this.#sources) changes.leave(marks)
  }

  #hasRoom (): boolean {
    return this.#file !== undefined && this.#file.room >= BATCH_ROOM_BYTES
  }

  // What changed up to here is in the former log or will be in a slice of the new one.
  #begin (): void {
    const { storage, header } = this.#options
    const former = this.#file
    this.#file = undefined
    const generation = this.#generation++
    let file: StateFile | undefined
    try {
      file = storage.create(logName(header.shard, generation))
      const head = encodeHeader({ ...header, generation })
      file.append(head)
      if (former !== undefined) {
        // Nothing else is written to the new log before this.
        this.#writer.mark(ImageKind.continued, 0)
        former.append(this.#writer.take(this.#moment(), this.#link))
        former.close()
      }
      // Whatever has changed is in the slices to come; but if there is a former log, it must be in one of the two until then.
      if (former === undefined) for (const { marks } of this.#sources) marks.clear()
      this.#file = file
      this.#bytes = head.length
      this.#completeBytes = Infinity
      this.#link = linkAfter(head)
      this.#cursor = { source: 0, slot: 0 }
      this.#health.begin(this.#options.clock.now(), former !== undefined)
    } catch (error) {
      this.#fail(error as Error, [former, file])
    }
  }

  #slice (): void {
    const cursor = this.#cursor!
    for (let looks = 0; looks < (this.#options.sliceSlots ?? SLICE_SLOTS) && cursor.source < this.#sources.length && this.#writer.length <= LONG_BATCH_BYTES;) {
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
    const former = this.#generation - 2
    try {
      if (former >= header.generation) storage.remove(logName(header.shard, former))
    } catch (error) {
      this.#fail(error as Error)
    }
  }

  // Sessions end without a datagram, too: what is counted then waits for the heartbeat, unless this is the last time.
  #writeCounters (now: number, isLast = false): void {
    const { counters } = this.#options.state
    const received = counters.received.reduce((sum, count) => sum + count, 0)
    if (isLast || received !== this.#lastReceived || now - this.#lastWriteMs >= HEARTBEAT_MS) {
      this.#lastReceived = received
      writeCounters(this.#writer, this.#options.state)
    }
    if (!this.#writer.isEmpty) this.#append()
  }

  #append (): void {
    const batch = this.#writer.take(this.#moment(), this.#link)
    this.#link = linkAfter(batch)
    try {
      this.#file?.append(batch)
      this.#bytes += batch.length
      this.#lastWriteMs = this.#options.clock.now()
    } catch (error) {
      this.#fail(error as Error)
    }
  }

  #moment (): Moment {
    const { clock } = this.#options
    const lifeMs = clock.now()
    return { lifeMs, bootMs: Number.isNaN(this.#bootOffsetMs) ? -1 : lifeMs + this.#bootOffsetMs, wallMs: clock.wallNow() }
  }

  // Not with every batch: to read it takes longer than to write a batch. It runs ahead while the machine sleeps.
  #readBootClock (): void {
    const { boot, now } = this.#options.clock
    this.#bootOffsetMs = (boot()?.nowMs ?? NaN) - now()
  }

  #check (now: number): void {
    try {
      if (now - this.#lastCheckMs >= LOOK_PERIOD_MS) {
        this.#lastCheckMs = now
        this.#readBootClock()
        this.#file?.check()
      }
      if (this.#file !== undefined) this.#health.look(now, this.#bytes, this.#file.written, this.isComplete)
    } catch (error) {
      this.#fail(error as Error)
    }
  }

  // A log with a gap would restore a state that never existed. It is removed; the next log starts with all there is.
  #fail (error: Error, files = [this.#file]): void {
    const { storage, header, unreadBefore = 0, clock } = this.#options
    const now = clock.now()
    const isFirst = now - this.#retryAtMs > RETRY_MS
    this.#retryAtMs = now + (isFirst ? 0 : RETRY_MS)
    for (const undo of [...files.map(file => () => file?.close()), () => { storage.removeAllOf(header.shard, unreadBefore) }]) {
      try {
        undo()
      } catch { // whatever ails the directory is what is reported
      }
    }
    this.#file = undefined
    this.#health.fail(error)
  }
}
