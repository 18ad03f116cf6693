// Runs work in slices, one in each turn of the event loop, so that requests and health are answered between two.
import { setImmediate as nextTurn } from 'node:timers/promises'
import type { Clock } from './clock.js'
import type { Slices } from './slices.js'

/** The value of `slices` when they are done. What fits into one slice is done at once. */
export async function inTurns<Value> (slices: Slices<Value>, clock: Pick<Clock, 'now'>): Promise<Value> {
  for (;;) {
    const slice = slices.next(clock.now())
    if (slice.done === true) return slice.value
    await nextTurn()
  }
}
