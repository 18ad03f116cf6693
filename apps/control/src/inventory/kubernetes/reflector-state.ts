// What a reflector does next: pure decisions from what became of its last attempt. The rules are those of client-go's
// reflector (tools/cache/reflector.go) but for lists, which always ask for the present (resourceVersion ""), never for
// what a cache remembers: a restart must not bring dead objects back.
import type { ApiFailure, FailureReason } from './api-failure.js'
import { backOffMs, countFailure, noFailures, type Failures } from './back-off.js'

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
  | { readonly kind: 'failed', readonly failure: ApiFailure }
  /** An event nobody can make sense of: what the server holds is unknown from here. */
  | { readonly kind: 'corrupt' }

/** Why the version was given up, which only a list can replace. */
export const relistReasons = ['expired', 'corrupt', 'refused', 'unavailable', 'stuck', 'routine'] as const

export type RelistReason = typeof relistReasons[number]

export interface ReflectorState {
  /** Where the next watch starts; undefined if the next thing is a list. */
  readonly version: string | undefined
  /** When the last list began that succeeded. */
  readonly listedMs: number
  /** The next list comes in one piece, because a page of the last one expired. */
  readonly isUnpaged: boolean
  readonly failures: Failures
  /** Since when watches from `version` fail, and not one event came. */
  readonly stuckSinceMs: number | undefined
  /** The failures of the same kind at the end. */
  readonly inARow: { readonly reason: FailureReason | undefined, readonly count: number }
  /** Not there, or not for us, which was said twice in a row; until a list succeeds. */
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
}

export const initialState: ReflectorState = {
  version: undefined,
  listedMs: -Infinity,
  isUnpaged: false,
  failures: noFailures,
  stuckSinceMs: undefined,
  inARow: { reason: undefined, count: 0 },
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
/** A missing resource or permission is looked for again after this long to twice as long. */
export const UNAVAILABLE_MS = 30_000

/** After a list, begun at `listedMs`, that gave `version`. */
export function afterList (state: ReflectorState, version: string, listedMs: number): Decision {
  return { state: { ...initialState, version, listedMs, failures: state.failures }, delayMs: 0 }
}

/** After a list that failed. */
export function afterListFailure (state: ReflectorState, failure: ApiFailure, at: Moment): Decision {
  if (failure.reason === 'expired' && !state.isUnpaged) return promptly({ ...state, isUnpaged: true }, at)
  return afterFailure({ ...state, isUnpaged: false }, failure, at)
}

/** After a watch that had come to `version`. */
export function afterWatch (state: ReflectorState, version: string, outcome: WatchOutcome, at: Moment): Decision {
  const progressed = version === state.version ? state : { ...state, version, stuckSinceMs: undefined }
  switch (outcome.kind) {
    case 'ended': return afterEnd(progressed, outcome.end, outcome.lastedMs, at)
    case 'corrupt': return relist(progressed, 'corrupt', at)
    case 'failed': return afterWatchFailure(progressed, outcome.failure, at)
  }
}

function afterEnd (state: ReflectorState, end: WatchEnd, lastedMs: number, at: Moment): Decision {
  const healthy = { ...state, inARow: initialState.inARow, stuckSinceMs: undefined }
  if (lastedMs < SHORT_WATCH_MS) return later({ ...healthy, stuckSinceMs: state.stuckSinceMs }, at)
  if (at.nowMs - state.listedMs >= ROUTINE_MS) return { state: { ...healthy, version: undefined }, delayMs: SPREAD_MS * at.random, relist: 'routine' }
  // A server that stops ends all watches of all clients at once.
  return { state: healthy, delayMs: end === 'closed' || end === 'broken' ? SPREAD_MS * at.random : 0 }
}

function afterWatchFailure (state: ReflectorState, failure: ApiFailure, at: Moment): Decision {
  switch (failure.reason) {
    case 'expired': return relist(state, 'expired', at)
    case 'rejected':
    case 'malformed': return relist(state, 'refused', at)
    case 'forbidden':
    case 'not_found': return { ...afterFailure({ ...state, version: undefined }, failure, at), relist: 'unavailable' }
    case 'too_many_requests':
    case 'server_error': return afterServerFailure(state, failure, at)
    default: return afterFailure(state, failure, at)
  }
}

// The version may be what the server cannot cope with.
function afterServerFailure (state: ReflectorState, failure: ApiFailure, at: Moment): Decision {
  const stuckSinceMs = state.stuckSinceMs ?? at.nowMs
  if (at.nowMs - stuckSinceMs < STUCK_MS) return afterFailure({ ...state, stuckSinceMs }, failure, at)
  return { ...afterFailure({ ...state, version: undefined, stuckSinceMs: undefined }, failure, at), relist: 'stuck' }
}

function afterFailure (state: ReflectorState, failure: ApiFailure, at: Moment): Decision {
  const { reason, retryAfterMs = 0 } = failure
  const count = state.inARow.reason === reason ? state.inARow.count + 1 : 1
  const next = { ...state, inARow: { reason, count } }
  const backedOff = later(next, at)
  switch (reason) {
    case 'unauthorized':
      // The token may just have been rotated.
      return count === 1 ? { state: next, delayMs: 0, refresh: true } : { ...backedOff, refresh: true }
    // The kubeconfig may name another certificate or server by now.
    case 'untrusted':
    case 'unreachable':
    case 'no_credentials':
      return { ...backedOff, refresh: true }
    case 'forbidden':
    case 'not_found': {
      if (count === 1) return backedOff
      const unavailable = { state: { ...next, isUnavailable: true }, delayMs: UNAVAILABLE_MS * (1 + at.random) }
      return reason === 'not_found' ? { ...unavailable, empty: true } : unavailable
    }
    default:
      return { ...backedOff, delayMs: Math.max(backedOff.delayMs, retryAfterMs) }
  }
}

function relist (state: ReflectorState, reason: RelistReason, at: Moment): Decision {
  return { ...promptly({ ...state, version: undefined, stuckSinceMs: undefined }, at), relist: reason }
}

// At once the first time, but for a spread; like any failure if it happens again and again.
function promptly (state: ReflectorState, at: Moment): Decision {
  const decision = later(state, at)
  return decision.state.failures.count === 1 ? { ...decision, delayMs: SPREAD_MS * at.random } : decision
}

function later (state: ReflectorState, at: Moment): Decision {
  const failures = countFailure(state.failures, at.nowMs)
  return { state: { ...state, failures }, delayMs: backOffMs(failures.count, at.random) }
}
