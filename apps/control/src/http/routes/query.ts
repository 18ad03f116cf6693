// POST /query: from a description of a game server to a token for one. Everything but the push is a matter of memory.
import type { Static } from '@sinclair/typebox'
import type { FastifyInstance } from 'fastify'
import type { Config, Selection } from '#config/schema.js'
import { err, ok } from '#core/result.js'
import type { EventSink } from '../../events/event-sink.js'
import type { Chooser } from '../../query/chooser.js'
import type { TokenGate } from '../../tokens/token-gate.js'
import type { TokenIssuer } from '../../tokens/token-issuer.js'
import { summaryOf } from '../problems/request-faults.js'
import { sendProblem, type ApiFailure, type Outcome } from '../problems/problem.js'
import type { ErrorCode } from '../problems/errors.js'
import { dropAbsent } from '../schemas/absent.js'
import { bodyErrors } from '../schemas/problem.js'
import { IssuedTokenSchema, QueryRequestSchema, StatusQueryRequestSchema } from '../schemas/query.js'
import { refTo } from '../schemas/named.js'
import type { TypedApp } from '../listener/listener.js'
import { refuseTokens } from './refuse-tokens.js'
import { tokenAnswer, type AnswerDeps } from './token-answer.js'

export interface QueryRouteDeps extends AnswerDeps, TokenGate {
  readonly config: Pick<Config, 'tokenTtlSeconds' | 'bindClientIp' | 'exposeTarget'>
  readonly chooser: Pick<Chooser, 'choose'>
  readonly issuer: Pick<TokenIssuer, 'issue'>
}

export interface QueryMetrics {
  readonly queryReceived: () => void
  /** `code` is null for a success. */
  readonly queryAnswered: (code: ErrorCode | null, seconds: number) => void
}

export interface QueryMetricsDeps {
  readonly metrics: QueryMetrics
  readonly events: EventSink
}

const PATH = '/query'

/** Counts and times queries, those that a guard refuses too: hence before all guards. */
export function addQueryMetrics (app: FastifyInstance, { metrics, events }: QueryMetricsDeps): void {
  app.addHook('onRequest', (request, _reply, done) => {
    if (request.routeOptions.url === PATH) metrics.queryReceived()
    done()
  })
  app.addHook('onResponse', (request, reply, done) => {
    if (request.routeOptions.url === PATH) {
      const { problemCode, elapsedTime } = reply
      metrics.queryAnswered(problemCode, elapsedTime / 1000)
      if (problemCode !== null) events.publish('token_refused', () => ({ requestId: request.id, code: problemCode, via: 'query' }))
    }
    done()
  })
}

/** Adds POST /query to the public listener. */
export function addQueryRoute (app: TypedApp, deps: QueryRouteDeps): void {
  const { config, chooser, issuer } = deps

  app.post(PATH, {
    schema: {
      operationId: 'query',
      summary: 'Ask for a game server and get a token for it.',
      description: 'The answer leaves after the proxy has acknowledged the token, so it can be used at once.',
      tags: ['public'],
      body: refTo(QueryRequestSchema),
      response: { 200: refTo(IssuedTokenSchema) },
      problems: [...bodyErrors, 'INVALID_JSON_PATH', 'QUERY_TOO_COSTLY', 'NAMESPACE_NOT_ALLOWED', 'UNKNOWN_RESOURCE_TYPE', 'NO_MATCHING_RESOURCE', 'TOO_MANY_TOKENS', 'PROXY_UNAVAILABLE', 'STORE_UNAVAILABLE', 'NO_CAPACITY', 'CAPACITY_EXHAUSTED', 'INVENTORY_NOT_READY', 'ADDRESS_UNKNOWN', 'DRAINING', 'SHUTTING_DOWN']
    },
    preValidation: dropAbsent([QueryRequestSchema], { statusQuery: StatusQueryRequestSchema }),
    onRequest: (_request, reply, done) => {
      if (!refuseTokens(deps, reply)) done()
    },
    handler: async (request, reply) => {
      const { caller } = request
      const asked = selectionFrom(request.body)
      if (!asked.ok) { sendProblem(reply, asked.error); return reply }
      const selection = asked.value
      const issued = await issuer.issue(() => chooser.choose(selection, caller.key), {
        selection,
        ttlSeconds: config.tokenTtlSeconds,
        via: 'query',
        holder: config.bindClientIp ? { caller: caller.key, client: caller.ip } : { caller: caller.key }
      })
      if (issued.ok) return tokenAnswer(issued.value, deps)
      sendProblem(reply, issued.error)
      return reply
    }
  })
}

/** The selection a query's body asks for; one `expectedValue` is a list of one. */
export function selectionFrom (body: Static<typeof QueryRequestSchema>): Outcome<Selection> {
  const { type: _, statusQuery, ...selection } = body
  if (statusQuery === undefined) return ok(selection)
  const { jsonPath, expectedValue, expectedValues } = statusQuery
  // Not in the schema: what generators make of a choice between required fields does not compile in half of them.
  if ((expectedValue === undefined) === (expectedValues === undefined)) return err(notOneValue)
  return ok({ ...selection, statusQuery: { jsonPath, expectedValues: expectedValues ?? [expectedValue ?? ''] } })
}

const notOneValue: ApiFailure = {
  code: 'INVALID_REQUEST',
  detail: summaryOf('body', 1),
  errors: [{ path: '/statusQuery', message: 'must have exactly one of expectedValue and expectedValues' }]
}
