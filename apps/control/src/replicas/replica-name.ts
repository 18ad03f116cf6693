import { randomBytes } from 'node:crypto'
import { hostname } from 'node:os'

/**
 * The name of this replica, of this life of the process: the pod's, or the machine's, and a random part. A StatefulSet gives a new pod
 * the name of the old one, and two directors may run on one machine: messages and records of one must never be taken for the other's,
 * and a restarted control has forgotten what the former one knew.
 */
export function replicaName (podName: string | undefined): string {
  return `${(podName ?? hostname()).slice(0, 63)}-${randomBytes(4).toString('hex')}`
}

/** Whether two names are of the same pod, or machine: of one life of control, or of two. */
export function isSameReplica (one: string, other: string): boolean {
  return placeOf(one) === placeOf(other)
}

function placeOf (name: string): string {
  return name.slice(0, name.lastIndexOf('-'))
}
