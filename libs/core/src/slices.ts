// Long work in slices. Code that walks over a table yields after a bounded part of it, and its runner lets everything else
// have a turn before the next slice: a datagram waits for a slice, never for a table.

/** Work that yields after each slice, and is given the time at which the next one begins. It has a value when it is done. */
export type Slices<Value> = Generator<undefined, Value, number>

/** Runs all slices in one go, as if no time passed: where nothing waits meanwhile. */
export function whole<Value> (slices: Slices<Value>, now: number): Value {
  for (;;) {
    const slice = slices.next(now)
    if (slice.done === true) return slice.value
  }
}
