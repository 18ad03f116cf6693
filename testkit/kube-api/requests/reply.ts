// Whole answers, and the Status bodies the API server fails with: codes, reasons and messages as it writes them.
// https://kubernetes.io/docs/reference/kubernetes-api/common-definitions/status/
import { qualifiedName, type ResourceType } from '../objects/resource-type.js'

export interface Reply {
  readonly code: number
  readonly body: string
  readonly contentType: string
  readonly headers?: Readonly<Record<string, string>>
}

/** `details` of a Status; only `causes` and `retryAfterSeconds` mean anything to clients. */
export interface StatusDetails {
  readonly name?: string
  readonly group?: string
  readonly kind?: string
  readonly causes?: ReadonlyArray<{ readonly reason: string, readonly message: string, readonly field?: string }>
  readonly retryAfterSeconds?: number
}

const reasons: Readonly<Record<number, string>> = {
  400: 'BadRequest',
  401: 'Unauthorized',
  403: 'Forbidden',
  404: 'NotFound',
  405: 'MethodNotAllowed',
  410: 'Expired',
  422: 'Invalid',
  429: 'TooManyRequests',
  500: 'InternalError',
  503: 'ServiceUnavailable',
  504: 'Timeout'
}

/** A Status object: what a failed request's body is, and what an ERROR frame of a watch holds. */
export function statusBody (code: number, message: string, details?: StatusDetails, metadata: object = {}): object {
  const reason = reasons[code]
  return {
    kind: 'Status',
    apiVersion: 'v1',
    metadata,
    status: 'Failure',
    message,
    ...(reason === undefined ? {} : { reason }),
    ...(details === undefined ? {} : { details }),
    code
  }
}

export function failure (code: number, message: string, details?: StatusDetails, metadata?: object): Reply {
  const retry = details?.retryAfterSeconds
  return {
    code,
    body: `${JSON.stringify(statusBody(code, message, details, metadata))}\n`,
    contentType: 'application/json',
    ...(retry === undefined ? {} : { headers: { 'retry-after': String(retry) } })
  }
}

export function json (text: string): Reply {
  return { code: 200, body: `${text}\n`, contentType: 'application/json' }
}

/** What a path that nothing serves is answered with, a custom resource without its CRD for one: no Status at all. */
export const pageNotFound: Reply = { code: 404, body: '404 page not found\n', contentType: 'text/plain; charset=utf-8' }

export const unauthorized: Reply = failure(401, 'Unauthorized')

export const methodNotAllowed: Reply = failure(405, 'the server does not allow this method on the requested resource', {})

export function objectNotFound (type: ResourceType, name: string): Reply {
  return failure(404, `${qualifiedName(type)} "${name}" not found`, { name, ...groupOf(type), kind: type.plural })
}

export interface Denied {
  readonly user: string
  readonly verb: string
  readonly group: string
  readonly plural: string
  readonly namespace: string | undefined
  readonly name: string | undefined
}

export function forbidden ({ user, verb, group, plural, namespace, name }: Denied): Reply {
  const type = { group, plural } as ResourceType
  const where = namespace === undefined ? 'at the cluster scope' : `in the namespace "${namespace}"`
  const what = name === undefined ? qualifiedName(type) : `${qualifiedName(type)} "${name}"`
  const message = `${what} is forbidden: User "${user}" cannot ${verb} resource "${plural}" in API group "${group}" ${where}`
  return failure(403, message, { ...(name === undefined ? {} : { name }), ...groupOf(type), kind: plural })
}

/** 422 for options of a list or a watch that do not go together. */
export function invalidOptions (field: string, message: string): Reply {
  return failure(422, `ListOptions.meta.k8s.io "" is invalid: ${field}: Forbidden: ${message}`, {
    group: 'meta.k8s.io',
    kind: 'ListOptions',
    causes: [{ reason: 'FieldValueForbidden', message: `Forbidden: ${message}`, field }]
  })
}

/** The version asked for has not come within the time the server waits for it. */
export function tooLargeVersion (wanted: number, current: number): Reply {
  return failure(504, `Timeout: Too large resource version: ${wanted}, current: ${current}`, {
    causes: [{ reason: 'ResourceVersionTooLarge', message: 'Too large resource version' }],
    retryAfterSeconds: 1
  })
}

export function tooOldVersion (wanted: number, oldest: number): string {
  return `too old resource version: ${wanted} (${oldest})`
}

function groupOf ({ group }: ResourceType): { readonly group?: string } {
  return group === '' ? {} : { group }
}
