// How late timers of this process fire, which is how long everything that becomes ready has to wait.
import { monitorEventLoopDelay } from 'node:perf_hooks'

// A timer that is due every 10 ms: a hundred samples a second, for less than a thousandth of a core.
const RESOLUTION_MS = 10

const quantiles = [0.5, 0.99, 1] as const

export interface LoopDelay {
  /** `1` is the longest. */
  readonly quantile: string
  readonly seconds: number
}

/** Measures from now on, until the process ends. The returned function tells what was measured since it was last called. */
export function measureLoopDelay (): () => readonly LoopDelay[] {
  const histogram = monitorEventLoopDelay({ resolution: RESOLUTION_MS })
  histogram.enable()
  return () => {
    const delays = quantiles.map(quantile => ({ quantile: String(quantile), seconds: delaySeconds(histogram.percentile(quantile * 100)) }))
    histogram.reset()
    return delays
  }
}

// What is recorded is the time between two firings, in nanoseconds, so the period is taken off.
function delaySeconds (betweenNs: number): number {
  return Math.max(0, betweenNs / 1e9 - RESOLUTION_MS / 1000)
}
