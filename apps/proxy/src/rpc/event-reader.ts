// One reader of events, and what waits for it while it is slow. Every kind has room of its own, so that a flood of one
// costs no other; what finds its room full is left out, and the reader is told how much that was. Counts are never left
// out: the latest of each key waits.
import type { ServerResponse } from 'node:http'
import { eventKinds, type EventKind, type RpcEvent } from '#rpc/contract.js'

/** Characters of a kind that may wait for a slow reader. */
export const MAX_WAITING = 1024 * 1024

/** Counts in one line: with the longest keys still below the longest line a reader takes, 1 MiB. */
const COUNTS_PER_LINE = 1000

interface Waiting {
  lines: string[]
  length: number
  skipped: number
}

export class EventReader {
  readonly kinds: ReadonlySet<EventKind>
  readonly #response: ServerResponse
  readonly #onSkipped: (kind: EventKind) => void
  readonly #waiting = new Map<EventKind, Waiting>()
  readonly #counts = new Map<string, number>()
  // The latest of what every reader is told.
  #news = ''
  #isFull = false

  constructor (response: ServerResponse, kinds: readonly EventKind[], onSkipped: (kind: EventKind) => void) {
    this.kinds = new Set(kinds)
    this.#response = response
    this.#onSkipped = onSkipped
    response.on('drain', () => { this.#drain() })
  }

  /** Counts by key, absolute; none at all is the heartbeat, which is for every reader. */
  counts (sessions: Readonly<Record<string, number>>): void {
    const entries = Object.entries(sessions)
    if (entries.length > 0 && !this.kinds.has('counts')) return
    if (!this.#isFull) this.#writeCounts(entries)
    else for (const [key, count] of entries) this.#counts.set(key, count)
  }

  /** A line for every reader, of which only the latest counts. */
  tell (line: string): void {
    if (this.#isFull) this.#news = line
    else this.#write(line)
  }

  /** A line of an event that may be left out. */
  line (kind: EventKind, line: string): void {
    if (!this.kinds.has(kind)) return
    if (this.#isFull) this.#wait(kind, line)
    else this.#write(line)
  }

  #wait (kind: EventKind, line: string): void {
    let waiting = this.#waiting.get(kind)
    if (waiting === undefined) this.#waiting.set(kind, waiting = { lines: [], length: 0, skipped: 0 })
    if (waiting.length + line.length > MAX_WAITING) {
      waiting.skipped++
      this.#onSkipped(kind)
    } else {
      waiting.lines.push(line)
      waiting.length += line.length
    }
  }

  // Those that control cannot do without come first.
  #drain (): void {
    this.#isFull = false
    const news = this.#news
    this.#news = ''
    if (news !== '') this.#write(news)
    const counts = [...this.#counts]
    this.#counts.clear()
    if (counts.length > 0) this.#writeCounts(counts)
    for (const kind of eventKinds) {
      if (this.#hasFilled()) return
      const waiting = this.#waiting.get(kind)
      if (waiting === undefined) continue
      this.#waiting.delete(kind)
      const skipped = waiting.skipped > 0 ? lineOf({ type: 'skipped', kind, lines: waiting.skipped }) : ''
      this.#write(waiting.lines.join('') + skipped)
    }
  }

  // At least one line: without counts it is the heartbeat.
  #writeCounts (entries: ReadonlyArray<readonly [string, number]>): void {
    for (let from = 0; from === 0 || from < entries.length; from += COUNTS_PER_LINE) {
      this.#write(lineOf({ type: 'counts', sessions: Object.fromEntries(entries.slice(from, from + COUNTS_PER_LINE)) }))
    }
  }

  // Written to since it was empty, and full again.
  #hasFilled (): boolean {
    return this.#isFull
  }

  #write (text: string): void {
    if (!this.#response.write(text)) this.#isFull = true
  }
}

export function lineOf (event: RpcEvent): string {
  return `${JSON.stringify(event)}\n`
}
