// DNS names that targets are called by, kept resolved in the background for as long as anything uses them. Queries read
// what is known at this moment; nothing waits for an answer.
import type { BaseLogger } from 'pino'
import type { Cancel, Clock } from '#core/clock.js'
import type { Result } from '#core/result.js'
import type { NameLookup } from '../targets/candidate.js'
import { KnownName, type NameAnswer, type NameFailure } from './known-name.js'

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

/** Lookups under way at once. */
export const MAX_LOOKUPS = 16
const NOTICE_MS = 20

interface Entry {
  readonly name: string
  readonly known: KnownName
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
    return this.#entries.get(name)?.known.addresses
  }

  isSettled (name: string): boolean {
    return this.#entries.get(name)?.known.isSettled === true
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
    const entry: Entry = { name, known: new KnownName(), cancel: undefined }
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
    const { clock, random } = this.#options
    const { name, known } = entry
    const { reason } = known
    const change = known.take(answer, clock.now())
    this.#report(name, known.reason, reason)
    if (change === 'moved') this.#version++
    if (change !== undefined) this.#noticeSoon(name)
    entry.cancel = clock.after(known.nextAskMs(answer, random()), () => { this.#askSoon(entry) })
  }

  #noticeSoon (name: string): void {
    this.#changed.add(name)
    this.#cancelNotice ??= this.#options.clock.after(NOTICE_MS, () => {
      const names = [...this.#changed]
      this.#cancelNotice = undefined
      this.#changed.clear()
      this.#options.onChange(names)
    })
  }

  // A line for each name that the DNS does not have, but one for all that it says nothing about.
  #report (hostName: string, reason: NameFailure | undefined, former: NameFailure | undefined): void {
    const { log } = this.#options
    if (reason === 'no_answer') {
      if (this.#unanswered.size === 0) log.warn({ hostName }, 'Host names cannot be resolved, what is known of them is kept')
      this.#unanswered.add(hostName)
    } else if (this.#unanswered.delete(hostName) && this.#unanswered.size === 0) log.info('Host names can be resolved again')
    if (reason === 'no_address' && former !== reason) log.warn({ hostName }, 'Host name has no address')
  }
}
