// A Clock that stands still until a test moves it. Timers run in the order they are due, each at its own moment, as
// they would on a real clock: what a timer schedules while time moves runs too if it is due by then.
import type { Cancel, Clock } from '#core/clock.js'

export interface FakeClock extends Clock {
  /** Moves time forward by `ms`, running every timer that falls due on the way. Throws on a negative or endless span. */
  readonly advance: (ms: number) => void
  /** Timers waiting now: a test of a `close` expects none to be left. */
  readonly pending: () => number
}

interface Timer {
  readonly order: number
  readonly periodMs: number | undefined
  readonly run: () => void
  dueMs: number
}

/** What `wallNow` says when `now` says 0: 2024-01-01T00:00:00Z. */
export const FAKE_EPOCH_MS = 1_704_067_200_000

/** What `boot` says when `now` says 0: an hour. */
const FAKE_UPTIME_MS = 3_600_000

/** A clock at `startMs` whose wall time runs in step with it, from `FAKE_EPOCH_MS`. */
export function createFakeClock (startMs = 0): FakeClock {
  const timers = new Set<Timer>()
  let nowMs = startMs
  let made = 0

  const add = (delayMs: number, periodMs: number | undefined, run: () => void): Cancel => {
    const timer: Timer = { order: made++, periodMs, run, dueMs: nowMs + Math.max(0, delayMs) }
    timers.add(timer)
    return () => { timers.delete(timer) }
  }

  const fire = (timer: Timer): void => {
    nowMs = timer.dueMs
    if (timer.periodMs === undefined) timers.delete(timer)
    else timer.dueMs += timer.periodMs
    timer.run()
  }

  return {
    now: () => nowMs,
    wallNow: () => FAKE_EPOCH_MS + nowMs,
    boot: () => ({ id: 'fake-boot', nowMs: FAKE_UPTIME_MS + nowMs }),
    after: (delayMs, run) => add(delayMs, undefined, run),
    // A period of 0 would never let `advance` end; Node's setInterval makes 1 ms of it too.
    every: (periodMs, run) => add(Math.max(1, periodMs), Math.max(1, periodMs), run),
    advance: ms => {
      if (!(ms >= 0 && ms < Infinity)) throw new RangeError(`advance(${String(ms)}): time only moves forward`)
      const endMs = nowMs + ms
      for (let due = earliest(timers, endMs); due !== undefined; due = earliest(timers, endMs)) fire(due)
      nowMs = endMs
    },
    pending: () => timers.size
  }
}

function earliest (timers: ReadonlySet<Timer>, endMs: number): Timer | undefined {
  let first: Timer | undefined
  for (const timer of timers) {
    if (timer.dueMs > endMs) continue
    if (first === undefined || timer.dueMs < first.dueMs || (timer.dueMs === first.dueMs && timer.order < first.order)) first = timer
  }
  return first
}
