// Keeps a collection in step with one resource of the API server: lists it, watches it from there, and starts again
// when in doubt. What to do next is decided in reflector-state.ts; here is what does it.
import type { Clock } from '#core/clock.js'
import { err, ok, type Result } from '#core/result.js'
import { inTurns } from '#core/in-turns.js'
import type { KubeObject } from '../../objects/inventory.js'
import type { ApiFailure } from '../api/api-failure.js'
import { isOlder, type Collection } from './collection.js'
import type { Verb } from '../api/describe-fault.js'
import { Intake, type CorruptReason } from './intake.js'
import { LineDecoder } from './line-decoder.js'
import type { ListPage } from '../api/object-from-api.js'
import { afterList, afterListFailure, afterWatch, initialState, SHORT_WATCH_MS, type Decision, type Moment, watchEnds, type RelistReason, type WatchOutcome } from './reflector-state.js'
import { pathOf, type Source } from '../api/source.js'
import type { ByteStream, Query, Transport } from '../api/transport.js'
import { Watchdog } from './watchdog.js'

/** Objects a page: what client-go asks for. */
const PAGE_LIMIT = 500
const LIST_IDLE_MS = 30_000
const LIST_TOTAL_MS = 300_000
/** Until the headers of a watch, which a server sends as soon as it has taken it on. */
const OPEN_IDLE_MS = 15_000
/** One and a half times the period of bookmarks, which are a minute apart: 59.3 to 61.0 s, measured with kube-apiserver 1.36. */
const WATCH_IDLE_MS = 90_000
/** Below what load balancers allow a connection, which is often 300 s; random, so that watches do not end together. */
const WATCH_SECONDS = { least: 240, most: 289 } as const
const WATCH_GRACE_MS = 10_000
/** How often a reflector that waits looks whether its credentials have changed. */
const LOOK_MS = 1000

/** How a watch may end, with those ends that something was wrong with. */
export const watchOutcomes = [...watchEnds, 'failed', 'corrupt'] as const

