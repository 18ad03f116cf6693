// The NDJSON stream of events to control. Counts are absolute and coalesced; a reader that does not keep up is cut off
// and starts over with all counts, so that nothing is silently wrong.
import type { ServerResponse } from 'node:http'
import type { FastifyInstance } from 'fastify'
import type { Clock } from '#core/clock.js'
import { EVENTS_PATH, LINES_CONTENT_TYPE, type RpcEvent } from '#rpc/contract.js'
import type { SessionCounts } from './session-counts.js'

/** Bytes that may wait for a slow reader. */
const MAX_BACKLOG_BYTES = 4 * 1024 * 1024

/** How often changed counts are sent, in ms: quick enough for balancing, rare enough to cost nothing. */
export const COUNTS_PERIOD_MS = 100

/** A line at least this often, so that a dead connection shows, in ms. */
export const HEARTBEAT_MS = 5000

/** Counts in one line: with the longest keys still below the longest line a reader takes, 1 MiB. */
const COUNTS_PER_LINE = 1000

export interface EventStreamOptions {
  readonly instanceId: string
  readonly counts: SessionCounts
  /** Brings `counts` up to date. */
  readonly refresh: () => Promise<void>
  readonly clock: Clock
}

export class EventStream {
  readonly #options: EventStreamOptions
  readonly #readers = new Set<ServerResponse>()
  #stop: () => void = () => undefined
  #isRefreshing = false
  #lastLineAt = 0
  /** Lines that a slow reader did not get. */
  dropped = 0

  constructor (options: EventStreamOptions) {
    this.#options = options
  }

  /** Sends changed counts from now on, until `close`. */
  start (): void {
    this.#stop = this.#options.clock.every(COUNTS_PERIOD_MS, () => { void this.#refresh() })
  }

  register (app: FastifyInstance): void {
    app.get(EVENTS_PATH, (_request, reply) => {
      reply.hijack()
      void this.#add(reply.raw)
    })
  }

  publish (event: RpcEvent): void {
    if (this.#readers.size > 0) this.#write(event)
  }

  close (): void {
    this.#stop()
    for (const reader of this.#readers) reader.end()
    this.#readers.clear()
  }

  async #add (reader: ServerResponse): Promise<void> {
    await this.#options.refresh()
    // The new reader gets every count; the changes collected so far are part of them, and the others get theirs first.
    this.#sendCounts()
    reader.writeHead(200, { 'content-type': LINES_CONTENT_TYPE })
    reader.write(lineOf({ type: 'hello', instanceId: this.#options.instanceId }))
    for (const event of countsEvents(this.#options.counts.all())) reader.write(lineOf(event))
    reader.on('close', () => { this.#readers.delete(reader) })
    this.#readers.add(reader)
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
    const sessions = this.#options.counts.takeChanged()
    if (this.#readers.size === 0) return
    const isSilent = this.#options.clock.now() - this.#lastLineAt >= HEARTBEAT_MS
    if (isSilent || Object.keys(sessions).length > 0) for (const event of countsEvents(sessions)) this.#write(event)
  }

  #write (event: RpcEvent): void {
    const line = lineOf(event)
    this.#lastLineAt = this.#options.clock.now()
    for (const reader of this.#readers) {
      if (reader.writableLength + line.length <= MAX_BACKLOG_BYTES) reader.write(line)
      else this.#cutOff(reader)
    }
  }

  #cutOff (reader: ServerResponse): void {
    this.dropped++
    this.#readers.delete(reader)
    reader.destroy()
  }
}

// At least one line: without changes it is the heartbeat.
function countsEvents (counts: Readonly<Record<string, number>>): RpcEvent[] {
  const entries = Object.entries(counts)
  const lines = Math.max(1, Math.ceil(entries.length / COUNTS_PER_LINE))
  return Array.from({ length: lines }, (_, line) => ({
    type: 'counts',
    sessions: Object.fromEntries(entries.slice(line * COUNTS_PER_LINE, (line + 1) * COUNTS_PER_LINE))
  }))
}

function lineOf (event: RpcEvent): string {
  return `${JSON.stringify(event)}\n`
}
