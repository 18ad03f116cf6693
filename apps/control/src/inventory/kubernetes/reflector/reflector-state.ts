// What a reflector does next: pure decisions from what became of its last attempt. The rules are those of client-go's
// reflector (tools/cache/reflector.go) but for lists, which always ask for the present (resourceVersion ""), never for
// what a cache remembers: a restart must not bring dead objects back.
import type { ApiFailure, FailureReason } from '../api/api-failure.js'
import { backOffMs, countFailure, FIRST_DELAY_MS, LAST_CHEAP_DELAY_MS, LAST_DEAR_DELAY_MS, noFailures, type Failures } from '#core/back-off.js'
import type { Verb } from '../api/describe-fault.js'

/** Why a watch ended that nothing was wrong with. */
export const watchEnds = [
  /** By the server, when the time we had asked for was over. */
  'timed_out',
  /** By the server, before. */
  'closed',
  /** In the middle of a line, or of a packet. */
  'broken',
  /** By us: silent for too long. */
  'idle',
  /** By us: open for longer than we had asked for. */
  'overdue'
] as const

export type WatchEnd = typeof watchEnds[number]

export type WatchOutcome =
  | { readonly kind: 'ended', readonly end: WatchEnd, readonly lastedMs: number }
  | { readonly kind: 'failed', readonly failure: ApiFailure, readonly lastedMs: number }
  /** An event nobody can make sense of: what the server holds is unknown from here. */
  | { readonly kind: 'corrupt', readonly lastedMs: number }

/** Why the version was given up, which only a list can replace. */
export const relistReasons = ['expired', 'corrupt', 'refused', 'unavailable', 'stuck', 'routine'] as const

export type RelistReason = typeof relistReasons[number]

/** Not there, or not for us, which was said again and again since. */
export interface Denial {
  readonly verb: Verb
  readonly reason: FailureReason
  readonly sinceMs: number
  readonly count: number
}

export interface ReflectorState {
  /** Where the next watch starts; undefined if the next thing is a list. */
  readonly version: string | undefined
  /** When the last list began that succeeded. */
  readonly listedMs: number
  /** When it was whole. */
  readonly heldSinceMs: number
  /** The next list comes in one piece, because a page of the last one expired. */
  readonly isUnpaged: boolean
  /** Until a list succeeds or a watch settles. */
  readonly failures: Failures
  /** Versions given up in a row, because a new list should help. Whether it did is known only when its version has been of use for a while. */
  readonly relists: Failures
  /** Since when watches from `version` fail, and not one event came. */
  readonly stuckSinceMs: number | undefined
  /** The failures of the same kind at the end. */
  readonly inARow: { readonly reason: FailureReason | undefined, readonly count: number }
  /** Until the server says anything else. */
  readonly denial: Denial | undefined
  /** A denied list that is believed; until a list succeeds. */
  readonly isUnavailable: boolean
}

export interface Moment {
  readonly nowMs: number
  /** Uniform in [0, 1). */
  readonly random: number
}

export interface Decision {
  readonly state: ReflectorState
  /** How long to wait before the next attempt. */
  readonly delayMs: number
  /** The credentials must be read again. */
  readonly refresh?: true
  /** The resource is gone for certain: so are its objects. */
  readonly empty?: true
  /** The version was given up. */
  readonly relist?: RelistReason
  /** It may not be a real failure: nothing is said of it yet. */
  readonly unsure?: true
}

export const initialState: ReflectorState = {
  version: undefined,
  listedMs: -Infinity,
  heldSinceMs: -Infinity,
  isUnpaged: false,
  failures: noFailures,
  relists: noFailures,
  stuckSinceMs: undefined,
  inARow: { reason: undefined, count: 0 },
  denial: undefined,
  isUnavailable: false
}

/** A watch that ends sooner than this is a failure: something between us and the server ends them all. */
export const SHORT_WATCH_MS = 1000
/** How long a server may fail at one version before we take another one. */
export const STUCK_MS = 60_000
/** Spread of what many clients would otherwise do in the same moment. */
export const SPREAD_MS = 500
/**
 * After this long the next watch begins with a list: the net under faults that no watch shows, such as a storage that
 * was restored from a backup, whose server waits for our version to come.
 */
