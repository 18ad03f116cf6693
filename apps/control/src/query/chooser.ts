// From a selection to one target, at a bounded cost. A cheap search is done at once; a costly one in slices, so that health and
// everybody else's queries are answered in between.
import type { Config, Selection } from '#config/schema.js'
import type { Clock } from '#core/clock.js'
import { err, ok, type Result } from '#core/result.js'
import { Work } from '#jsonpath/work.js'
import type { Target } from '#rpc/contract.js'
import type { Tables } from '#telemetry/tables.js'
import { MAX_JOBS, Turns } from './turns.js'
import { WorkBudget } from './work-budget.js'
import type { Balancer } from './balancer.js'
import type { Candidate } from '../targets/candidate.js'
import type { ChooseFailure } from './query-failure.js'
import { SLICE_WORK } from './search.js'
import type { Selector } from './selector.js'

export interface ChooserDeps {
  readonly config: { readonly limits: Pick<Config['limits'], 'maxCallers' | 'maxQueryWork' | 'queryWorkPerSecond'> }
  readonly clock: Pick<Clock, 'now'>
  /** Calls `run` in the next turn of the event loop. */
  readonly soon: (run: () => void) => void
  readonly selector: Pick<Selector, 'select' | 'search' | 'recheck'>
  readonly balancer: Pick<Balancer, 'wanted' | 'choose'>
  readonly tables: Pick<Tables, 'add'>
  /** Called when a caller has used up `limits.queryWorkPerSecond`. */
  readonly onRefused: () => void
}

/** How many candidates of a search may turn out to be gone or changed before the query is given up. */
export const MAX_STALE = 16

/** The target for a query. */
export type Chosen = Result<Target, ChooseFailure>

export class Chooser {
  readonly #deps: ChooserDeps
  readonly #turns: Turns
  readonly #budget: WorkBudget

  constructor (deps: ChooserDeps) {
    const { maxCallers, queryWorkPerSecond } = deps.config.limits
    this.#deps = deps
    this.#turns = new Turns(deps.soon)
    this.#budget = new WorkBudget(deps.clock, queryWorkPerSecond, maxCallers)
    deps.tables.add('searches', MAX_JOBS, () => this.#turns.jobs)
    deps.tables.add('callers_work', maxCallers, () => this.#budget.size)
  }

  /**
   * The target for a query of `caller`. Fails with RATE_LIMITED if the caller has used up `limits.queryWorkPerSecond`, with
   * QUERY_TOO_COSTLY beyond `limits.maxQueryWork`, with CAPACITY_EXHAUSTED if too many searches are under way.
   */
  choose (selection: Selection, caller: string): Chosen | Promise<Chosen> {
    const { selector, balancer, onRefused, config: { limits: { maxQueryWork, queryWorkPerSecond } } } = this.#deps
    if (this.#budget.isSpent(caller)) {
      onRefused()
      return err({ code: 'RATE_LIMITED', detail: `limits.queryWorkPerSecond is reached: ${queryWorkPerSecond} a second.` })
    }
    const work = new Work(Math.min(SLICE_WORK, maxQueryWork))
    const found = selector.select(selection, balancer.wanted, work)
    this.#budget.spend(caller, work.spent)
    if (found === undefined) return this.#search(selection, caller)
    return found.ok ? this.#pick(found.value) : found
  }

  async #search (selection: Selection, caller: string): Promise<Chosen> {
    const { selector, balancer, clock, config: { limits } } = this.#deps
    const job = this.#turns.enter(caller)
    if (job === undefined) return err({ code: 'CAPACITY_EXHAUSTED', detail: `${MAX_JOBS} costly queries are under way at once.` })
    try {
      const work = new Work(limits.maxQueryWork)
      const search = selector.search(selection, balancer.wanted, work)
      for (;;) {
        await job.turn()
        const before = work.spent
        const slice = search.next(clock.now())
        this.#budget.spend(caller, work.spent - before)
        if (slice.done === true) return slice.value.ok ? this.#pickUnchanged(selection, slice.value.value) : slice.value
      }
    } finally {
      job.leave()
    }
  }

  // Objects may have changed between two slices.
  #pickUnchanged (selection: Selection, candidates: readonly Candidate[]): Chosen {
    let left = candidates
    for (let stale = 0; stale < MAX_STALE; stale++) {
      const chosen = this.#deps.balancer.choose(left)
      if (chosen === undefined) break
      const now = this.#deps.selector.recheck(selection, chosen.object.metadata.name)
      if (now !== undefined) return ok(now.target)
      left = left.filter(candidate => candidate !== chosen)
    }
    return left.length === 0 ? err(changed) : this.#noCapacity(left)
  }

  #pick (candidates: readonly Candidate[]): Chosen {
    const chosen = this.#deps.balancer.choose(candidates)
    return chosen === undefined ? this.#noCapacity(candidates) : ok(chosen.target)
  }

  #noCapacity (candidates: readonly Candidate[]): Chosen {
    return err({ code: 'NO_CAPACITY', detail: `${candidates.length} objects match, and none of them has a free place.` })
  }
}

const changed: ChooseFailure = { code: 'NO_MATCHING_RESOURCE', detail: 'Every object that matched was gone or had changed before the search was over.' }
