// What the DNS has said of one name so far, and how far that can be relied on. Pure.
import { backOffMs, LAST_CHEAP_DELAY_MS, LAST_DEAR_DELAY_MS } from '#core/back-off.js'
import type { Result } from '#core/result.js'

export interface NameAnswer {
  /** IP addresses in canonical text; at least one. */
  readonly addresses: readonly string[]
  readonly ttlSeconds: number
}

/** `no_address`: the DNS says that there is none. `no_answer`: it did not say, and may later. */
export type NameFailure = 'no_address' | 'no_answer'

/** An answer is asked for again when its TTL ends, but not earlier or later than this. */
export const MIN_REFRESH_MS = 5000
export const MAX_REFRESH_MS = 300_000
/**
 * A name is settled when it has led to the same one address for this long, in milliseconds, and in so many answers. Until
 * then its servers may be at any address it had: a DNS may give out one of many with each answer.
 */
export const SETTLED_MS = 300_000
export const SETTLED_ANSWERS = 3
/** `moved`: it leads elsewhere, or nowhere any more. `settled`: it has led to one place for long enough. */
export type NameChange = 'moved' | 'settled'

export class KnownName {
  #addresses: readonly string[] | undefined
  // Of these addresses: when the first was there, and how many there were.
  #sinceMs = 0
  #answers = 0
  #isSettled = false
  // In a row, for the same reason.
  #failures = 0
  #reason: NameFailure | undefined

  get addresses (): readonly string[] | undefined {
    return this.#addresses
  }

  get isSettled (): boolean {
    return this.#isSettled
  }

  /** Why the last lookup found no address; undefined if it found one. */
  get reason (): NameFailure | undefined {
    return this.#reason
  }

  /** Takes an answer in. What it says nothing about stays: a fault of the DNS must not take the last answer away. */
  take (answer: Result<NameAnswer, NameFailure>, nowMs: number): NameChange | undefined {
    // A DNS that denies is there: how often it failed before says nothing of the next attempt.
    this.#failures = answer.ok ? 0 : answer.error === this.#reason ? this.#failures + 1 : 1
    this.#reason = answer.ok ? undefined : answer.error
    if (!answer.ok && answer.error === 'no_answer') return undefined
    const hasMoved = this.#put(answer.ok ? inOrder(answer.value.addresses) : undefined, nowMs)
    const hasSettled = answer.ok && this.#settle(nowMs)
    return hasMoved ? 'moved' : hasSettled ? 'settled' : undefined
  }

  /** Milliseconds until the DNS is asked again, after `answer`. `random` is in [0, 1). */
  nextAskMs (answer: Result<NameAnswer, NameFailure>, random: number): number {
    if (answer.ok) return Math.min(MAX_REFRESH_MS, Math.max(MIN_REFRESH_MS, answer.value.ttlSeconds * 1000))
    return backOffMs(this.#failures, random, answer.error === 'no_answer' ? LAST_CHEAP_DELAY_MS : LAST_DEAR_DELAY_MS)
  }

  #put (addresses: readonly string[] | undefined, nowMs: number): boolean {
    if (String(addresses) === String(this.#addresses)) return false
    this.#addresses = addresses
    this.#sinceMs = nowMs
    this.#answers = 0
    this.#isSettled = false
    return true
  }

  #settle (nowMs: number): boolean {
    this.#answers++
    if (this.#isSettled || this.#addresses?.length !== 1 || this.#answers < SETTLED_ANSWERS) return false
    if (nowMs - this.#sinceMs < SETTLED_MS) return false
    this.#isSettled = true
    return true
  }
}

// A server may give its answers in another order every time; the one in use should not change with that. IPv4 first, as
// every pod has it.
function inOrder (addresses: readonly string[]): readonly string[] {
  return [...new Set(addresses)].sort((left, right) => Number(left.includes(':')) - Number(right.includes(':')) || (left < right ? -1 : 1))
}
