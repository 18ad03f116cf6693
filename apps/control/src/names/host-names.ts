// DNS names that targets are called by, kept resolved in the background for as long as anything uses them. Queries read
// what is known at this moment; nothing waits for an answer.
import type { BaseLogger } from 'pino'
import type { Cancel, Clock } from '#core/clock.js'
import type { Result } from '#core/result.js'
import type { NameLookup } from '../targets/candidate.js'
import { backOffMs, LAST_CHEAP_DELAY_MS, LAST_DEAR_DELAY_MS } from '#core/back-off.js'

export interface NameAnswer {
  /** IP addresses in canonical text; at least one. */
  readonly addresses: readonly string[]
  readonly ttlSeconds: number
}

/** `no_address`: the DNS says that there is none. `no_answer`: it did not say, and may later. */
export type NameFailure = 'no_address' | 'no_answer'

export interface NameResolver {
  /** Never rejects, and ends within seconds. */
  readonly resolve: (name: string) => Promise<Result<NameAnswer, NameFailure>>
  /** Ends what is under way. */
  readonly close: () => void
}

export interface HostNamesOptions {
  readonly resolver: NameResolver
  readonly clock: Clock
  /** Uniform in [0, 1). */
  readonly random: () => number
  readonly log: BaseLogger
  /** Names kept resolved at once; others wait until one of them is forgotten. */
  readonly maxNames: number
  /** Called with the names whose addresses have changed, or have settled, not more often than every 20 ms. */
  readonly onChange: (names: readonly string[]) => void
}

/** An answer is asked for again when its TTL ends, but not earlier or later than this. */
export const MIN_REFRESH_MS = 5000
export const MAX_REFRESH_MS = 300_000
/**
 * A name is settled when it has led to the same one address for this long, in milliseconds, and in so many answers. Until
 * then its servers may be at any address it had: a DNS may give out one of many with each answer.
 */
export const SETTLED_MS = 300_000
export const SETTLED_ANSWERS = 3
/** Lookups under way at once. */
export const MAX_LOOKUPS = 16
const NOTICE_MS = 20

interface Entry {
  readonly name: string
  addresses: readonly string[] | undefined
  /** Of these addresses: when the first was there, and how many there were. */
  sinceMs: number
  answers: number
  isSettled: boolean
  /** In a row. */
  failures: number
  reason: NameFailure | undefined
  cancel: Cancel | undefined
}

export class HostNames implements NameLookup {
  readonly #options: HostNamesOptions
  readonly #entries = new Map<string, Entry>()
  // Entries whose turn has come, in that order.
  readonly #due = new Set<Entry>()
  // Names beyond `maxNames`.
  readonly #waiting = new Set<string>()
  readonly #changed = new Set<string>()
  // Names without an answer at their last lookup.
  readonly #unanswered = new Set<string>()
  #lookups = 0
  #version = 0
  #cancelNotice: Cancel | undefined

  constructor (options: HostNamesOptions) {
    this.#options = options
  }

  get version (): number {
    return this.#version
  }

  addressesOf (name: string): readonly string[] | undefined {
    return this.#entries.get(name)?.addresses
  }

  isSettled (name: string): boolean {
    return this.#entries.get(name)?.isSettled === true
  }

