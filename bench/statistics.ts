/** The smallest of `sorted` that so many percent are not above (nearest rank); NaN of none. */
export function percentile (sorted: ArrayLike<number>, percent: number): number {
  return sorted[Math.max(0, Math.ceil(sorted.length * percent / 100) - 1)] ?? NaN
}

/** The middle of `values`, or the mean of the two that are; NaN of none. */
export function median (values: readonly number[]): number {
  const sorted = values.toSorted((left, right) => left - right)
  const middle = sorted.length / 2
  return (percentile(sorted, 50) + (sorted[Math.floor(middle)] ?? NaN)) / 2
}
