// What is wrong with a source, in words that name verb, resource and namespace, and what helps.
import type { ApiFailure, FailureReason } from './api-failure.js'
import { apiVersionOf, type Source } from './source.js'

export type Verb = 'list' | 'watch'

/** `summary` stays the same while the cause does; `detail` is what the server or the system said this time. */
export interface SourceFault {
  readonly summary: string
  readonly detail: string
}

/**
 * The words for `failure`. Where all sources suffer from the same, as when the server is down, the summary names none
 * of them: it is the same for all, and can be said once.
 */
export function describeFault (verb: Verb, source: Source, { reason, detail }: ApiFailure): SourceFault {
  const common = commonCauses[reason]
  return { summary: common ?? `Cannot ${verb} ${nameOf(source)} in ${scopeOf(source)}: ${causeOf(source, reason)}`, detail }
}

/** Those that have nothing to do with what was asked for. */
export const commonCauses: Partial<Record<FailureReason, string>> = {
  unauthorized: 'The Kubernetes API does not accept the credentials, the token may have expired',
  untrusted: 'The certificate of the Kubernetes API is not trusted',
  unreachable: 'The Kubernetes API cannot be reached',
  no_credentials: 'There are no credentials for the Kubernetes API'
}

function causeOf (source: Source, reason: FailureReason): string {
  switch (reason) {
    case 'forbidden': return `not allowed; it takes a ${roleOf(source)}`
    case 'not_found': return `there is no such resource in ${apiVersionOf(source)}; a CustomResourceDefinition may be missing`
    default: return serverCause(reason)
  }
}

/** What else may be wrong, on the server's side. */
export function serverCause (reason: FailureReason): string {
  switch (reason) {
    case 'too_many_requests': return 'the server has too much to do'
    case 'server_error': return 'the server failed'
    case 'timeout': return 'no answer in time'
    case 'malformed': return 'the answer makes no sense'
    default: return 'the request was refused'
  }
}

function roleOf ({ group, resource, namespace }: Source): string {
  const kind = namespace === undefined ? 'ClusterRole' : 'Role'
  return `${kind} with apiGroups: ["${group}"], resources: ["${resource}"], verbs: ["list", "watch"]`
}

function nameOf ({ group, resource }: Source): string {
  return group === '' ? resource : `${resource}.${group}`
}

function scopeOf ({ namespace }: Source): string {
  return namespace === undefined ? 'all namespaces' : `namespace ${namespace}`
}
