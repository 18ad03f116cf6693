// Time across lives of the process. A core counts its time from the start of its thread, so what is saved is in that time,
// and every batch says which moment it was on the clocks that go on: the machine's, which nobody sets, and the wall's.
//
//   f64 ms of the life │ f64 ms since the machine started, -1 if unknown │ f64 ms since the Unix epoch
import type { Clock } from '#core/clock.js'

export interface Moment {
  readonly lifeMs: number
  readonly bootMs: number
  readonly wallMs: number
}

export const MOMENT_BYTES = 24

// What one reading of the machine's clock may differ from another.
const READING_MS = 1000

// The last moment there is a date for, in ms since the epoch (ECMA-262 §21.4.1.1): no time is farther away from anything.
const FARTHEST_MS = 8.64e15

export function writeMoment (view: DataView, at: number, { lifeMs, bootMs, wallMs }: Moment): void {
  view.setFloat64(at, lifeMs, true)
  view.setFloat64(at + 8, bootMs, true)
  view.setFloat64(at + 16, wallMs, true)
}

export function readMoment (view: DataView, at: number): Moment {
  return { lifeMs: view.getFloat64(at, true), bootMs: view.getFloat64(at + 8, true), wallMs: view.getFloat64(at + 16, true) }
}

/** Whether this can be a time at all; one of a life may lie before its start. */
export function isTime (ms: number): boolean {
  return Math.abs(ms) <= FARTHEST_MS
}

export function isMoment ({ lifeMs, bootMs, wallMs }: Moment): boolean {
  return isTime(lifeMs) && isTime(bootMs) && isTime(wallMs)
}

/**
 * How long ago a moment of another life was, in ms; never negative. A machine that was started anew, or is another one,
 * has only the wall's clock to tell by: so it is with a machine's clock that went back, as it does in a container that
 * has an uptime of its own.
 * @param bootId of the machine's start when the moment was noted
 */
export function elapsedSince ({ bootMs, wallMs }: Moment, bootId: string | undefined, { boot, wallNow }: Pick<Clock, 'boot' | 'wallNow'>): number {
  const now = boot()
  const isSameStart = now !== undefined && now.id === bootId && bootMs >= 0 && now.nowMs > bootMs - READING_MS
  return Math.max(0, isSameStart ? now.nowMs - bootMs : wallNow() - wallMs)
}
