/** What comes next, `most` at most; the rest stays where it is. */
export function nextOf<Value> (values: Iterator<Value, unknown>, most: number): Value[] {
  const taken: Value[] = []
  while (taken.length < most) {
    const next = values.next()
    if (next.done === true) break
    taken.push(next.value)
  }
  return taken
}
