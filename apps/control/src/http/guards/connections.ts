// The connections of a listener: bounds on them, and problems in place of Node's own answers to what is not a request.
import type { FastifyInstance } from 'fastify'
import { Connections } from '#http/connections.js'
import { answerHalfClosed } from '#http/half-closed.js'
import { answerProtocolFaults, type ProtocolFault } from '#http/protocol-faults.js'
import type { RawAnswer } from '#http/raw-answer.js'
import type { Listener } from '../listener/listener.js'
import { problemFrom, PROBLEM_TYPE, rowOf, type ApiFailure } from '../problems/problem.js'
import type { GuardDeps } from './guard-deps.js'

/** Requests of one connection that are under way: pipelining is for a few, not for filling the memory with answers. */
export const MAX_REQUESTS_PER_CONNECTION = 16

/** How long an answer may wait to be taken. */
export const ANSWER_TIMEOUT_MS = 20_000

const failures: Readonly<Record<ProtocolFault, ApiFailure>> = {
  malformed: { code: 'MALFORMED_REQUEST', detail: 'This is not an HTTP/1.1 request.' },
  headers_too_large: { code: 'HEADERS_TOO_LARGE', detail: 'The header may have 16384 bytes.' },
  uri_too_long: { code: 'URI_TOO_LONG', detail: 'The request line may have 16384 bytes.' },
  body_too_large: { code: 'BODY_TOO_LARGE', detail: 'The extensions of the chunks are too long.' },
  timeout: { code: 'REQUEST_TIMEOUT', detail: 'The request did not come in time.' },
  expectation: { code: 'EXPECTATION_FAILED', detail: 'The only expectation that is met is 100-continue.' },
  connect: { code: 'METHOD_NOT_ALLOWED', detail: 'This is not a proxy: there is no CONNECT here.' }
}

const tooManyRequests: ApiFailure = { code: 'RATE_LIMITED', detail: `One connection may have ${MAX_REQUESTS_PER_CONNECTION} requests under way at once.` }

/** Bounds connections by `limits.maxConnections`. Those that bring no whole request in time are closed; see createApp. */
export function addConnectionBounds (app: FastifyInstance, { config, clock, metrics, tables }: Pick<GuardDeps, 'config' | 'clock' | 'metrics' | 'tables'>, listener: Listener): void {
  const { maxConnections } = config.limits
  let number = 0
  const rawAnswer = (failure: ApiFailure): RawAnswer => rawProblem(failure, `raw-${(++number).toString(36)}`)
  const connections = new Connections(app.server, {
    bounds: { max: maxConnections, maxRequests: MAX_REQUESTS_PER_CONNECTION, answerTimeoutMs: ANSWER_TIMEOUT_MS },
    clock,
    tooManyRequests: () => rawAnswer(tooManyRequests),
    onClosed: () => { metrics.connectionRefused(listener) }
  })
  answerHalfClosed(app.server)
  answerProtocolFaults(app.server, { connections, clock, answerTo: fault => rawAnswer(failures[fault]) })
  tables.add(`connections_${listener}`, maxConnections, () => connections.count)
  app.addHook('preClose', done => {
    connections.end()
    done()
  })
  app.addHook('onClose', () => { connections.close() })
}

function rawProblem (failure: ApiFailure, requestId: string): RawAnswer {
  const { status, retryAfterSeconds } = rowOf(failure.code)
  return {
    status,
    headers: {
      'content-type': `${PROBLEM_TYPE}; charset=utf-8`,
      ...(retryAfterSeconds === undefined ? {} : { 'retry-after': String(retryAfterSeconds) }),
      ...(failure.code === 'METHOD_NOT_ALLOWED' ? { allow: 'GET, HEAD, OPTIONS' } : {})
    },
    body: JSON.stringify(problemFrom(failure, requestId))
  }
}
