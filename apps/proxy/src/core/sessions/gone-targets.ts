// What becomes of sessions whose target is gone: `onTargetGone`. A call looks at every session once, however many targets
// are gone, because a fleet that is scaled down loses hundreds at once. It works in slices. Between them datagrams go on,
// also those of sessions that a later slice will end or move.
import type { Slices } from '#core/slices.js'
import { EndCause, GoneAction, type GoneActionName } from '../ledger/counters.js'
import { defaultSlice, SliceWork } from '../tables/slice-size.js'
import { Origin } from '../tables/session-table.js'
import type { SessionState } from './session-state.js'
import type { HeldTarget, TargetSpec } from '../tables/target-table.js'

/** A key whose target is gone, or is only at `stays`: sessions that are there stay. */
export interface GoneKey {
  readonly key: string
  readonly stays: TargetSpec | undefined
}

/**
 * Keeps, ends or moves the sessions on targets that are gone, and tells the observer of each key that had any. Moved ones
 * go where a new client without a token would; without a candidate that is not gone itself they are kept. Its value is
 * how many sessions each key has afterwards.
 */
export function * leaveGoneTargets (state: SessionState, gone: readonly GoneKey[], startedAt: number): Slices<ReadonlyMap<string, number>> {
  const { targets } = state
  if (gone.some(({ key }) => targets.sessionsOf(key) > 0)) {
    const places = new Map(gone.map(({ key, stays }) => [key, stays]))
    const isGone = (target: HeldTarget): boolean => places.has(target.key) && !isAt(target, places.get(target.key))
    yield * leaveEach(state, isGone, startedAt)
  }
  return new Map(gone.map(({ key }) => [key, targets.sessionsOf(key)]))
}

// A look here finds a target and then its key: it takes this many times as long as a look elsewhere.
const COST = 8

function * leaveEach (state: SessionState, isGone: (target: HeldTarget) => boolean, startedAt: number): Slices<undefined> {
  const { sessions, targets } = state
  const reports = new Reports(state)
  let candidates = state.defaults.candidates
  let departure = departureFrom(state, isGone)
  let now = startedAt
  const work = new SliceWork(state.options.slice ?? defaultSlice)
  for (let slot = 0; slot < sessions.highWater; slot++) {
    if (state.isLive(slot, now)) {
      const target = targets.get(sessions.target(slot))
      if (isGone(target)) {
        reports.add(departure.action, target.key)
        departure.leave(slot, now)
        work.change()
      }
    }
    work.add(COST)
    if (!work.isOver()) continue
    now = yield
    // A candidate of the slice before may have been released.
    if (state.defaults.candidates !== candidates) departure = departureFrom(state, isGone)
    candidates = state.defaults.candidates
  }
  reports.tell()
  return undefined
}

interface Departure {
  readonly action: GoneActionName
  readonly leave: (slot: number, now: number) => void
}

function departureFrom (state: SessionState, isGone: (target: HeldTarget) => boolean): Departure {
  const { defaults, options: { onTargetGone } } = state
  if (onTargetGone === 'close') return { action: 'close', leave: (slot, now) => { state.endSession(slot, EndCause.targetGone, now) } }
  // Control says who is gone and who is a candidate in two calls: a candidate may be gone.
  const refuges = onTargetGone === 'default' ? defaults.candidates.filter(candidate => !isGone(candidate)) : []
  if (refuges.length === 0) return { action: 'keep', leave: () => {} }
  return { action: 'default', leave: (slot, now) => { state.moveSession(slot, defaults.choose(refuges)!, Origin.default, now) } }
}

// How many sessions left, by what was done with them and by key.
class Reports {
  readonly #state: SessionState
  readonly #left = new Map<GoneActionName, Map<string, number>>()

  constructor (state: SessionState) {
    this.#state = state
  }

  add (action: GoneActionName, key: string): void {
    const left = this.#left.get(action) ?? new Map<string, number>()
    this.#left.set(action, left)
    left.set(key, (left.get(key) ?? 0) + 1)
  }

  tell (): void {
    const { counters, observer } = this.#state
    for (const [action, left] of this.#left) {
      for (const [key, sessions] of left) {
        counters.targetsGone[GoneAction[action]]!++
        observer.targetGone(key, action, sessions)
      }
    }
  }
}

function isAt (target: HeldTarget, place: TargetSpec | undefined): boolean {
  return place !== undefined && target.address === place.address && target.ports.every((port, index) => port === place.ports[index])
}
