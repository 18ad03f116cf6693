// What becomes of sessions whose target has disappeared: `onTargetGone`. One look at every session a call, however many
// targets are gone: a fleet that is scaled down loses hundreds at once.
import { EndCause, GoneAction, type GoneActionName } from './counters.js'
import { Origin } from './session-table.js'
import type { CoreState } from './state.js'
import type { Target, TargetSpec } from './target-table.js'

/** A key whose target is gone. Another one may bear the key already: sessions that are at `stays` are on that, and stay. */
export interface GoneTarget {
  readonly key: string
  readonly stays: TargetSpec | undefined
}

/**
 * Keeps, ends or moves the sessions on targets that are gone, and tells the observer of each key that had any. Moved ones
 * go where a new client without a token would; without a candidate that is not gone itself they are kept. Returns how
 * many sessions each key has afterwards.
 */
export function leaveGoneTargets (state: CoreState, gone: readonly GoneTarget[], now: number): ReadonlyMap<string, number> {
  const { targets, counters, observer } = state
  if (gone.some(({ key }) => targets.sessionsOf(key) > 0)) {
    const places = new Map(gone.map(({ key, stays }) => [key, stays]))
    const isGone = (target: Target): boolean => places.has(target.key) && !isAt(target, places.get(target.key))
    const { action, leave } = departure(state, isGone, now)
    for (const [key, sessions] of leaveEach(state, isGone, leave, now)) {
      counters.targetsGone[GoneAction[action]]!++
      observer.targetGone(key, action, sessions)
    }
  }
  return new Map(gone.map(({ key }) => [key, targets.sessionsOf(key)]))
}

interface Departure {
  readonly action: GoneActionName
  readonly leave: (slot: number) => void
}

function departure (state: CoreState, isGone: (target: Target) => boolean, now: number): Departure {
  const { defaults, options: { onTargetGone } } = state
  if (onTargetGone === 'close') return { action: 'close', leave: slot => { state.endSession(slot, EndCause.targetGone, now) } }
  // Control says who is gone and who is a candidate in two calls: a candidate may be gone.
  const refuges = onTargetGone === 'default' ? defaults.candidates.filter(candidate => !isGone(candidate)) : []
  if (refuges.length === 0) return { action: 'keep', leave: () => {} }
  return { action: 'default', leave: slot => { state.moveSession(slot, defaults.choose(refuges)!, Origin.default, now) } }
}

// Returns how many sessions left, by key.
function leaveEach (state: CoreState, isGone: (target: Target) => boolean, leave: (slot: number) => void, now: number): ReadonlyMap<string, number> {
  const { sessions, targets } = state
  const left = new Map<string, number>()
  for (let slot = 0; slot < sessions.highWater; slot++) {
    if (!sessions.isLive(slot) || state.isExpired(slot, now)) continue
    const target = targets.get(sessions.target(slot))
    if (!isGone(target)) continue
    left.set(target.key, (left.get(target.key) ?? 0) + 1)
    leave(slot)
  }
  return left
}

function isAt (target: Target, place: TargetSpec | undefined): boolean {
  return place !== undefined && target.address === place.address && target.ports.every((port, index) => port === place.ports[index])
}
