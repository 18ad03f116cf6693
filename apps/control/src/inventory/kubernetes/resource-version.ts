// The order of resourceVersions. Since Kubernetes 1.35 those of one resource type are integers of any size that grow
// with time (KEP-5504), and etcd's always were; other storage may hand out anything, which then has no order.

const integer = /^[0-9]+$/

/** Negative if `left` is older than `right`, positive if newer, 0 if the same; undefined if nobody can say. */
export function compareVersions (left: string, right: string): number | undefined {
  if (left === right) return 0
  if (!integer.test(left) || !integer.test(right)) return undefined
  const difference = BigInt(left) - BigInt(right)
  return difference < 0n ? -1 : difference > 0n ? 1 : 0
}

/** True if `left` is known to be older than `right`. */
export function isOlder (left: string | undefined, right: string | undefined): boolean {
  return left !== undefined && right !== undefined && (compareVersions(left, right) ?? 0) < 0
}