  /** Begins to keep `name` resolved. */
  add (name: string): void {
    if (this.#entries.has(name)) return
    const { maxNames, log } = this.#options
    if (this.#entries.size >= maxNames) {
      if (this.#waiting.size === 0) log.warn({ maxHostNames: maxNames }, 'Too many host names, some are not resolved')
      this.#waiting.add(name)
      return
    }
    const entry: Entry = { name, addresses: undefined, sinceMs: 0, answers: 0, isSettled: false, failures: 0, reason: undefined, cancel: undefined }
    this.#entries.set(name, entry)
    this.#askSoon(entry)
  }

  /** Forgets `name`. */
  delete (name: string): void {
    this.#waiting.delete(name)
    const entry = this.#entries.get(name)
    if (entry === undefined) return
    this.#forget(entry)
    const [next] = this.#waiting
    if (next === undefined) return
    this.#waiting.delete(next)
    this.add(next)
  }

  close (): void {
    this.#waiting.clear()
    for (const entry of [...this.#entries.values()]) this.#forget(entry)
    this.#cancelNotice?.()
    this.#options.resolver.close()
  }

  #forget (entry: Entry): void {
    entry.cancel?.()
    this.#due.delete(entry)
    this.#unanswered.delete(entry.name)
    this.#entries.delete(entry.name)
  }

  #askSoon (entry: Entry): void {
    entry.cancel = undefined
    this.#due.add(entry)
    this.#askNext()
  }

  #askNext (): void {
    for (const entry of this.#due) {
      if (this.#lookups >= MAX_LOOKUPS) return
      this.#due.delete(entry)
      void this.#ask(entry)
    }
  }

  async #ask (entry: Entry): Promise<void> {
    this.#lookups++
    const answer = await this.#options.resolver.resolve(entry.name)
    this.#lookups--
    // Forgotten meanwhile, and perhaps asked for anew by another entry.
    if (this.#entries.get(entry.name) === entry) this.#take(entry, answer)
    this.#askNext()
  }

  #take (entry: Entry, answer: Result<NameAnswer, NameFailure>): void {
    // An answer that denies comes from a DNS that is there: what it did before is no reason to wait for it.
    entry.failures = answer.ok ? 0 : answer.error === entry.reason ? entry.failures + 1 : 1
    this.#report(entry, answer.ok ? undefined : answer.error)
    // No answer says nothing against the last one, which a fault of the DNS must not take away.
    if (answer.ok || answer.error === 'no_address') this.#put(entry, answer.ok ? inOrder(answer.value.addresses) : undefined)
    if (answer.ok) this.#settle(entry)
    const { clock, random } = this.#options
    const delayMs = answer.ok
      ? Math.min(MAX_REFRESH_MS, Math.max(MIN_REFRESH_MS, answer.value.ttlSeconds * 1000))
      : backOffMs(entry.failures, random(), answer.error === 'no_answer' ? LAST_CHEAP_DELAY_MS : LAST_DEAR_DELAY_MS)
    entry.cancel = clock.after(delayMs, () => { this.#askSoon(entry) })
  }

  #put (entry: Entry, addresses: readonly string[] | undefined): void {
    if (String(addresses) === String(entry.addresses)) return
    entry.addresses = addresses
    entry.sinceMs = this.#options.clock.now()
    entry.answers = 0
    entry.isSettled = false
    this.#version++
    this.#noticeSoon(entry)
  }

  #settle (entry: Entry): void {
    entry.answers++
    if (entry.isSettled || entry.addresses?.length !== 1 || entry.answers < SETTLED_ANSWERS) return
    if (this.#options.clock.now() - entry.sinceMs < SETTLED_MS) return
    entry.isSettled = true
    this.#noticeSoon(entry)
  }

  #noticeSoon ({ name }: Entry): void {
    this.#changed.add(name)
    this.#cancelNotice ??= this.#options.clock.after(NOTICE_MS, () => {
      const names = [...this.#changed]
      this.#cancelNotice = undefined
      this.#changed.clear()
      this.#options.onChange(names)
    })
  }

  // A line for each name that the DNS does not have, but one for all that it says nothing about.
  #report (entry: Entry, reason: NameFailure | undefined): void {
    const { log } = this.#options
    if (reason === 'no_answer') {
      if (this.#unanswered.size === 0) log.warn({ hostName: entry.name }, 'Host names cannot be resolved, what is known of them is kept')
      this.#unanswered.add(entry.name)
    } else if (this.#unanswered.delete(entry.name) && this.#unanswered.size === 0) log.info('Host names can be resolved again')
    if (reason === 'no_address' && entry.reason !== reason) log.warn({ hostName: entry.name }, 'Host name has no address')
    entry.reason = reason
  }
}

// A server may give its answers in another order every time; the one in use should not change with that. IPv4 first, as
// every pod has it.
function inOrder (addresses: readonly string[]): readonly string[] {
  return [...new Set(addresses)].sort((left, right) => Number(left.includes(':')) - Number(right.includes(':')) || (left < right ? -1 : 1))
}
