// Keeps the proxy's candidates for the default endpoint in step with the inventory, and spends little of the time on it:
// all that match are looked at each time, which may be thousands, while any of them may change at any moment.
import { isDeepStrictEqual } from 'node:util'
import type { BaseLogger } from 'pino'
import type { Config, Selection } from '#config/schema.js'
import type { Cancel, Clock } from '#core/clock.js'
import type { Target } from '#rpc/contract.js'
import type { Inventory, InventoryChange } from '../../inventory/objects/inventory.js'
import { SERVICES_TYPE } from '../../inventory/objects/resource-types.js'
import type { Balancer } from '../../query/balancer.js'
import type { Selector } from '../../query/selector.js'

export interface DefaultEndpointOptions {
  readonly config: Pick<Config, 'defaultEndpoint'>
  readonly inventory: Pick<Inventory, 'onChange'>
  readonly selector: Pick<Selector, 'select'>
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

/** After an evaluation the next one waits for so many times what it took: a fiftieth of the time is spent on them. */
export const PAUSE_PER_COST = 50
/** But not for longer than this, in milliseconds: an object that is gone must not be a candidate a second later. */
export const MAX_PAUSE_MS = 500

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
  #cancel: Cancel | undefined
  readonly #waiters: Array<() => void> = []

  constructor (options: DefaultEndpointOptions, selection: Selection) {
    this.#options = options
    this.#selection = selection
    this.#stopListening = options.inventory.onChange(changes => { if (changes.some(change => this.#concerns(change))) this.#evaluateSoon() })
    this.#evaluate()
  }

  get count (): number {
    return this.#targets?.length ?? 0
  }

  async upToDate (): Promise<void> {
    // Listeners of one change are called one after the other: this one may be the last.
    await Promise.resolve()
    if (this.#cancel !== undefined) await new Promise<void>(resolve => { this.#waiters.push(resolve) })
  }

  close (): void {
    this.#stopListening()
    this.#cancel?.()
    this.#cancel = undefined
    this.#release()
  }

  #release (): void {
    for (const resolve of this.#waiters.splice(0)) resolve()
  }

  #concerns ({ resourceType, namespace }: InventoryChange): boolean {
    return namespace === this.#selection.namespace && (resourceType === this.#selection.resourceType || resourceType === SERVICES_TYPE)
  }

  #evaluateSoon (): void {
    if (this.#cancel !== undefined) return
    const { clock } = this.#options
    const delayMs = this.#earliestMs - clock.now()
    if (delayMs <= 0) this.#evaluate()
    else {
      this.#cancel = clock.after(delayMs, () => {
        this.#cancel = undefined
        this.#evaluate()
        this.#release()
      })
    }
  }

  #evaluate (): void {
    const { selector, balancer, clock, setTargets } = this.#options
    const startedMs = clock.now()
    const found = selector.select(this.#selection)
    const targets = found.ok ? balancer.ordered(found.value).map(({ target }) => target) : []
    this.#report(targets, found.ok ? 'NO_MATCHING_RESOURCE' : found.error.code)
    if (!isSameList(targets, this.#targets)) setTargets(targets)
    this.#targets = targets
    const endedMs = clock.now()
    this.#earliestMs = endedMs + Math.min(MAX_PAUSE_MS, PAUSE_PER_COST * (endedMs - startedMs))
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
function isSameList (targets: readonly Target[], former: readonly Target[] | undefined): boolean {
  return former?.length === targets.length && targets.every((target, at) => target === former[at] || isDeepStrictEqual(target, former[at]))
}
