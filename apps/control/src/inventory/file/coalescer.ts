// Makes one run of a burst of requests: editors and copies touch a file several times for one change, and a file that
// is still being written is better read when it has come to rest.
import type { Cancel, Clock } from '#core/clock.js'

export interface Coalescer {
  /** Asks for a run once nobody has asked for `quietMs`, but no later than ten times that. */
  readonly request: () => void
  /** No run starts any more; resolves when the last one is over. */
  readonly close: () => Promise<void>
}

/** Two runs never overlap: what is asked for during one starts after it. */
export function createCoalescer (clock: Clock, quietMs: number, run: () => Promise<void>): Coalescer {
  let cancel: Cancel | undefined
  let latestMs: number | undefined
  let running: Promise<void> = Promise.resolve()
  let isClosed = false

  const start = (): void => {
    cancel = undefined
    latestMs = undefined
    running = running.then(async () => { if (!isClosed) await run() })
  }
  return {
    request: () => {
      if (isClosed) return
      latestMs ??= clock.now() + quietMs * 10
      cancel?.()
      cancel = clock.after(Math.max(0, Math.min(quietMs, latestMs - clock.now())), start)
    },
    close: async () => {
      isClosed = true
      cancel?.()
      await running
    }
  }
}
