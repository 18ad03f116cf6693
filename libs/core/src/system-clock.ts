import { readFileSync } from 'node:fs'
import { uptime } from 'node:os'
import type { Clock } from './clock.js'

const bootId = readBootId()

/** The machine's own clock and timers. */
export const systemClock: Clock = {
  now: () => performance.now(),
  wallNow: () => Date.now(),
  // On Linux what /proc/uptime says: CLOCK_BOOTTIME (proc_uptime(5), clock_gettime(2)).
  boot: () => bootId === undefined ? undefined : { id: bootId, nowMs: uptime() * 1000 },
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

// A UUID that the kernel makes when it starts (random(4)); containers of one machine see the same.
function readBootId (): string | undefined {
  try {
    return readFileSync('/proc/sys/kernel/random/boot_id', 'latin1').trim()
  } catch { // ENOENT: not Linux, or no /proc
    return undefined
  }
}
