// Everything that goes wrong in a request ends here, as one problem+json answer: bodies that are not JSON, faults
// against a schema, unknown paths, and bugs, of which the caller learns only the request id.
import type { FastifyError, FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import type { BaseLogger } from 'pino'
import { sendProblem, type ApiFailure } from './problem.js'
import { codingFailure, hasNoBody } from './codings.js'
import { hasMoreValues } from './count-values.js'
import { allowOf, followMethods, pathOf } from './methods.js'
import { faultsFrom, summaryOf } from './request-faults.js'

class MalformedJson extends Error {
  readonly position: number | undefined

  constructor (position: number | undefined) {
    super('Malformed JSON')
    this.position = position
  }
}

class TooManyValues extends Error {}

/** Most values in a body or a query string, those inside of others counted too: the longest query has 116. */
export const MAX_VALUES = 512

/** Installs the JSON parser, the error handler and the handler of unknown paths. */
export function addProblems (app: FastifyInstance, log: BaseLogger): void {
  app.decorateReply('problemCode', null)
  // Fastify reads text/plain by default; here that is 415, not a body of the wrong type.
  app.removeAllContentTypeParsers()
  app.addContentTypeParser('application/json', { parseAs: 'string' }, (request, text, done) => {
    if (text === '' && !takesBody(request)) done(null)
    else parseJson(text as string, done)
  })
  // Those of the query string too: each unknown one is a fault.
  app.addHook('preValidation', (request, _reply, done) => {
    done(hasMoreValues(request.query, MAX_VALUES) ? new TooManyValues() : undefined)
  })
  const allowedMethods = followMethods(app)
  const answerNotFound = (request: FastifyRequest, reply: FastifyReply): void => {
    const path = pathOf(request)
    const methods = allowedMethods(path)
    const detail = `There is no ${request.method} ${shortened(path)} here.`
    // Behind a wildcard it is the route that finds nothing.
    if (methods?.has(request.method) !== false) {
      sendProblem(reply, { code: 'NOT_FOUND', detail })
      return
    }
    reply.header('allow', allowOf(methods))
    if (request.method === 'OPTIONS') reply.code(204).send()
    else sendProblem(reply, { code: 'METHOD_NOT_ALLOWED', detail })
  }
  app.setNotFoundHandler(answerNotFound)
  // After the guards, and before a body that nobody wants is read and judged.
  app.addHook('preParsing', (request, reply, _payload, done) => {
    if (request.is404) {
      answerNotFound(request, reply)
      return
    }
    const failure = codingFailure(request.headers)
    if (failure !== undefined) {
      // What is taken instead (RFC 9110 §15.5.16).
      if (failure.code === 'UNSUPPORTED_CONTENT_ENCODING') reply.header('accept-encoding', 'identity')
      sendProblem(reply, failure)
      return
    }
    // Many clients name a type with every request. Of no body it says nothing.
    if (!takesBody(request) && hasNoBody(request.headers)) delete request.headers['content-type']
    done()
  })
  app.setErrorHandler<FastifyError | MalformedJson | TooManyValues>((error, request, reply) => {
    const failure = failureFrom(error, app.initialConfig.bodyLimit)
    if (failure.code === 'INTERNAL') log.error({ err: error, requestId: request.id, method: request.method, path: shortened(pathOf(request)) }, 'Request failed')
    sendProblem(reply, failure)
  })
}

function takesBody ({ routeOptions }: FastifyRequest): boolean {
  return routeOptions.schema?.body !== undefined
}

function parseJson (text: string, done: (error: Error | null, body?: unknown) => void): void {
  let body: unknown
  try {
    body = JSON.parse(text)
  } catch (error) {
    done(new MalformedJson(positionOf(error as SyntaxError, text)))
    return
  }
  // Every one that does not fit would be a fault of its own.
  if (hasMoreValues(body, MAX_VALUES)) done(new TooManyValues())
  else done(null, body)
}

// V8 names the position in most messages, and says so when the text just ends.
function positionOf ({ message }: SyntaxError, text: string): number | undefined {
  if (message.startsWith('Unexpected end')) return text.length
  const found = / at position (\d+)/.exec(message)
  return found === null ? undefined : Number(found[1])
}

function failureFrom (error: FastifyError | MalformedJson | TooManyValues, bodyLimit: number | undefined): ApiFailure {
  if (error instanceof MalformedJson) return malformed(error.position)
  if (error instanceof TooManyValues) return { code: 'BODY_TOO_COMPLEX', detail: `A request may have ${MAX_VALUES} values.` }
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

function malformed (position: number | undefined): ApiFailure {
  if (position === undefined) return { code: 'MALFORMED_JSON', detail: 'The body is not valid JSON.' }
  return { code: 'MALFORMED_JSON', detail: `The JSON breaks at position ${position}.`, position }
}

// Without the query string: a client may have put anything there.
function shortened (path: string): string {
  return path.slice(0, 200)
}
