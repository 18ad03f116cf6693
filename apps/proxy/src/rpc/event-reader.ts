// One reader of events, and what waits for it while it is slow. Every kind has room of its own, so that a flood of one
// costs no other; what finds its room full is left out, and the reader is told how much that was. Counts are never left
// out: of each key the latest is sent when its turn comes, a part of them in one turn, because datagrams wait for it.
import { eventKinds, type EventKind, type RpcEvent } from '#rpc/contract.js'
import type { LinesOut } from '#rpc/transport.js'

/** Characters of a kind that may wait for a slow reader. */
export const MAX_WAITING = 1024 * 1024

/** Counts in one line, and in one turn. With the longest keys far below the longest line a reader takes, 1 MiB. */
export const COUNTS_PER_LINE = 500

export interface EventReaderOptions {
  readonly onSkipped: (kind: EventKind) => void
  /** Sessions of a key at this moment. */
  readonly countOf: (key: string) => number
  /** Runs something in another turn. */
  readonly later: (run: () => void) => void
}

interface Waiting {
  lines: string[]
  length: number
  skipped: number
}

export class EventReader {
  readonly kinds: ReadonlySet<EventKind>
  readonly #out: LinesOut
  readonly #options: EventReaderOptions
  readonly #waiting = new Map<EventKind, Waiting>()
  /** Keys whose counts are to be sent. */
  readonly #due = new Set<string>()
  // The latest of what every reader is told.
  #news = ''
  #isFull = false
  #isPausing = false

  constructor (out: LinesOut, kinds: readonly EventKind[], options: EventReaderOptions) {
    this.kinds = new Set(kinds)
    this.#out = out
    this.#options = options
    out.onDrain(() => { this.#drain() })
  }

  /** The counts of these keys, absolute; none at all is the heartbeat, which is for every reader. */
  counts (keys: ReadonlySet<string>): void {
    if (keys.size === 0 && !this.#isFull) this.#write(lineOf({ type: 'counts', sessions: {} }))
    if (!this.kinds.has('counts')) return
    for (const key of keys) this.#due.add(key)
    this.#writeCounts()
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
      this.#options.onSkipped(kind)
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
    for (const kind of eventKinds) {
      if (kind === 'counts') this.#writeCounts()
      if (this.#hasFilled()) return
      const waiting = this.#waiting.get(kind)
      if (waiting === undefined) continue
      this.#waiting.delete(kind)
      const skipped = waiting.skipped > 0 ? lineOf({ type: 'skipped', kind, lines: waiting.skipped }) : ''
      this.#write(waiting.lines.join('') + skipped)
    }
  }

  // One line; the others in turns of their own.
  #writeCounts (): void {
    if (this.#isFull || this.#isPausing || this.#due.size === 0) return
    const part: [string, number][] = []
    for (const key of this.#due) {
      this.#due.delete(key)
      part.push([key, this.#options.countOf(key)])
      if (part.length === COUNTS_PER_LINE) break
    }
    this.#write(lineOf({ type: 'counts', sessions: Object.fromEntries(part) }))
    if (this.#due.size === 0) return
    this.#isPausing = true
    this.#options.later(() => {
      this.#isPausing = false
      this.#writeCounts()
    })
  }

  // Written to since it was empty, and full again.
  #hasFilled (): boolean {
    return this.#isFull
  }

  #write (text: string): void {
    // Ended for a newer control process, and not closed yet.
    if (this.#out.isOver) return
    if (!this.#out.write(text)) this.#isFull = true
  }
}

export function lineOf (event: RpcEvent): string {
  return `${JSON.stringify(event)}\n`
}
