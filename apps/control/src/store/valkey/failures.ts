// What the errors of iovalkey mean: for the call that had one, and for people.
import type { StoreFailure } from '../shared-store.js'

/** A call's. What was under way when its connection broke may have been done. */
export function failureOf (error: unknown): StoreFailure {
  if (!(error instanceof Error)) return 'late'
  // An answer of the server (redis-errors, ReplyError): no permission, no memory, a replica, another slot.
  if (error.name === 'ReplyError') return 'refused'
  return error.message.startsWith('Stream isn\'t writeable') ? 'down' : 'late'
}

/** What went wrong with a connection, as a clause. Servers do not repeat passwords in their errors, and nor does Node. */
export function clauseOf (error: unknown): string {
  if (!(error instanceof Error)) return 'unknown error'
  if (error instanceof AggregateError && error.errors.length > 0) return clauseOf(error.errors[0])
  // Of a cluster: none of the nodes could be asked.
  if ('lastNodeError' in error && error.lastNodeError instanceof Error) return clauseOf(error.lastNodeError)
  return error.message.replace(/\.$/, '')
}

/** Whether it only says that a request was given up, because of something that has been told already. */
export function isAftermath (error: unknown): boolean {
  return error instanceof Error && error.name === 'MaxRetriesPerRequestError'
}

/** What the server refuses us for good, as a sentence without its point; undefined for other errors. */
export function refusalOf (error: unknown, username = 'default'): string | undefined {
  if (!(error instanceof Error) || error.name !== 'ReplyError') return undefined
  // In a script it has no code of its own (seen with Redis 7.0 and Valkey 9.1).
  if (/^NOPERM|^ERR (?:The user executing the script can't|ACL failure in script)/.test(error.message)) return `the user ${username} may not do what directors need (${clauseOf(error)}): docs/kubernetes.md has the ACL`
  if (error.message.startsWith('READONLY')) return 'the server cannot be written to: sharedState.urls must name the primary'
  return undefined
}
