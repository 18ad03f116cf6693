// Everything that goes wrong in a request ends here, as one problem+json answer: bodies that are not JSON, faults
// against a schema, unknown paths, and bugs, of which the caller learns only the request id.
import type { FastifyError, FastifyInstance } from 'fastify'
import type { BaseLogger } from 'pino'
import { sendProblem, type Failure } from '../problem.js'
import { faultsFrom, summaryOf } from './request-faults.js'

class MalformedJson extends Error {
  readonly position: number | undefined

  constructor (position: number | undefined) {
    super('Malformed JSON')
    this.position = position
  }
}

/** Installs the JSON parser, the error handler and the handler of unknown paths. */
export function addProblems (app: FastifyInstance, log: BaseLogger): void {
  app.decorateReply('problemCode', null)
  // Fastify reads text/plain by default; here that is 415, not a body of the wrong type.
  app.removeAllContentTypeParsers()
  app.addContentTypeParser('application/json', { parseAs: 'string' }, (_request, text, done) => {
    parseJson(text as string, done)
  })
  app.setNotFoundHandler((request, reply) => {
    sendProblem(reply, { code: 'NOT_FOUND', detail: `There is no ${request.method} ${pathOf(request.url)} here.` })
  })
  app.setErrorHandler<FastifyError | MalformedJson>((error, request, reply) => {
    const failure = failureFrom(error, app.initialConfig.bodyLimit)
    if (failure.code === 'INTERNAL') log.error({ err: error, requestId: request.id, method: request.method, path: pathOf(request.url) }, 'Request failed')
    sendProblem(reply, failure)
  })
}

function parseJson (text: string, done: (error: Error | null, body?: unknown) => void): void {
  let body: unknown
  try {
    body = JSON.parse(text)
  } catch (error) {
    done(new MalformedJson(positionOf(error as SyntaxError, text)))
    return
  }
  done(null, body)
}

// V8 names the position in most messages, and says so when the text just ends.
function positionOf ({ message }: SyntaxError, text: string): number | undefined {
  if (message.startsWith('Unexpected end')) return text.length
  const found = / at position (\d+)/.exec(message)
  return found === null ? undefined : Number(found[1])
}

function failureFrom (error: FastifyError | MalformedJson, bodyLimit: number | undefined): Failure {
  if (error instanceof MalformedJson) return malformed(error.position)
  if (error.validation !== undefined) {
    const errors = faultsFrom(error.validation)
    return { code: 'INVALID_REQUEST', detail: summaryOf(error.validationContext, errors.length), errors }
  }
  switch (error.code) {
    case 'FST_ERR_CTP_BODY_TOO_LARGE':
      return { code: 'BODY_TOO_LARGE', detail: `The body may have ${bodyLimit ?? 0} bytes.` }
    case 'FST_ERR_CTP_INVALID_MEDIA_TYPE':
      return { code: 'UNSUPPORTED_MEDIA_TYPE', detail: 'The content type must be application/json.' }
    default:
      if ((error.statusCode ?? 500) < 500) return { code: 'INVALID_REQUEST', detail: error.message }
      return { code: 'INTERNAL', detail: 'An unexpected error. The log has more under this request id.' }
  }
}

function malformed (position: number | undefined): Failure {
  if (position === undefined) return { code: 'MALFORMED_JSON', detail: 'The body is not valid JSON.' }
  return { code: 'MALFORMED_JSON', detail: `The JSON breaks at position ${position}.`, position }
}

// Without the query string: a client may have put anything there.
function pathOf (url: string): string {
  const end = url.indexOf('?')
  return (end < 0 ? url : url.slice(0, end)).slice(0, 200)
}