export const ROUTINE_MS = 600_000
/**
 * For so long 403 and 404 are not believed by those who have read the resource before: a server that starts says 403
 * until it has read its roles, and a load balancer without a server may say 404.
 */
export const DENIED_MS = 10_000
/** A missing resource or permission is looked for again after this long to twice as long, in the end. */
export const UNAVAILABLE_MS = 30_000

/** After a list, begun at `listedMs`, that gave `version` at `heldSinceMs`. */
export function afterList ({ relists, denial }: ReflectorState, version: string, listedMs: number, heldSinceMs = listedMs): Decision {
  // To be let in to lists says nothing of watches.
  return { state: { ...initialState, version, listedMs, heldSinceMs, relists, denial: denial?.verb === 'watch' ? denial : undefined }, delayMs: 0 }
}

/** After a list that failed. */
export function afterListFailure (state: ReflectorState, failure: ApiFailure, at: Moment): Decision {
  // If a list took longer than its version was kept, nobody is at fault.
  if (failure.reason !== 'expired') return afterFailure({ ...state, isUnpaged: false }, 'list', failure, at)
  const decision = state.isUnpaged ? afterFailure({ ...state, isUnpaged: false }, 'list', failure, at) : promptly({ ...state, isUnpaged: true }, at)
  return { ...decision, unsure: true }
}

/** After a watch that had come to `version`. */
export function afterWatch (state: ReflectorState, version: string, outcome: WatchOutcome, at: Moment): Decision {
  const progressed = version === state.version ? state : { ...state, version, stuckSinceMs: undefined }
  const next = outcome.lastedMs < SHORT_WATCH_MS ? progressed : { ...progressed, ...healthy }
  switch (outcome.kind) {
    case 'ended': return afterEnd(next, outcome.end, outcome.lastedMs, at)
    case 'corrupt': return relist(next, 'corrupt', at)
    case 'failed': return afterWatchFailure(next, outcome.failure, at)
  }
}

const healthy = { failures: noFailures, inARow: initialState.inARow, stuckSinceMs: undefined, denial: undefined }

function afterEnd (state: ReflectorState, end: WatchEnd, lastedMs: number, at: Moment): Decision {
  if (lastedMs < SHORT_WATCH_MS) return later({ ...state, inARow: initialState.inARow, denial: undefined }, at)
  if (at.nowMs - state.listedMs >= ROUTINE_MS) return { state: { ...state, version: undefined }, delayMs: SPREAD_MS * at.random, relist: 'routine' }
  // A server that stops ends all watches of all clients at once.
  return { state, delayMs: end === 'closed' || end === 'broken' ? SPREAD_MS * at.random : 0 }
}

function afterWatchFailure (state: ReflectorState, failure: ApiFailure, at: Moment): Decision {
  switch (failure.reason) {
    case 'expired': return { ...relist(state, 'expired', at), unsure: true }
    case 'rejected':
    case 'malformed': return relist(state, 'refused', at)
    case 'too_many_requests':
    case 'server_error': return afterServerFailure(state, failure, at)
    default: return afterFailure(state, 'watch', failure, at)
  }
}

// The version may be what the server cannot cope with.
function afterServerFailure (state: ReflectorState, failure: ApiFailure, at: Moment): Decision {
  const stuckSinceMs = state.stuckSinceMs ?? at.nowMs
  if (at.nowMs - stuckSinceMs < STUCK_MS) return afterFailure({ ...state, stuckSinceMs }, 'watch', failure, at)
  return { ...afterFailure({ ...state, version: undefined, stuckSinceMs: undefined }, 'watch', failure, at), relist: 'stuck' }
}

