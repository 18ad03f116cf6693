// A failed request as its caller sees it: application/problem+json (RFC 9457), made from the table of errors.
import type { Failure } from '#core/failure.js'
import type { Result } from '#core/result.js'
import { errors, type ErrorCode, type ErrorRow } from './errors.js'

export const PROBLEM_TYPE = 'application/problem+json'

/** One thing that is wrong with a request. */
export interface Fault {
  /** Where, as a JSON pointer (RFC 6901) into the body, the query string or the path parameters. */
  readonly path: string
  readonly message: string
}

/** What a failure says beyond its row of the table. Those of the domain are such: the compiler asks for a row for each code. */
export interface ApiFailure extends Failure<ErrorCode> {
  readonly errors?: readonly Fault[]
  /** INVALID_JSON_PATH, MALFORMED_JSON: index of the character that does not fit, from 0. */
  readonly position?: number
}

export interface Problem extends ApiFailure {
  readonly type: string
  readonly title: string
  readonly status: number
  /** Finds the request in the log. */
  readonly requestId: string
}

export type Outcome<Value> = Result<Value, ApiFailure>

export function rowOf (code: ErrorCode): ErrorRow {
  return errors[code]
}

export function problemFrom (failure: ApiFailure, requestId: string): Problem {
  const { status, title } = errors[failure.code]
  return {
    type: `urn:udp-director:error:${failure.code}`,
    title,
    status,
    code: failure.code,
    detail: failure.detail,
    requestId,
    ...(failure.errors === undefined ? {} : { errors: failure.errors }),
    ...(failure.position === undefined ? {} : { position: failure.position })
  }
}

// Only what is needed of a reply, so that one of any route's type fits.
export interface AnyReply {
  readonly request: { readonly id: string }
  problemCode: ErrorCode | null
  code (status: number): unknown
  header (name: string, value: string | number): unknown
  send (body: unknown): unknown
}

/** Answers with a failure. */
export function sendProblem (reply: AnyReply, failure: ApiFailure): void {
  const row = rowOf(failure.code)
  reply.problemCode = failure.code
  reply.code(row.status)
  reply.header('content-type', PROBLEM_TYPE)
  if (row.retryAfterSeconds !== undefined) reply.header('retry-after', row.retryAfterSeconds)
  reply.send(problemFrom(failure, reply.request.id))
}

declare module 'fastify' {
  interface FastifyReply {
    /** The code of the problem this reply answers with. */
    problemCode: ErrorCode | null
  }
}
