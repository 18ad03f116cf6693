// What can be wrong with an answer of the API server, in the few kinds that are treated differently.
import { isMap } from '../../objects/json.js'

export type FailureReason =
  /** 410: the version is no longer known. Only a list helps. */
  | 'expired'
  /** 401. */
  | 'unauthorized'
  /** 403. */
  | 'forbidden'
  /** 404: the server knows no such resource. */
  | 'not_found'
  /** 429. */
  | 'too_many_requests'
  /** 5xx. */
  | 'server_error'
  /** Any other status. */
  | 'rejected'
  /** The server's certificate is not one we may trust. */
  | 'untrusted'
  /** No connection, or one that broke. */
  | 'unreachable'
  /** No answer, or only half of one, in the time given. */
  | 'timeout'
  /** An answer that no API server gives. */
  | 'malformed'
  /** There is nothing to authenticate with. */
  | 'no_credentials'

export interface ApiFailure {
  readonly reason: FailureReason
  /** What the server or the system said, for the operator. */
  readonly detail: string
  /** How long the server asked to be left alone, in milliseconds: more than 0. */
  readonly retryAfterMs?: number
  /** The answer had begun: what was asked for had its price already. */
  readonly isPartial?: true
}

// A server that asks for more is asked again anyway.
const MAX_RETRY_AFTER_MS = 300_000

const byCode: ReadonlyMap<number, FailureReason> = new Map([
  [401, 'unauthorized'], [403, 'forbidden'], [404, 'not_found'], [410, 'expired'], [429, 'too_many_requests']
])

/**
 * The failure in a status code and the `Status` object that came with it, if one did (meta/v1 Status: code, reason,
 * message, details). Also reads the object of an ERROR event, whose code may be missing.
 */
export function failureFromStatus (body: unknown, code = 0, retryAfter?: string): ApiFailure {
  const status = isMap(body) ? body : {}
  const effective = code !== 0 ? code : typeof status['code'] === 'number' ? status['code'] : 0
  const name = typeof status['reason'] === 'string' ? status['reason'] : ''
  const said = typeof status['message'] === 'string' && status['message'] !== '' ? status['message'] : name
  const retryAfterMs = retryAfterMsFrom(retryAfter) ?? retryAfterMsFrom(secondsIn(status['details']))
  return {
    reason: reasonOf(effective, name, said),
    detail: `${effective === 0 ? 'no status code' : effective}${said === '' ? '' : ` ${said}`}`,
    ...(retryAfterMs === undefined ? {} : { retryAfterMs })
  }
}

function reasonOf (code: number, name: string, said: string): FailureReason {
  if (name === 'Expired' || name === 'Gone') return 'expired'
  // The server has not seen a version as new as ours and may never: its storage was restored from a backup.
  if (code === 504 && said.includes('Too large resource version')) return 'expired'
  return byCode.get(code) ?? (code >= 500 ? 'server_error' : 'rejected')
}

function secondsIn (details: unknown): string | undefined {
  const seconds = isMap(details) ? details['retryAfterSeconds'] : undefined
  return typeof seconds === 'number' ? String(seconds) : undefined
}

// Kubernetes sends whole seconds; the date that RFC 9110 allows as well is ignored. So is 0, which would be no wait at all.
function retryAfterMsFrom (seconds: string | undefined): number | undefined {
  return seconds !== undefined && /^0*[1-9][0-9]{0,8}$/.test(seconds) ? Math.min(Number(seconds) * 1000, MAX_RETRY_AFTER_MS) : undefined
}

// Of Node's TLS: https://nodejs.org/api/tls.html#x509-certificate-error-codes, and names that do not match, a proxy's too.
const certificateCode = /CERT|SELF_SIGNED|UNABLE_TO_(?:GET|VERIFY)|ERR_TLS|ERR_SSL|HOSTNAME_MISMATCH|INVALID_CA|CRL|PRX_TLS/

/** The failure in what a request or a stream threw. */
export function failureFromError (error: unknown): ApiFailure {
  const code = error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : ''
  const message = error instanceof Error ? error.message : String(error)
  const detail = message.includes(code) ? message : `${message} (${code})`
  if (certificateCode.test(code)) return { reason: 'untrusted', detail }
  return { reason: code === 'UND_ERR_CONNECT_TIMEOUT' ? 'timeout' : 'unreachable', detail: detail === '' ? 'the connection broke' : detail }
}
