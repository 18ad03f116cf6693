// How long to wait before a process that died is started again, as the kubelet does it: not at all at first, longer
// each time, and not at all again after it has run well for a while.

/** Delay before the second restart in a row, in ms. The first is at once: sessions wait for the proxy. */
export const SECOND_DELAY_MS = 500

/** Longest delay, in ms. */
export const MAX_DELAY_MS = 10_000

/** A process that ran this long, in ms, was healthy: its next delay is the first again. */
export const HEALTHY_MS = 60_000

/** The delay after a run of `uptimeMs`; `previousMs` is what this returned last time, undefined at first. */
export function restartDelay (uptimeMs: number, previousMs: number | undefined): number {
  if (previousMs === undefined || uptimeMs >= HEALTHY_MS) return 0
  return Math.min(Math.max(previousMs * 2, SECOND_DELAY_MS), MAX_DELAY_MS)
}
