// How long to wait before the next attempt to reach a server: the API server, the DNS. The first delay and the doubling
// are those of client-go's reflector (tools/cache/reflector.go), which keep a herd of clients from felling a server that is
// just getting up. What an attempt costs decides how far it doubles: docs/decisions/0035.

export const FIRST_DELAY_MS = 800
/** Where an attempt costs next to nothing: refused at the door, by whoever stands there. With as much again at random, 5 s. */
export const LAST_CHEAP_DELAY_MS = 2500
/** Where it costs a list, a handshake or a credentials plugin. With as much again at random, a minute. */
export const LAST_DEAR_DELAY_MS = 30_000
/** After this long without a failure the next one counts as the first. */
export const HEALTHY_MS = 120_000

export interface Failures {
  /** In a row, without `HEALTHY_MS` between them. */
  readonly count: number
  /** When the last of them was, on the monotonic clock. */
  readonly lastMs: number
}

export const noFailures: Failures = { count: 0, lastMs: -Infinity }

/** One more failure at `nowMs`. */
export function countFailure ({ count, lastMs }: Failures, nowMs: number): Failures {
  return { count: nowMs - lastMs > HEALTHY_MS ? 1 : count + 1, lastMs: nowMs }
}

/** Milliseconds to wait after `count` failures in a row (1 and up): d to 2 d, where d is 0.8 s, doubling up to `lastMs`. `random` is in [0, 1). */
export function backOffMs (count: number, random: number, lastMs: number): number {
  return Math.min(lastMs, FIRST_DELAY_MS * 2 ** Math.min(count - 1, 16)) * (1 + random)
}
