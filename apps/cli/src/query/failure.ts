// A query that got no token: what a script learns by the exit code and, with --json, as an object, and a person as text.
import { ExitCode } from '#core/exit-code.js'
import type { Answer } from './ask.js'

/** Like the problems of the API (RFC 9457), whose fields it has if a director answered. */
export interface QueryFailure {
  /** Of the API, or one of `KEY_FILE_UNUSABLE`, `UNREACHABLE` and `NOT_A_DIRECTOR`. */
  readonly code: string
  readonly detail: string
  readonly exitCode: ExitCode
  readonly status?: number
  readonly title?: string
  readonly retryAfterSeconds?: number
  readonly [field: string]: unknown
}

/** What the exit code tells apart: nothing there to be had, not now, and not like this. */
const exitCodes: Readonly<Record<string, ExitCode>> = {
  NO_MATCHING_RESOURCE: ExitCode.noMatch,
  NO_CAPACITY: ExitCode.noMatch
}

export function keyFileFailure (detail: string): QueryFailure {
  return { code: 'KEY_FILE_UNUSABLE', detail, exitCode: ExitCode.config }
}

export function unreachable (url: URL, why: string): QueryFailure {
  return { code: 'UNREACHABLE', detail: `${url.href} cannot be reached: ${why}. Is the director running there?`, exitCode: ExitCode.unreachable }
}

/** From an answer without a token. */
export function failureFrom (url: URL, { status, contentType, retryAfter, body }: Answer): QueryFailure {
  const code = body?.['code']
  if (body === undefined || typeof code !== 'string') {
    return { code: 'NOT_A_DIRECTOR', detail: `${url.href} does not answer like a UDP Director: status ${status}, ${contentType ?? 'no content type'}.`, exitCode: ExitCode.unreachable, status }
  }
  return {
    ...body,
    code,
    detail: typeof body['detail'] === 'string' ? body['detail'] : '',
    status,
    ...retryAfter === undefined ? {} : { retryAfterSeconds: retryAfter },
    exitCode: exitCodes[code] ?? (status === 429 || status >= 500 ? ExitCode.notNow : ExitCode.refused)
  }
}

/** Lines for a person, without the last line end. */
export function failureText ({ code, title, status, detail, errors, position, retryAfterSeconds }: QueryFailure): string {
  if (title === undefined) return detail
  return [
    `${code} (${String(status)}): ${title}.`,
    ...detail === '' ? [] : [`  ${detail}`],
    ...faultLines(errors),
    ...typeof position === 'number' ? [`  At position ${position}.`] : [],
    ...retryAfterSeconds === undefined ? [] : [`  Try again in ${retryAfterSeconds} s.`]
  ].join('\n')
}

function faultLines (errors: unknown): string[] {
  if (!Array.isArray(errors)) return []
  return (errors as Array<Record<string, unknown>>).map(({ path, message }) => `  ${String(path)}: ${String(message)}`)
}
