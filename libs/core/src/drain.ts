// Waits until sessions and tokens are gone, or until a deadline. Control and the proxy both do it; each counts in its own way.
import type { Clock } from './clock.js'

/** What a drain waits for. */
export interface DrainLeft {
  readonly sessions: number
  /** Tokens that nobody has redeemed yet and that still can be. */
  readonly unredeemedTokens: number
}

/** `empty`: nothing is left. `timeout`: its time is over. `alone`: nobody is there any more to wait for. */
export type DrainOutcome = 'empty' | 'timeout' | 'alone'

export interface DrainOptions {
  readonly clock: Clock
  /** When it ends in any case, in ms of the clock. */
  readonly untilMs: number
  /** Looks what is left; undefined if that cannot be known now, `alone` if there is nothing to wait for. */
  readonly look: () => Promise<DrainLeft | undefined | 'alone'>
  /** Every 10 s; undefined as long as nothing could be known. */
  readonly onProgress: (left: DrainLeft | undefined) => void
}

export interface DrainEnd {
  readonly outcome: DrainOutcome
  /** As of the last look; undefined if it never could be known. */
  readonly left: DrainLeft | undefined
}

/** How often to look, in ms: a count is a walk over the session table. */
export const DRAIN_LOOK_MS = 1000

/** How often progress is told, in ms. */
export const DRAIN_PROGRESS_MS = 10_000

/** Resolves when nothing is left, or when the time is over. */
export async function drain ({ clock, untilMs, look, onProgress }: DrainOptions): Promise<DrainEnd> {
  let left: DrainLeft | undefined
  let tellAtMs = clock.now() + DRAIN_PROGRESS_MS
  for (;;) {
    if (clock.now() >= untilMs) return { outcome: 'timeout', left }
    const seen = await look()
    if (seen === 'alone') return { outcome: 'alone', left }
    left = seen ?? left
    if (seen?.sessions === 0 && seen.unredeemedTokens === 0) return { outcome: 'empty', left }
    if (clock.now() >= tellAtMs) {
      onProgress(left)
      tellAtMs += DRAIN_PROGRESS_MS
    }
    const pauseMs = Math.min(DRAIN_LOOK_MS, Math.max(0, untilMs - clock.now()))
    await new Promise<void>(resolve => { clock.after(pauseMs, resolve) })
  }
}
