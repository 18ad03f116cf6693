// How long to wait before the next attempt: doubling, bounded, with half of it random so that restarts do not march in step.

const FIRST_MS = 50
const LAST_MS = 2000

/** Milliseconds to wait after `failures` attempts in a row that failed (1 and up): 50 ms … 2 s, less up to half. `random` is in [0, 1). */
export function backOffMs (failures: number, random: number): number {
  const full = Math.min(LAST_MS, FIRST_MS * 2 ** Math.min(failures - 1, 16))
  return full * (1 - random / 2)
}
