import type { Clock } from './clock.js'

/** The machine's own clock and timers. */
export const systemClock: Clock = {
  now: () => performance.now(),
  wallNow: () => Date.now(),
  after: (delayMs, run) => {
    const timer = setTimeout(run, delayMs)
    timer.unref()
    return () => { clearTimeout(timer) }
  },
  every: (periodMs, run) => {
    const timer = setInterval(run, periodMs)
    timer.unref()
    return () => { clearInterval(timer) }
  }
}
