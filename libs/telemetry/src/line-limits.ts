// The bound of every log line there is. A sentence is a constant and stands for one cause, with the `reason` or `code` beside it; so
// a logger that counts sentences bounds each cause, also the one that nobody thought of. Rooms that know their flood (a
// shard's journal, its socket faults) have tighter bounds of their own, at the source: a line that is never made costs less.

/** Lines of one cause that may come at once, however few a second there may be: a start says many things. */
export const BURST = 100

/** The fewest lines a second of one cause: a limit is not a way to silence what comes now and then. */
export const FEWEST_PER_SECOND = 5

/** Causes that are counted apart, lest what strangers can vary fill the memory; the others share one count. */
const MAX_CAUSES = 1000

export interface LineLimitsOptions {
  /** Lines per second and cause, of warnings and errors. */
  readonly warningsPerSecond: number
  /** Of everything below. */
  readonly linesPerSecond: number
  /** In milliseconds, on any clock that does not go back. */
  readonly now: () => number
  /** Calls back after `delayMs`, unless the process ends before. */
  readonly after: (delayMs: number, callback: () => void) => void
}

/** What is told when lines were left out, a second after the first of them. */
export type Tell = (fields: { readonly sentence: string, readonly cause?: string, readonly leftOut: number }) => void

interface Count {
  lines: number
  atMs: number
  leftOut: number
}

// pino's numbers of its levels.
const WARN = 40
const FATAL = 60

/** How long lines of a cause are counted before somebody hears how many were left out. */
const TELL_MS = 1000

export class LineLimits {
  readonly #options: LineLimitsOptions
  readonly #counts = new Map<string, Count>()

  constructor (options: LineLimitsOptions) {
    this.#options = options
  }

  /** Whether a line may be written. If not, `tell` will hear of it, once for all that are left out within a second. */
  allows (level: number, args: readonly unknown[], tell: Tell): boolean {
    if (level >= FATAL) return true
    const { sentence, cause } = causeOf(args)
    const count = this.#countOf(`${level} ${sentence} ${cause ?? ''}`)
    const perSecond = Math.max(FEWEST_PER_SECOND, level >= WARN ? this.#options.warningsPerSecond : this.#options.linesPerSecond)
    const now = this.#options.now()
    count.lines = Math.max(0, count.lines - (now - count.atMs) / 1000 * perSecond)
    count.atMs = now
    if (count.lines + 1 <= Math.max(BURST, perSecond)) {
      count.lines++
      return true
    }
    if (count.leftOut === 0) {
      this.#options.after(TELL_MS, () => {
        const { leftOut } = count
        count.leftOut = 0
        tell(cause === undefined ? { sentence, leftOut } : { sentence, cause, leftOut })
      })
    }
    count.leftOut++
    return false
  }

  #countOf (key: string): Count {
    const known = this.#counts.get(key)
    if (known !== undefined) return known
    const shared = this.#counts.size < MAX_CAUSES ? key : ''
    const count = this.#counts.get(shared) ?? { lines: 0, atMs: this.#options.now(), leftOut: 0 }
    this.#counts.set(shared, count)
    return count
  }
}

// What a call of the logger is about: `log.warn({ reason }, 'Sentence')`, `log.info('Sentence')`, `log.error(error)`.
function causeOf ([first, second]: readonly unknown[]): { sentence: string, cause: string | undefined } {
  if (typeof first === 'string') return { sentence: first, cause: undefined }
  const fields = (first ?? {}) as { readonly reason?: unknown, readonly code?: unknown, readonly message?: unknown }
  const cause = fields.reason ?? fields.code
  const sentence = [second, fields.message].find(text => typeof text === 'string')
  return { sentence: sentence ?? '', cause: typeof cause === 'string' ? cause : undefined }
}
