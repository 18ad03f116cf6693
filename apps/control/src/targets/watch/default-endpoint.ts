// Keeps the proxy's candidates for the default endpoint in step with the inventory, and spends little of the time on it:
// all that match are looked at each time, which may be thousands, while any of them may change at any moment. So they are
// looked at in slices, and seldom.
import { isDeepStrictEqual } from 'node:util'
import type { BaseLogger } from 'pino'
import type { Config, Selection } from '#config/schema.js'
import type { Cancel, Clock } from '#core/clock.js'
import { Pace } from '#core/pace.js'
import { whole, type Slices } from '#core/slices.js'
import { Work } from '#jsonpath/work.js'
import type { Target } from '#rpc/contract.js'
import type { Inventory, InventoryChange } from '../../inventory/objects/inventory.js'
import { SERVICES_TYPE } from '../../inventory/objects/resource-types.js'
import type { Balancer } from '../../query/balancer.js'
import type { Selector } from '../../query/selector.js'

export interface DefaultEndpointOptions {
  readonly config: Pick<Config, 'defaultEndpoint'>
  readonly inventory: Pick<Inventory, 'onChange'>
  readonly selector: Pick<Selector, 'search'>
  readonly balancer: Pick<Balancer, 'ordered'>
  readonly clock: Clock
  readonly log: BaseLogger
  readonly setTargets: (targets: readonly Target[]) => void
}

export interface DefaultEndpoint {
  /** Candidates at this moment. */
  readonly count: () => number
  /** Resolves when every change of the inventory until now has been looked at. */
  readonly upToDate: () => Promise<void>
  readonly close: () => void
}

/** After an evaluation the next one waits for a multiple of what it took: a fiftieth of the time is spent on them. */
export const PAUSE_PER_COST = 50
/** But not for longer than this, in milliseconds: an object that is gone must not be a candidate a second later. */
export const MAX_PAUSE_MS = 500

// Between two slices of an evaluation, in milliseconds.
const SLICE_PAUSE_MS = 1
/** Targets compared in one slice: about a millisecond if all have changed. */
const SLICE_TARGETS = 500

/** Evaluates the default endpoint now and when objects it may concern change; tells the proxy if that makes a difference. */
export function followDefaultEndpoint (options: DefaultEndpointOptions): DefaultEndpoint {
  const selection = options.config.defaultEndpoint
  if (selection === undefined) return { count: () => 0, upToDate: async () => { await Promise.resolve() }, close: () => undefined }
  const follower = new Follower(options, selection)
  return { count: () => follower.count, upToDate: () => follower.upToDate(), close: () => { follower.close() } }
}

class Follower {
  readonly #options: DefaultEndpointOptions
  readonly #selection: Selection
  readonly #stopListening: () => void
  // Undefined until the proxy was told of any.
  #targets: readonly Target[] | undefined
  #earliestMs = -Infinity
  // Of the next evaluation, or of the next slice of the one under way.
  #cancel: Cancel | undefined
  #underWay: Slices<undefined> | undefined
  #costMs = 0
  // Something has changed since the one under way began.
  #isOutdated = false
  #waiters: ReadonlyArray<{ readonly evaluations: number, readonly resolve: () => void }> = []

  constructor (options: DefaultEndpointOptions, selection: Selection) {
    this.#options = options
    this.#selection = selection
    this.#stopListening = options.inventory.onChange(changes => { if (changes.some(change => this.#concerns(change))) this.#evaluateSoon() })
    // In one go: nobody is served yet, and the first that the proxy is told has to be all.
    const startedMs = options.clock.now()
    whole(this.#evaluation(), startedMs)
    this.#costMs = options.clock.now() - startedMs
    this.#rest()
  }

  get count (): number {
    return this.#targets?.length ?? 0
  }

  async upToDate (): Promise<void> {
    // Listeners of one change are called one after the other: this one may be the last.
    await Promise.resolve()
    if (this.#cancel === undefined) return
    const evaluations = this.#underWay !== undefined && this.#isOutdated ? 2 : 1
    await new Promise<void>(resolve => { this.#waiters = [...this.#waiters, { evaluations, resolve }] })
  }

  close (): void {
    this.#stopListening()
    this.#cancel?.()
    this.#cancel = undefined
    for (const { resolve } of this.#waiters) resolve()
    this.#waiters = []
  }

  #concerns ({ resourceType, namespace }: InventoryChange): boolean {
    return namespace === this.#selection.namespace && (resourceType === this.#selection.resourceType || resourceType === SERVICES_TYPE)
  }

  #evaluateSoon (): void {
    if (this.#underWay !== undefined) this.#isOutdated = true
    if (this.#underWay !== undefined || this.#cancel !== undefined) return
    const { clock } = this.#options
    const delayMs = this.#earliestMs - clock.now()
    if (delayMs <= 0) this.#begin()
    else this.#cancel = clock.after(delayMs, () => { this.#begin() })
  }

  #begin (): void {
    this.#underWay = this.#evaluation()
    this.#costMs = 0
    this.#goOn(this.#underWay)
  }

  #goOn (slices: Slices<undefined>): void {
    const { clock } = this.#options
    const startedMs = clock.now()
    const isDone = slices.next(startedMs).done === true
    this.#costMs += clock.now() - startedMs
    if (isDone) this.#end()
    else this.#cancel = clock.after(SLICE_PAUSE_MS, () => { this.#goOn(slices) })
  }

  #end (): void {
    const isOutdated = this.#isOutdated
    this.#cancel = undefined
    this.#underWay = undefined
    this.#isOutdated = false
    this.#rest()
    const done = this.#waiters.filter(({ evaluations }) => evaluations === 1)
    this.#waiters = this.#waiters.flatMap(({ evaluations, resolve }) => evaluations === 1 ? [] : [{ evaluations: evaluations - 1, resolve }])
    if (isOutdated) this.#evaluateSoon()
    for (const { resolve } of done) resolve()
  }

  #rest (): void {
    this.#earliestMs = this.#options.clock.now() + Math.min(MAX_PAUSE_MS, PAUSE_PER_COST * this.#costMs)
  }

  // What changes meanwhile is for the next one.
  * #evaluation (): Slices<undefined> {
    const { selector, balancer, setTargets } = this.#options
    const found = yield * selector.search(this.#selection, Infinity, new Work(Infinity))
    const targets = found.ok ? balancer.ordered(found.value).map(({ target }) => target) : []
    this.#report(targets, found.ok ? 'NO_MATCHING_RESOURCE' : found.error.code)
    const isSame = yield * isSameList(targets, this.#targets)
    this.#targets = targets
    if (!isSame) setTargets(targets)
    return undefined
  }

  // Before `targets` take the place of the former ones. `code` is why there are none.
  #report (targets: readonly Target[], code: string): void {
    const isEmpty = targets.length === 0
    if (this.#targets !== undefined && isEmpty === (this.#targets.length === 0)) return
    const { log } = this.#options
    if (isEmpty) log.warn({ code }, 'Default endpoint is empty')
    else log.info({ targets: targets.length, first: targets[0]?.key }, 'Default endpoint has targets')
  }
}

// The target of an object that did not change is the same one, so hardly any are compared part by part.
function * isSameList (targets: readonly Target[], former: readonly Target[] | undefined): Slices<boolean> {
  if (former?.length !== targets.length) return false
  const pace = new Pace(SLICE_TARGETS)
  for (const [at, target] of targets.entries()) {
    if (target !== former[at] && !isDeepStrictEqual(target, former[at])) return false
    if (pace.isFull()) yield
  }
  return true
}
