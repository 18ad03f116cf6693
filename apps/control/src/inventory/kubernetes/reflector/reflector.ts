// Keeps a collection in step with one resource of the API server: lists it, watches it from there, and starts again
// when in doubt. What to do next is decided in reflector-state.ts; here is what does it.
import type { Clock } from '#core/clock.js'
import { inTurns } from '#core/in-turns.js'
import type { ApiFailure } from '../api/api-failure.js'
import type { Verb } from '../api/describe-fault.js'
import { pathOf, type Source } from '../api/source.js'
import type { Transport } from '../api/transport.js'
import { Attempts } from './attempts.js'
import type { Collection } from './collection.js'
import { followWatch, type eventOutcomes, type WatchDeps } from './follow-watch.js'
import { Intake, type CorruptReason } from './intake.js'
import { listAll } from './list-all.js'
import { afterList, afterListFailure, afterWatch, initialState, type Decision, type Moment, watchEnds, type RelistReason, type WatchOutcome } from './reflector-state.js'

/** Below what load balancers allow a connection, which is often 300 s; random, so that watches do not end together. */
const WATCH_SECONDS = { least: 240, most: 289 } as const

/** How a watch may end, with those ends that something was wrong with. */
export const watchOutcomes = [...watchEnds, 'failed', 'corrupt'] as const

/** Told as they happen; all for metrics. */
export interface ReflectorHooks {
  readonly listed?: (outcome: 'ok' | 'fault') => void
  readonly relisting?: (reason: RelistReason) => void
  readonly watchEnded?: (end: typeof watchOutcomes[number]) => void
  readonly corrupted?: (reason: CorruptReason) => void
  readonly eventTaken?: (outcome: typeof eventOutcomes[number]) => void
}

export interface ReflectorDeps {
  readonly source: Source
  readonly collection: Collection
  readonly transport: Transport
  readonly clock: Clock
  /** Uniform in [0, 1). */
  readonly random: () => number
  readonly hooks: ReflectorHooks
  /** What is wrong with lists or watches; undefined when nothing is. May be called with the same again. */
  readonly onFault: (verb: Verb, failure: ApiFailure | undefined) => void
  readonly onCorrupt: (reason: CorruptReason) => void
  /** How long to wait before the first list. */
  readonly firstDelayMs: number
}

export class Reflector {
  readonly #deps: ReflectorDeps
  readonly #attempts: Attempts
  readonly #intake: Intake
  readonly #reading: WatchDeps
  #state = initialState
  #isListed = false
  #trueAtMs: number

  constructor (deps: ReflectorDeps) {
    const { source, collection, transport, clock, hooks, onFault, onCorrupt } = deps
    this.#deps = deps
    this.#trueAtMs = clock.now()
    this.#attempts = new Attempts(clock, transport)
    this.#intake = new Intake(collection, source)
    this.#reading = {
      transport,
      attempts: this.#attempts,
      intake: this.#intake,
      path: pathOf(source),
      clock,
      onEvent: outcome => hooks.eventTaken?.(outcome),
      onCorrupt: reason => {
        hooks.corrupted?.(reason)
        onCorrupt(reason)
      },
      onWord: () => { this.#trueAtMs = clock.now() },
      onSettled: () => {
        this.#trueAtMs = clock.now()
        onFault('watch', undefined)
      }
    }
  }

  /** True once a list succeeded, and for ever after. */
  get isListed (): boolean {
    return this.#isListed
  }

  /** True while the server says, and has said twice, that the resource is not there or not for us. */
  get isUnavailable (): boolean {
    return this.#state.isUnavailable
  }

  /**
   * Milliseconds since the server's last word on the collection: a list, an event, a bookmark, or a watch that came to stay.
   * That a watch is open says nothing: a server that is frozen has open ones, too.
   */
  get ageMs (): number {
    return this.#deps.clock.now() - this.#trueAtMs
  }

  /** Lists and watches until `stop`. Rejects only if the collection throws, which is a bug and must end the process. */
  async run (): Promise<void> {
    await this.#attempts.wait(this.#deps.firstDelayMs)
    while (!this.#attempts.isStopped) {
      // Before the attempt: what changes while it is under way is a change.
      const mark = await this.#deps.transport.credentialsMark()
      const decision = this.#state.version === undefined ? await this.#list() : await this.#watch(this.#state.version)
      this.#state = decision.state
      await this.#carryOut(decision)
      await this.#attempts.wait(decision.delayMs, mark)
    }
  }

  /** Ends what is under way; nothing is asked of the server afterwards. */
  stop (): void {
    this.#attempts.stop()
  }

  async #carryOut ({ refresh, empty, relist }: Decision): Promise<void> {
    if (this.#attempts.isStopped) return
    if (refresh === true) this.#deps.transport.refreshCredentials()
    if (relist !== undefined) this.#deps.hooks.relisting?.(relist)
    if (empty !== true) return
    await inTurns(this.#intake.empty(), this.#deps.clock)
    this.#trueAtMs = this.#deps.clock.now()
  }

  async #list (): Promise<Decision> {
    const { clock, hooks, onFault } = this.#deps
    const startMs = clock.now()
    const listed = await listAll(this.#reading, this.#state.isUnpaged)
    if (this.#attempts.isStopped) return { state: this.#state, delayMs: 0 }
    hooks.listed?.(listed.ok ? 'ok' : 'fault')
    if (!listed.ok) {
      const decision = afterListFailure(this.#state, listed.error, this.#moment())
      if (decision.unsure !== true) onFault('list', listed.error)
      return decision
    }
    const { objects, version } = listed.value
    await inTurns(this.#intake.replace(objects, version), clock)
    this.#isListed = true
    this.#trueAtMs = startMs
    onFault('list', undefined)
    return afterList(this.#state, version, startMs, clock.now())
  }

  async #watch (from: string): Promise<Decision> {
    const { least, most } = WATCH_SECONDS
    const seconds = least + Math.floor(this.#deps.random() * (most - least + 1))
    const outcome = await followWatch(this.#reading, from, seconds)
    const decision = afterWatch(this.#state, this.#intake.version, outcome, this.#moment())
    if (!this.#attempts.isStopped) this.#report(outcome, decision)
    return decision
  }

  #report (outcome: WatchOutcome, { unsure }: Decision): void {
    const { hooks, onFault } = this.#deps
    hooks.watchEnded?.(outcome.kind === 'ended' ? outcome.end : outcome.kind)
    if (outcome.kind === 'failed' && unsure !== true) onFault('watch', outcome.failure)
  }

  #moment (): Moment {
    return { nowMs: this.#deps.clock.now(), random: this.#deps.random() }
  }
}
