// How many values a document has, without looking at more of them than it may have. Pure.

/** Whether `document` has more than `max` values: itself, and all that are in its objects and lists. */
export function hasMoreValues (document: unknown, max: number): boolean {
  // Not by recursion: a document may be as deep as it is long.
  const open: unknown[] = [document]
  let count = 1
  for (let value = open.pop(); value !== undefined; value = open.pop()) {
    if (typeof value !== 'object' || value === null) continue
    for (const inner of Array.isArray(value) ? value as unknown[] : valuesOf(value)) {
      if (++count > max) return true
      open.push(inner)
    }
  }
  return false
}

// One by one: a list of thousands of values would be made for nothing.
function * valuesOf (value: object): Iterable<unknown> {
  for (const name in value) yield (value as Record<string, unknown>)[name]
}
