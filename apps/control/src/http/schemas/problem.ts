// How failures look in the OpenAPI document: one schema, and per route the codes it can answer with.
import { Type } from '@sinclair/typebox'
import { errors, type ErrorCode } from '../problems/errors.js'
import { PROBLEM_TYPE, problemFrom, rowOf } from '../problems/problem.js'
import { knownStrings, named } from './named.js'

const FaultSchema = Type.Object({
  path: Type.String({ description: 'A JSON pointer (RFC 6901) into the body, the query string or the path parameters; empty for the whole.' }),
  message: Type.String()
})

export const ProblemSchema = named('Problem', Type.Object({
  type: Type.String({ format: 'uri', description: 'A URI for the code.' }),
  title: Type.String({ description: 'The same for every problem with this code.' }),
  status: Type.Integer({ description: 'The HTTP status.' }),
  code: knownStrings(Object.keys(errors) as ErrorCode[], 'Stable; what a program should look at.'),
  detail: Type.String({ description: 'What happened this time, for people.' }),
  requestId: Type.String({ description: 'Finds the request in the director\'s log.' }),
  errors: Type.Optional(Type.Array(FaultSchema, { description: 'INVALID_REQUEST: everything that is wrong, 20 at most.' })),
  position: Type.Optional(Type.Integer({ minimum: 0, description: 'INVALID_JSON_PATH, MALFORMED_JSON: index of the character that does not fit, from 0.' }))
}, { description: 'A failed request (RFC 9457).' }))

/** Codes any request with a body can fail with before its route sees it. */
export const bodyErrors = ['MALFORMED_JSON', 'INVALID_REQUEST', 'BODY_TOO_COMPLEX', 'BODY_TOO_LARGE', 'UNSUPPORTED_MEDIA_TYPE', 'UNSUPPORTED_CONTENT_ENCODING', 'UNSUPPORTED_TRANSFER_ENCODING'] as const satisfies readonly ErrorCode[]

/** The responses of a route that can fail with `codes`, for its schema; INTERNAL is always among them. */
export function problemResponses (...codes: readonly ErrorCode[]): object {
  const byStatus = new Map<number, ErrorCode[]>()
  for (const code of [...codes, 'INTERNAL' as const]) {
    const { status } = errors[code]
    byStatus.set(status, [...byStatus.get(status) ?? [], code])
  }
  return Object.fromEntries([...byStatus].map(([status, group]) => [status, problemResponse(group)]))
}

function problemResponse (codes: readonly ErrorCode[]): object {
  const canRetry = codes.some(code => rowOf(code).retryAfterSeconds !== undefined)
  const examples = codes.map(code => [code, { summary: errors[code].title, value: problemFrom({ code, detail: errors[code].title + '.' }, 'req-1') }] as const)
  return {
    description: codes.map(code => `\`${code}\`: ${errors[code].title}.`).join(' '),
    ...(canRetry ? { headers: { 'Retry-After': { type: 'integer', minimum: 1, description: 'Seconds to wait before trying again.' } } } : {}),
    content: { [PROBLEM_TYPE]: { schema: { $ref: `${ProblemSchema.$id}#` }, examples: Object.fromEntries(examples) } }
  }
}
