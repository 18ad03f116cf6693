// The NDJSON stream of events to control and whoever else asks. A kind is made only while somebody reads it: the shards are
// told which. Counts are absolute and coalesced; a reader that is slow misses lines of the other kinds, and is told so.
import type { Clock } from '#core/clock.js'
import { eventKinds, eventKindsFrom, type EventKind, type StateStatus } from '#rpc/contract.js'
import { rpcFailure, type RpcFailure } from '#rpc/failure.js'
import type { EventSource } from '#rpc/service.js'
import type { LinesOut } from '#rpc/transport.js'
import type { ShardEvent } from '../shards/journal/shard-voice.js'
import { EventReader, lineOf } from './event-reader.js'
import type { SessionCounts } from './session-counts.js'

/** How often changed counts are sent, in ms: quick enough for balancing, rare enough to cost nothing. */
export const COUNTS_PERIOD_MS = 100

/** A line at least this often, so that a dead connection shows, in ms. */
export const HEARTBEAT_MS = 5000

export interface EventStreamOptions {
  readonly instanceId: string
  readonly counts: SessionCounts
  /** Brings `counts` up to date. */
  readonly refresh: () => Promise<void>
  /** Has these kinds made, and no others; in force when it resolves. */
  readonly want: (kinds: readonly EventKind[]) => Promise<void>
  /** Whether control hears what is asked; told when that changes. */
  readonly openAsks: (isOpen: boolean) => Promise<void>
  readonly clock: Clock
}

export class EventStream implements EventSource {
  readonly #options: EventStreamOptions
  /** Those that have been greeted; `#all` has the others, too. */
  readonly #readers = new Set<EventReader>()
  readonly #all = new Map<EventReader, LinesOut>()
  /** Of those that are control processes. */
  readonly #epochs = new Map<LinesOut, number>()
  /** The latest epoch of which all is told that control knows: who reads in another one cannot answer, or not yet. */
  #synchronisedEpoch: number | undefined
  #areAsksOpen = false
  #stop: () => void = () => undefined
  #isRefreshing = false
  #lastLineAt = 0
  #stateStatus: StateStatus = 'off'
  readonly #skipped = new Map<EventKind, number>(eventKinds.map(kind => [kind, 0]))

  constructor (options: EventStreamOptions) {
    this.#options = options
  }

  /** Lines that slow readers did not get, by kind. */
  get skipped (): ReadonlyMap<EventKind, number> { return this.#skipped }

  /** Sends changed counts from now on, until `close`. */
  start (): void {
    this.#stop = this.#options.clock.every(COUNTS_PERIOD_MS, () => { void this.#refresh() })
  }

  readonly read = ({ epoch, ...query }: Readonly<Record<string, unknown>>, out: LinesOut): RpcFailure | undefined => {
    const kinds = eventKindsFrom(query)
    if (kinds === undefined || !isEpoch(epoch)) return rpcFailure('INVALID', `kinds must be some of ${eventKinds.join(', ')}, with commas between them; epoch a number`).error
    void this.#add(out, kinds, epoch === undefined ? undefined : Number(epoch))
    return undefined
  }

  publish (event: ShardEvent): void {
    if (this.#readers.size === 0) return
    const line = lineOf(event)
    this.#lastLineAt = this.#options.clock.now()
    for (const reader of this.#readers) reader.line(event.type, line)
  }

  /** What becomes of the state: readers are told when it is another than before. */
  tellState (status: StateStatus): void {
    if (status === this.#stateStatus) return
    this.#stateStatus = status
    for (const reader of this.#readers) reader.tell(lineOf({ type: 'state', status }))
  }

  /** A control process of this epoch, or of one that has yet to begin, reads. */
  isControlled (epoch: number): boolean {
    return [...this.#epochs.values()].some(of => of >= epoch)
  }

  /** The control process of this epoch has told what it knows: from now on it answers what it is asked. */
  async synchronised (epoch: number): Promise<void> {
    this.#synchronisedEpoch = epoch
    await this.#openAsks()
  }

  /** Ends what control processes of earlier epochs read: they find out that a newer one is there. */
  endBefore (epoch: number): void {
    for (const [out, of] of this.#epochs) if (of < epoch) void out.end()
  }

  close (): void {
    this.#stop()
    for (const out of this.#all.values()) void out.end()
    this.#readers.clear()
    this.#all.clear()
  }

  async #add (out: LinesOut, kinds: readonly EventKind[], epoch?: number): Promise<void> {
    const reader = new EventReader(out, kinds, {
      onSkipped: kind => { this.#skipped.set(kind, this.#skipped.get(kind)! + 1) },
      countOf: key => this.#options.counts.of(key),
      later: run => { this.#options.clock.after(0, run) }
    })
    this.#all.set(reader, out)
    if (epoch !== undefined) this.#epochs.set(out, epoch)
    out.onClose(() => {
      this.#readers.delete(reader)
      this.#epochs.delete(out)
      if (!this.#all.delete(reader)) return
      // First of all: clients wait for answers that will not come.
      void this.#openAsks()
      void this.#want()
    })
    await this.#want()
    await this.#options.refresh()
    if (!this.#all.has(reader) || out.isOver) return
    // The new reader gets every count; the changes collected so far are part of them, and the others get theirs first.
    this.#sendCounts()
    out.write(lineOf({ type: 'hello', instanceId: this.#options.instanceId }))
    if (this.#stateStatus !== 'off') reader.tell(lineOf({ type: 'state', status: this.#stateStatus }))
    reader.counts(this.#options.counts.keys())
    this.#readers.add(reader)
    await this.#openAsks()
  }

  // An operator who reads everything is not control: a control process says its epoch.
  async #openAsks (): Promise<void> {
    const epoch = this.#synchronisedEpoch
    const isOpen = epoch !== undefined && [...this.#readers].some(reader => reader.kinds.has('asked') && this.#epochs.get(this.#all.get(reader)!) === epoch)
    if (isOpen === this.#areAsksOpen) return
    this.#areAsksOpen = isOpen
    await this.#options.openAsks(isOpen)
  }

  async #want (): Promise<void> {
    const wanted = eventKinds.filter(kind => [...this.#all.keys()].some(({ kinds }) => kinds.has(kind)))
    await this.#options.want(wanted)
  }

  async #refresh (): Promise<void> {
    // Whoever comes later gets every count.
    if (this.#isRefreshing || this.#readers.size === 0) return
    this.#isRefreshing = true
    await this.#options.refresh()
    this.#isRefreshing = false
    this.#sendCounts()
  }

  #sendCounts (): void {
    const changed = this.#options.counts.takeChanged()
    const now = this.#options.clock.now()
    if (changed.size === 0 && now - this.#lastLineAt < HEARTBEAT_MS) return
    this.#lastLineAt = now
    for (const reader of this.#readers) reader.counts(changed)
  }
}

function isEpoch (text: unknown): boolean {
  return text === undefined || (typeof text === 'string' && /^\d{1,16}$/.test(text))
}
