// Writes the own sessions to the store again and again, so that it forgets none that lives and none stays that does not: those that were
// active, over a minute; all of them when the store or the proxy is back. What others wrote since is taken in.
import type { Cancel } from '#core/clock.js'
import type { Binding } from '#rpc/replica-schemas.js'
import type { BindingKeep, SharedBinding } from '../../store/shared-store.js'
import type { BindingWriter } from './binding-writer.js'
import { writeFrom } from './bindings.js'
import type { KnownBindings } from './known-bindings.js'
import type { SessionContext } from './session-context.js'

/** How long a round of the sessions that were active takes, in ms. */
export const KEEP_PERIOD_MS = 60_000
/** What is listed of the time before a round, in ms: more than lies between two looks at the same session. */
const ACTIVE_WITHIN_MS = KEEP_PERIOD_MS * 1.5

export interface KeepRoundsDeps {
  readonly context: SessionContext
  readonly known: KnownBindings
  readonly writer: BindingWriter
}

/** Rounds that follow each other until `stop`. */
type Rounds = object

export class KeepRounds {
  readonly #deps: KeepRoundsDeps
  #current: Rounds | undefined
  #cancelPause: Cancel = () => undefined
  /** In the last round that was complete. */
  #pages = 0

  constructor (deps: KeepRoundsDeps) {
    this.#deps = deps
  }

  /** All sessions at once; resolves when the store has them, or cannot be told. Then those that are active, round after round until `stop`. */
  async begin (): Promise<void> {
    this.stop()
    const rounds = this.#current = {}
    const { known } = this.#deps
    const { mark } = known
    known.beginRound()
    if (await this.#run(rounds, undefined, async () => { await Promise.resolve() })) known.endRound(mark)
    if (!this.#areOver(rounds)) void this.#goOn(rounds)
  }

  stop (): void {
    this.#current = undefined
    this.#cancelPause()
  }

  async #goOn (rounds: Rounds): Promise<void> {
    // Not all replicas at the same moment.
    await this.#pause(this.#pauseMs() * (0.5 + this.#deps.context.random() / 2))
    for (;;) {
      const isComplete = await this.#run(rounds, ACTIVE_WITHIN_MS, async () => { await this.#pause(this.#pauseMs()) })
      if (this.#areOver(rounds)) return
      if (!isComplete || this.#pages === 0) await this.#pause(KEEP_PERIOD_MS)
    }
  }

  #areOver (rounds: Rounds): boolean {
    return this.#current !== rounds
  }

  // There is one after each page, so that a round takes a period.
  #pauseMs (): number {
    return KEEP_PERIOD_MS / Math.max(1, this.#pages)
  }

  /** Never over if the rounds are stopped meanwhile. */
  async #pause (ms: number): Promise<void> {
    await new Promise<void>(resolve => { this.#cancelPause = this.#deps.context.clock.after(ms, resolve) })
  }

  /** True if every session was listed. */
  async #run (rounds: Rounds, activeWithinMs: number | undefined, pause: () => Promise<void>): Promise<boolean> {
    const { known, context: { proxy } } = this.#deps
    const list = proxy.bindings(activeWithinMs)[Symbol.asyncIterator]()
    for (let pages = 0; ; pages++) {
      const { mark } = known
      const page = await list.next()
      if (this.#areOver(rounds)) return false
      if (page.done === true) {
        this.#pages = pages
        return true
      }
      if (page.value === undefined) return false
      await this.#keep(page.value, mark)
      if (this.#areOver(rounds)) return false
      known.forgetOver()
      await pause()
    }
  }

  async #keep (page: readonly Binding[], mark: number): Promise<void> {
    const { known, writer } = this.#deps
    const quiet: Binding[] = []
    for (const binding of page) {
      const { client } = binding
      known.seen(client)
      // It has changed since it was listed: the change is on its way by itself, to the store or from it.
      if (writer.isUnsettled(client) || known.changedSince(client, mark)) continue
      if (known.isUnwritten(client)) writer.bind(binding)
      else quiet.push(binding)
    }
    const learned = await this.#write(quiet, mark)
    // The store did not count this replica among those that have the client: now it does.
    if (learned.length > 0) await this.#write(learned, mark)
  }

  /** Those whose sequence was not known, and whose binding is the stored one. */
  async #write (bindings: readonly Binding[], mark: number): Promise<readonly Binding[]> {
    if (bindings.length === 0) return []
    const { known, writer, context: { store, replica, timeoutMs } } = this.#deps
    const keeps: BindingKeep[] = bindings.map(binding => ({ ...writeFrom(binding, timeoutMs), sequence: this.#sequenceOf(binding) }))
    const kept = await store.keep(keeps, replica)
    if (!kept.ok || kept.value.size === 0) return []
    return bindings.filter(binding => {
      const newer: SharedBinding | undefined = kept.value.get(binding.client)
      const isChanged = writer.isUnsettled(binding.client) || known.changedSince(binding.client, mark)
      return newer !== undefined && !isChanged && writer.reconcile(binding, newer)
    })
  }

  // What the store has of another target stays, and is answered.
  #sequenceOf ({ client, target }: Binding): number {
    const { known } = this.#deps
    return known.isElsewhere(client, target) ? Math.max(0, known.of(client) - 1) : known.of(client)
  }
}
