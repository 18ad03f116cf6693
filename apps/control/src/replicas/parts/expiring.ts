// A map that forgets what is over, whatever the lives of its entries are, a few at a time. Bounded: at the bound nothing new is
// taken in, because what is there has been promised to somebody.
import type { Cancel, Clock } from '#core/clock.js'

// Entries are forgotten in whole slices of time: up to a second late, never early.
const SLICE_MS = 1000

/** Entries forgotten in one turn: well below a millisecond. */
const FORGOTTEN_AT_ONCE = 1000

interface Entry<Value> {
  readonly value: Value
  /** On the clock's monotonic scale. */
  readonly untilMs: number
}

export class Expiring<Key, Value> {
  readonly #clock: Clock
  readonly #most: number
  readonly #entries = new Map<Key, Entry<Value>>()
  readonly #slices = new Map<number, Key[]>()
  #cancel: Cancel | undefined
  #isClosed = false

  constructor (clock: Clock, most: number) {
    this.#clock = clock
    this.#most = most
  }

  get size (): number {
    return this.#entries.size
  }

  /** Undefined if there is none, or it is over. */
  get (key: Key): Value | undefined {
    const entry = this.#entries.get(key)
    return entry === undefined || entry.untilMs <= this.#clock.now() ? undefined : entry.value
  }

  /** What is left of the life of an entry, in ms. */
  ttlOf (key: Key): number | undefined {
    const entry = this.#entries.get(key)
    const ttlMs = entry === undefined ? 0 : Math.ceil(entry.untilMs - this.#clock.now())
    return ttlMs > 0 ? ttlMs : undefined
  }

  /** Puts a value in place of the former one, until `ttlMs` are over; false if the bound is reached. */
  set (key: Key, value: Value, ttlMs: number): boolean {
    const former = this.#entries.get(key)
    if (former === undefined && this.#entries.size >= this.#most) return false
    const untilMs = this.#clock.now() + ttlMs
    this.#entries.set(key, { value, untilMs })
    const slice = sliceOf(untilMs)
    if (former !== undefined && sliceOf(former.untilMs) === slice) return true
    const keys = this.#slices.get(slice)
    if (keys === undefined) this.#slices.set(slice, [key])
    else keys.push(key)
    this.#sweepSoon(SLICE_MS)
    return true
  }

  delete (key: Key): void {
    this.#entries.delete(key)
  }

  /** What is not over, with what is left of its life when it is its turn; entries may come and go between two of them. */
  * entries (): Generator<{ readonly key: Key, readonly value: Value, readonly ttlMs: number }> {
    for (const [key, { value, untilMs }] of this.#entries) {
      const ttlMs = Math.ceil(untilMs - this.#clock.now())
      if (ttlMs > 0) yield { key, value, ttlMs }
    }
  }

  /** Forgets nothing by itself from now on. */
  close (): void {
    this.#isClosed = true
    this.#cancel?.()
  }

  #sweepSoon (ms: number): void {
    if (!this.#isClosed) {
      this.#cancel ??= this.#clock.after(ms, () => {
        this.#cancel = undefined
        const hasMore = this.#forget()
        if (this.#slices.size > 0) this.#sweepSoon(hasMore ? 1 : SLICE_MS)
      })
    }
  }

  // True if the turn was too short for all that is over.
  #forget (): boolean {
    const now = this.#clock.now()
    let left = FORGOTTEN_AT_ONCE
    for (const [slice, keys] of this.#slices) {
      if (slice * SLICE_MS > now) continue
      for (const key of keys.splice(0, left)) {
        left--
        // It may have been given a longer life, or another value.
        if ((this.#entries.get(key)?.untilMs ?? Infinity) <= now) this.#entries.delete(key)
      }
      if (keys.length > 0) return true
      this.#slices.delete(slice)
      if (left === 0) return true
    }
    return false
  }
}

// The first moment at which all of it is over.
function sliceOf (untilMs: number): number {
  return Math.ceil(untilMs / SLICE_MS)
}