function afterFailure (state: ReflectorState, verb: Verb, failure: ApiFailure, at: Moment): Decision {
  const { reason, retryAfterMs } = failure
  const count = state.inARow.reason === reason ? state.inARow.count + 1 : 1
  const next = { ...state, inARow: { reason, count } }
  if (reason === 'forbidden' || reason === 'not_found') return afterDenial(next, verb, reason, at)
  const backedOff = later({ ...next, denial: undefined }, at)
  // What is dear is counted by itself: a server that starts has failed in cheap ways before.
  const dearMs = backOffMs(count, at.random, LAST_DEAR_DELAY_MS)
  switch (reason) {
    case 'unauthorized':
      // The token may just have been rotated.
      return count === 1 ? { ...backedOff, delayMs: 0, refresh: true, unsure: true } : { ...backedOff, delayMs: backOffMs(count - 1, at.random, LAST_DEAR_DELAY_MS), refresh: true }
    // The kubeconfig may name another certificate or server by now.
    case 'untrusted':
    case 'no_credentials': return { ...backedOff, delayMs: dearMs, refresh: true }
    case 'unreachable': return { ...backedOff, ...failure.isPartial === true ? { delayMs: dearMs } : {}, refresh: true }
    case 'expired':
    case 'malformed': return { ...backedOff, delayMs: dearMs }
    default: return { ...backedOff, delayMs: retryAfterMs ?? (failure.isPartial === true ? dearMs : backedOff.delayMs) }
  }
}

// Asked for again soon, until it has been said for long enough; then more and more rarely.
function afterDenial (state: ReflectorState, verb: Verb, reason: 'forbidden' | 'not_found', at: Moment): Decision {
  const before = state.denial?.reason === reason ? state.denial : { sinceMs: at.nowMs, count: 0 }
  const denial = { verb, reason, sinceMs: before.sinceMs, count: before.count + 1 }
  const backedOff = later({ ...state, denial }, at)
  if (!isBelieved(state, denial, at)) return { ...backedOff, unsure: true }
  // As long as it has lasted.
  const delayMs = Math.min(UNAVAILABLE_MS, Math.max(FIRST_DELAY_MS, at.nowMs - denial.sinceMs)) * (1 + at.random)
  // Lists may be allowed where watches are not.
  if (verb === 'watch') {
    const isListed = state.listedMs > denial.sinceMs
    return { state: { ...backedOff.state, version: undefined, stuckSinceMs: undefined }, delayMs: isListed ? delayMs : backedOff.delayMs, relist: 'unavailable' }
  }
  const unavailable = { state: { ...backedOff.state, isUnavailable: true }, delayMs }
  return reason === 'not_found' ? { ...unavailable, empty: true } : unavailable
}

function isBelieved ({ isUnavailable, listedMs }: ReflectorState, { count, sinceMs }: Denial, { nowMs }: Moment): boolean {
  return isUnavailable || (count > 1 && (listedMs === -Infinity || nowMs - sinceMs >= DENIED_MS))
}

// It is lists that must be rare: what has passed since the last one is waited already, and one that was of use for as long
// as the longest wait starts the count over. A server that restarts again and again forgets our version each time.
function relist (state: ReflectorState, reason: RelistReason, at: Moment): Decision {
  const heldMs = at.nowMs - state.heldSinceMs
  const relists = heldMs < LAST_DEAR_DELAY_MS ? state.relists : noFailures
  const next = promptly({ ...state, version: undefined, stuckSinceMs: undefined, relists }, at)
  return { ...next, delayMs: Math.max(SPREAD_MS * at.random, next.delayMs - heldMs), relist: reason }
}

// At once the first time, but for a spread; more and more rarely if it happens again and again, whatever succeeds in between.
function promptly (state: ReflectorState, at: Moment): Decision {
  const relists = countFailure(state.relists, at.nowMs)
  const delayMs = relists.count === 1 ? SPREAD_MS * at.random : backOffMs(relists.count - 1, at.random, LAST_DEAR_DELAY_MS)
  return { state: { ...state, relists }, delayMs }
}

function later (state: ReflectorState, at: Moment): Decision {
  const failures = countFailure(state.failures, at.nowMs)
  return { state: { ...state, failures }, delayMs: backOffMs(failures.count, at.random, LAST_CHEAP_DELAY_MS) }
}
