// Tells the other replicas how many sessions and unredeemed tokens each target has here, and hears the same of them. Counts are absolute:
// a message that is lost is made good by the next one that names the target, and by all of them every half minute.
import type { Cancel, Clock } from '#core/clock.js'
import type { LoadElsewhere } from '../../proxies/target-load.js'
import type { ReplicaMessage, SharedStore } from '../../store/shared-store.js'
import type { ReplicaPart } from '../parts/replica-part.js'
import { OtherReplicas } from './other-replicas.js'

/** How often what changed is told, in ms; among many replicas less often, because each hears all others. */
export const COUNTS_PERIOD_MS = 1000
const MANY_REPLICAS = 32
const COUNTS_PERIOD_OF_MANY_MS = 5000
/** How often all is told, in ms. */
export const ALL_COUNTS_PERIOD_MS = 30_000
/** How long a replica may be silent, in ms; never less than three periods. */
export const SILENT_MS = 10_000
const SILENT_PERIODS = 3
/** Targets in one message. */
const MAX_TARGETS = 1000

export interface CountsDeps {
  readonly clock: Clock
  readonly store: Pick<SharedStore, 'status' | 'send'>
  readonly replica: string
  /** Sessions of the own proxy by target key, those that are above 0. */
  readonly sessions: () => Iterable<readonly [key: string, count: number]>
  /** Tokens made here that nobody has redeemed yet, in the same way. */
  readonly pending: () => Iterable<readonly [key: string, count: number]>
}

type Counts = Record<string, number>

export interface CountsPart extends ReplicaPart {
  /** What the others have. */
  readonly elsewhere: LoadElsewhere
  /** How many others there are. */
  readonly others: () => number
}

export function createCountsPart (deps: CountsDeps): CountsPart {
  const { clock } = deps
  const periodMs = (): number => others.size >= MANY_REPLICAS ? COUNTS_PERIOD_OF_MANY_MS : COUNTS_PERIOD_MS
  const others: OtherReplicas = new OtherReplicas(clock, () => Math.max(SILENT_MS, SILENT_PERIODS * periodMs()))
  const sessions = new Told()
  const pending = new Told()
  let allAtMs = -Infinity
  let cancel: Cancel = () => undefined

  const tell = (): void => {
    cancel = clock.after(periodMs(), tell)
    others.forgetSilent()
    if (deps.store.status !== 'up') return
    const isAll = clock.now() - allAtMs >= ALL_COUNTS_PERIOD_MS
    if (isAll) {
      allAtMs = clock.now()
      sessions.forget()
      pending.forget()
    }
    // Without a count it is a sign of life.
    const parts = inParts(sessions.changes(deps.sessions()), pending.changes(deps.pending()))
    for (const [at, part] of parts.entries()) deps.store.send(undefined, { type: 'counts', replica: deps.replica, ...part, isAll: isAll && at === 0 })
  }
  cancel = clock.after(COUNTS_PERIOD_MS, tell)

  return {
    elsewhere: others,
    others: () => others.size,
    onStoreUp: async () => {
      // Those who were there before may have forgotten this replica, or missed what it said.
      allAtMs = -Infinity
      await Promise.resolve()
    },
    onStoreDown: () => { others.forgetAll() },
    onMessage: (message: ReplicaMessage) => {
      if (message.type === 'counts' && message.replica !== deps.replica && others.hear(message)) allAtMs = -Infinity
    },
    close: () => { cancel() }
  }
}

/** What was told last. */
class Told {
  readonly #counts = new Map<string, number>()

  forget (): void {
    this.#counts.clear()
  }

  /** Those that differ from what was told, which they are from now on. */
  changes (counts: Iterable<readonly [string, number]>): Array<readonly [string, number]> {
    const changed: Array<readonly [string, number]> = []
    const here = new Set<string>()
    for (const [key, count] of counts) {
      here.add(key)
      if (this.#counts.get(key) === count) continue
      this.#counts.set(key, count)
      changed.push([key, count])
    }
    for (const key of this.#counts.keys()) {
      if (here.has(key)) continue
      this.#counts.delete(key)
      changed.push([key, 0])
    }
    return changed
  }
}

// At least one, which may be empty.
function inParts (sessions: ReadonlyArray<readonly [string, number]>, pending: ReadonlyArray<readonly [string, number]>): ReadonlyArray<{ readonly sessions: Counts, readonly pending?: Counts }> {
  const parts = Math.max(1, Math.ceil(sessions.length / MAX_TARGETS), Math.ceil(pending.length / MAX_TARGETS))
  return Array.from({ length: parts }, (_, at) => {
    const [from, to] = [at * MAX_TARGETS, (at + 1) * MAX_TARGETS]
    const waiting = pending.slice(from, to)
    return { sessions: Object.fromEntries(sessions.slice(from, to)), ...waiting.length === 0 ? {} : { pending: Object.fromEntries(waiting) } }
  })
}
