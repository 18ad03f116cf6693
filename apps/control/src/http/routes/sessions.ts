// Live sessions: look, end, move. The proxy owns them; this is its operator's window.
import { Type, type Static } from '@sinclair/typebox'
import type { BaseLogger } from 'pino'
import type { RpcClient } from '#rpc/client.js'
import type { Session } from '#rpc/contract.js'
import type { RpcFailure } from '#rpc/failure.js'
import { sendProblem, type ApiFailure } from '../problems/problem.js'
import { dropAbsent } from '../schemas/absent.js'
import { closed, refTo } from '../schemas/named.js'
import { pagingFields, readPaging } from '../schemas/paging.js'
import { bodyErrors } from '../schemas/problem.js'
import { SessionSchema, SessionsPageSchema } from '../schemas/session.js'
import { AddressTargetSchema, NamedTargetSchema, TargetRequestSchema } from '../schemas/target.js'
import { summaryOf } from '../problems/request-faults.js'
import type { TypedApp } from '../listener/listener.js'
import { requestedTarget, type TargetSources } from './requested-target.js'
import { filterFaults } from './session-filter.js'

export interface SessionRouteDeps extends TargetSources {
  /** For what operators ask; the link has a client of its own, which they cannot exhaust. */
  readonly proxy: Pick<RpcClient, 'call'>
  readonly log: Pick<BaseLogger, 'info'>
}

const SessionParams = Type.Object({ id: Type.String({ minLength: 1, maxLength: 64, description: 'Of a session.' }) }, closed)

const SessionsQuery = Type.Object({
  ...pagingFields,
  client: Type.Optional(Type.String({ minLength: 1, maxLength: 64, description: 'Only this client: an IP, or `ip:port`.' })),
  target: Type.Optional(Type.String({ minLength: 1, maxLength: 600, description: 'Only this target: its key, its IP, or `ip:port`.' }))
}, closed)

/** Adds the routes under /sessions. */
export function addSessionRoutes (app: TypedApp, deps: SessionRouteDeps): void {
  const { proxy, log } = deps

  app.get('/sessions', {
    preValidation: readPaging,
    schema: {
      operationId: 'listSessions',
      summary: 'Sessions, page by page.',
      description: 'Sessions come and go between two pages: one that lives through the whole listing is listed once.',
      tags: ['admin'],
      querystring: SessionsQuery,
      response: { 200: refTo(SessionsPageSchema) },
      problems: ['INVALID_REQUEST', 'BODY_TOO_COMPLEX', 'PROXY_UNAVAILABLE']
    }
  }, async (request, reply) => {
    const errors = filterFaults(request.query)
    if (errors.length > 0) { sendProblem(reply, { code: 'INVALID_REQUEST', detail: summaryOf('querystring', errors.length), errors }); return reply }
    const page = await proxy.call('listSessions', { query: request.query })
    if (page.ok) return { ...page.value, sessions: page.value.sessions.map(shown) }
    sendProblem(reply, failureFromRpc(page.error))
    return reply
  })

  app.get('/sessions/:id', {
    schema: {
      operationId: 'getSession',
      summary: 'One session.',
      description: 'As the proxy sees it at this moment.',
      tags: ['admin'],
      params: SessionParams,
      response: { 200: refTo(SessionSchema) },
      problems: ['INVALID_REQUEST', 'SESSION_NOT_FOUND', 'PROXY_UNAVAILABLE']
    }
  }, async (request, reply) => {
    const session = await proxy.call('getSession', { params: request.params })
    if (session.ok) return shown(session.value)
    sendProblem(reply, failureFromRpc(session.error))
    return reply
  })

  app.delete('/sessions/:id', {
    schema: {
      operationId: 'endSession',
      summary: 'End a session.',
      description: 'The client is not told. Its next datagram is treated like that of a new client.',
      tags: ['admin'],
      params: SessionParams,
      response: { 204: Type.Null({ description: 'The session has ended.' }) },
      problems: ['INVALID_REQUEST', 'SESSION_NOT_FOUND', 'PROXY_UNAVAILABLE']
    }
  }, async (request, reply) => {
    const ended = await proxy.call('endSession', { params: request.params })
    if (ended.ok) {
      log.info({ sessionId: request.params.id }, 'Session ended by an operator')
      return reply.code(204).send(null)
    }
    sendProblem(reply, failureFromRpc(ended.error))
    return reply
  })

  app.put('/sessions/:id/target', {
    preValidation: dropAbsent([NamedTargetSchema, AddressTargetSchema]),
    schema: {
      operationId: 'moveSession',
      summary: 'Move a live session to another target.',
      description: 'What a reset does, without the client: it keeps its address and port and notices nothing.',
      tags: ['admin'],
      params: SessionParams,
      body: refTo(TargetRequestSchema),
      response: { 200: refTo(SessionSchema) },
      problems: [...bodyErrors, 'INVALID_TARGET', 'NAMESPACE_NOT_ALLOWED', 'TARGET_NOT_ALLOWED', 'UNKNOWN_RESOURCE_TYPE', 'NO_MATCHING_RESOURCE', 'SESSION_NOT_FOUND', 'PROXY_UNAVAILABLE', 'CAPACITY_EXHAUSTED', 'INVENTORY_NOT_READY']
    }
  }, async (request, reply) => {
    const target = requestedTarget(request.body, deps)
    if (!target.ok) { sendProblem(reply, target.error); return reply }
    const moved = await proxy.call('moveSession', { params: request.params, body: { target: target.value } })
    if (moved.ok) {
      log.info({ sessionId: request.params.id, target: target.value.key }, 'Session moved by an operator')
      return shown(moved.value)
    }
    sendProblem(reply, failureFromRpc(moved.error))
    return reply
  })
}

function shown ({ ageMs, idleMs, ...session }: Session): Static<typeof SessionSchema> {
  return { ...session, ageSeconds: ageMs / 1000, idleSeconds: idleMs / 1000 }
}

/** What an operator is told about a call to the proxy that failed. */
export function failureFromRpc ({ code }: RpcFailure): ApiFailure {
  switch (code) {
    case 'NOT_FOUND': return { code: 'SESSION_NOT_FOUND', detail: 'The proxy has no session with this id.' }
    case 'INVALID_TARGET': return { code: 'INVALID_TARGET', detail: 'The proxy cannot reach a target like this.' }
    case 'TARGET_TABLE_FULL': return { code: 'CAPACITY_EXHAUSTED', detail: 'limits.maxTargets is reached.' }
    case 'BUSY': return { code: 'CAPACITY_EXHAUSTED', detail: 'Too many calls to the proxy are under way.' }
    case 'INVALID': case 'INTERNAL': return { code: 'INTERNAL', detail: 'The proxy did not understand the call, or failed.' }
    default: return { code: 'PROXY_UNAVAILABLE', detail: 'The proxy did not answer.' }
  }
}
