/** What the store is told in one go: a few milliseconds of this thread. */
export const BATCH = 2000

/** The same values, up to `most` at a time; each batch is read when it is its turn. */
export function * inBatches<Value> (values: Iterable<Value>, most = BATCH): Generator<Value[]> {
  let batch: Value[] = []
  for (const value of values) {
    batch.push(value)
    if (batch.length < most) continue
    yield batch
    batch = []
  }
  if (batch.length > 0) yield batch
}