/** What may become of an event: `stale` was older than what is held. One that makes no sense counts as `corrupted`. */
export const eventOutcomes = ['applied', 'stale'] as const

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
  readonly #path: string
  readonly #intake: Intake
  #state = initialState
  // What stop() ends: an attempt, or a wait between two.
  #interrupt: () => void = () => undefined
  #isStopped = false
  #isListed = false
  #trueAtMs: number

  constructor (deps: ReflectorDeps) {
    this.#deps = deps
    this.#path = pathOf(deps.source)
    this.#intake = new Intake(deps.collection, deps.source)
    this.#trueAtMs = deps.clock.now()
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
   * An open watch is none: a server that is frozen has one too.
   */
  get ageMs (): number {
    return this.#deps.clock.now() - this.#trueAtMs
  }

  /** Lists and watches until `stop`. Rejects only if the collection throws, which is a bug and must end the process. */
  async run (): Promise<void> {
    await this.#wait(this.#deps.firstDelayMs)
    while (!this.#isStopped) {
      // Before the attempt: what changes while it is under way is a change.
      const mark = await this.#deps.transport.credentialsMark()
      const decision = this.#state.version === undefined ? await this.#list() : await this.#watch(this.#state.version)
      this.#state = decision.state
      await this.#carryOut(decision)
      await this.#wait(decision.delayMs, mark)
    }
  }

  /** Ends what is under way; nothing is asked of the server afterwards. */
  stop (): void {
    this.#isStopped = true
    this.#interrupt()
  }

  async #carryOut ({ refresh, empty, relist }: Decision): Promise<void> {
    if (this.#isStopped) return
    if (refresh === true) this.#deps.transport.refreshCredentials()
    if (relist !== undefined) this.#deps.hooks.relisting?.(relist)
    if (empty !== true) return
    await inTurns(this.#intake.empty(), this.#deps.clock)
    this.#trueAtMs = this.#deps.clock.now()
  }

  async #list (): Promise<Decision> {
    const startMs = this.#deps.clock.now()
    const listed = await this.#allPages()
    if (this.#isStopped) return { state: this.#state, delayMs: 0 }
    this.#deps.hooks.listed?.(listed.ok ? 'ok' : 'fault')
    if (!listed.ok) {
      const decision = afterListFailure(this.#state, listed.error, this.#moment())
      if (decision.unsure !== true) this.#deps.onFault('list', listed.error)
      return decision
    }
    const { objects, version } = listed.value
    await inTurns(this.#intake.replace([...objects.values()], version), this.#deps.clock)
    this.#isListed = true
    this.#trueAtMs = startMs
    this.#deps.onFault('list', undefined)
    return afterList(this.#state, version, startMs, this.#deps.clock.now())
  }

  async #allPages (): Promise<Result<{ objects: ReadonlyMap<string, KubeObject>, version: string }, ApiFailure>> {
    const objects = new Map<string, KubeObject>()
    let version: string | undefined
    let token: string | undefined
    do {
      const page = await this.#page(token)
      if (!page.ok) return page
      const { resourceVersion, continueToken } = page.value
      if (continueToken !== undefined && continueToken === token) return err({ reason: 'malformed', detail: 'the list never ends' })
      version ??= resourceVersion
      token = continueToken
      for (const object of page.value.objects) keepNewest(objects, object)
    } while (token !== undefined)
    return ok({ objects, version })
  }

  async #page (token: string | undefined): Promise<Result<ListPage, ApiFailure>> {
    const query: Query = {
      ...(this.#state.isUnpaged ? {} : { limit: PAGE_LIMIT }),
      ...(token === undefined ? { resourceVersion: '' } : { continue: token })
    }
    const watchdog = this.#attempt(LIST_TOTAL_MS, LIST_IDLE_MS)
    const life = { hasBegun: false }
    const onLife = (): void => {
      life.hasBegun = true
      watchdog.touch(LIST_IDLE_MS)
    }
    const body = await this.#deps.transport.list(this.#path, query, { signal: watchdog.signal, onLife })
    watchdog.end()
    if (!body.ok) return err(watchdog.overrun === undefined ? body.error : life.hasBegun ? { ...timeout, isPartial: true } : timeout)
    return this.#intake.pageFrom(body.value)
  }

  async #watch (from: string): Promise<Decision> {
    const { least, most } = WATCH_SECONDS
    const timeoutSeconds = least + Math.floor(this.#deps.random() * (most - least + 1))
    const watchdog = this.#attempt(timeoutSeconds * 1000 + WATCH_GRACE_MS, OPEN_IDLE_MS)
    const query: Query = { watch: 1, resourceVersion: from, allowWatchBookmarks: 'true', timeoutSeconds }
    const outcome = await this.#follow(query, watchdog, timeoutSeconds * 1000)
    watchdog.end()
    const decision = afterWatch(this.#state, this.#intake.version, outcome, this.#moment())
    if (!this.#isStopped) this.#report(outcome, decision)
    return decision
  }

  async #follow (query: Query, watchdog: Watchdog, lengthMs: number): Promise<WatchOutcome> {
    const onLife = (): void => { watchdog.touch(WATCH_IDLE_MS) }
    const opened = await this.#deps.transport.watch(this.#path, query, { signal: watchdog.signal, onLife })
    if (!opened.ok) return { kind: 'failed', failure: watchdog.overrun === undefined ? opened.error : timeout, lastedMs: 0 }
    const { clock } = this.#deps
    const startMs = clock.now()
    const cancelSettling = clock.after(SHORT_WATCH_MS, () => {
      this.#trueAtMs = clock.now()
      this.#deps.onFault('watch', undefined)
    })
    const end = await this.#readEvents(opened.value)
    cancelSettling()
    opened.value.destroy()
    const lastedMs = clock.now() - startMs
    if (typeof end !== 'string') return { ...end, lastedMs }
    const isInTime = end === 'closed' && lastedMs >= lengthMs - WATCH_GRACE_MS
    return { kind: 'ended', end: watchdog.overrun ?? (isInTime ? 'timed_out' : end), lastedMs }
  }

  // Nothing but reading is inside of a try: what the collection or its listeners throw is not a broken connection.
  async #readEvents (stream: ByteStream): Promise<Misfortune | 'closed' | 'broken'> {
    const decoder = new LineDecoder()
    for (;;) {
      const chunk = await stream.next()
      if (!chunk.ok || this.#isStopped) return 'broken'
      if (chunk.value === undefined) return decoder.isMidLine ? 'broken' : 'closed'
      this.#trueAtMs = this.#deps.clock.now()
      const lines = decoder.push(chunk.value)
      if (lines === undefined) return this.#corrupt('too_long')
      for (const line of lines) {
        const outcome = this.#readLine(line)
        if (outcome !== undefined) return outcome
      }
    }
  }

  #readLine (line: string): Misfortune | undefined {
    const taken = this.#intake.take(line)
    switch (taken.kind) {
      case 'failed': return taken
      case 'corrupt': return this.#corrupt(taken.reason)
    }
    this.#deps.hooks.eventTaken?.(taken.kind)
    return undefined
  }

  #corrupt (reason: CorruptReason): Misfortune {
    this.#deps.hooks.corrupted?.(reason)
    this.#deps.onCorrupt(reason)
    return { kind: 'corrupt' }
  }

  #report (outcome: WatchOutcome, { unsure }: Decision): void {
    const { hooks, onFault } = this.#deps
    hooks.watchEnded?.(outcome.kind === 'ended' ? outcome.end : outcome.kind)
    if (outcome.kind === 'failed' && unsure !== true) onFault('watch', outcome.failure)
  }

  #attempt (totalMs: number, idleMs: number): Watchdog {
    const watchdog = new Watchdog(this.#deps.clock, totalMs, idleMs)
    this.#interrupt = () => { watchdog.end() }
    if (this.#isStopped) watchdog.end()
    return watchdog
  }

  /** Ends sooner when the credentials are others than those of `mark`. */
  async #wait (delayMs: number, mark?: string): Promise<void> {
    if (delayMs <= 0 || this.#isStopped) return
    const { clock, transport } = this.#deps
    await new Promise<void>(resolve => {
      const end = (): void => {
        for (const cancel of cancels) cancel()
        resolve()
      }
      const look = async (): Promise<void> => {
        if (await transport.credentialsMark() === mark) return
        transport.refreshCredentials()
        end()
      }
      const cancels = [clock.after(delayMs, end)]
      if (mark !== undefined && delayMs > LOOK_MS) cancels.push(clock.every(LOOK_MS, () => { void look() }))
      this.#interrupt = end
    })
  }

  #moment (): Moment {
    return { nowMs: this.#deps.clock.now(), random: this.#deps.random() }
  }
}

/** What ends a watch and is no end. */
type Misfortune = { readonly kind: 'failed', readonly failure: ApiFailure } | { readonly kind: 'corrupt' }

const timeout: ApiFailure = { reason: 'timeout', detail: 'the server was silent for too long' }

// An object that changes while pages are read may be on two of them.
function keepNewest (objects: Map<string, KubeObject>, object: KubeObject): void {
  const { namespace, name, resourceVersion } = object.metadata
  const key = `${namespace}/${name}`
  if (!isOlder(resourceVersion, objects.get(key)?.metadata.resourceVersion)) objects.set(key, object)
}
