// How long to wait before a process that died is started again, as the kubelet does it: longer each time, and short
// again after it has run well for a while.

/** Delay before the first restart, in ms. */
export const FIRST_DELAY_MS = 500

/** Longest delay, in ms. */
export const MAX_DELAY_MS = 10_000

/** A process that ran this long, in ms, was healthy: its next delay is the first again. */
export const HEALTHY_MS = 60_000

/** The delay after a run of `uptimeMs`; `previousMs` is what this returned last time, undefined at first. */
export function restartDelay (uptimeMs: number, previousMs: number | undefined): number {
  if (previousMs === undefined || uptimeMs >= HEALTHY_MS) return FIRST_DELAY_MS
  return Math.min(previousMs * 2, MAX_DELAY_MS)
}
