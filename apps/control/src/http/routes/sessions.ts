// Live sessions: look, end, move. The proxy owns them; this is its operator's window, and the way to those of other replicas.
import { Type, type Static } from '@sinclair/typebox'
import type { BaseLogger } from 'pino'
import type { RpcClient } from '#rpc/client.js'
import type { Session } from '#rpc/contract.js'
import type { SharedSessions } from '../../replicas/sessions/shared-sessions.js'
import { sendProblem } from '../problems/problem.js'
import { dropAbsent } from '../schemas/absent.js'
import { closed, refTo } from '../schemas/named.js'
import { pagingFields, readPaging } from '../schemas/paging.js'
import { bodyErrors } from '../schemas/problem.js'
import { SessionElsewhereSchema, SessionSchema, SessionsPageSchema } from '../schemas/session.js'
import { AddressTargetSchema, NamedTargetSchema, TargetRequestSchema } from '../schemas/target.js'
import { summaryOf } from '../problems/request-faults.js'
import type { TypedApp } from '../listener/listener.js'
import { requestedTarget, type TargetSources } from './requested-target.js'
import { failureFromRpc, SessionAccess } from './session-access.js'
import { filterFaults } from './session-filter.js'

export interface SessionRouteDeps extends TargetSources {
  /** For what operators ask; the link has a client of its own, which they cannot exhaust. */
  readonly proxy: Pick<RpcClient, 'call'>
  /** The directors that this one shares a store with. */
  readonly replicas?: { readonly sessions: SharedSessions } | undefined
  readonly log: Pick<BaseLogger, 'info'>
}

const SessionParams = Type.Object({ id: Type.String({ minLength: 1, maxLength: 64, description: 'Of a session of this replica, or a client address, `ip:port` or `[ip]:port`: the session of this client, wherever it is.' }) }, closed)

const elsewhereNote = 'Where directors share a store, a client address names the session at whatever replica.'

const SessionsQuery = Type.Object({
  ...pagingFields,
  client: Type.Optional(Type.String({ minLength: 1, maxLength: 64, description: 'Only this client: an IP, or `ip:port`.' })),
  target: Type.Optional(Type.String({ minLength: 1, maxLength: 600, description: 'Only this target: its key, its IP, or `ip:port`.' }))
}, closed)

/** Adds the routes under /sessions. */
export function addSessionRoutes (app: TypedApp, deps: SessionRouteDeps): void {
  const { proxy, replicas, log } = deps
  const access = new SessionAccess({ proxy, shared: replicas?.sessions })

  app.get('/sessions', {
    preValidation: readPaging,
    schema: {
      operationId: 'listSessions',
      summary: 'Sessions, page by page.',
      description: 'Sessions come and go between two pages: one that lives through the whole listing is listed once. Those of this replica alone: `GET /replicas` says who else is there.',
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
      description: 'As the proxy sees it at this moment. One that is at other replicas is named in the problem `SESSION_ELSEWHERE`.',
      tags: ['admin'],
      params: SessionParams,
      response: { 200: refTo(SessionSchema) },
      problems: ['INVALID_REQUEST', 'SESSION_NOT_FOUND', 'SESSION_ELSEWHERE', 'PROXY_UNAVAILABLE', 'STORE_UNAVAILABLE']
    }
  }, async (request, reply) => {
    const session = await access.get(request.params.id)
    if (session.ok) return shown(session.value)
    sendProblem(reply, session.error)
    return reply
  })

  app.delete('/sessions/:id', {
    schema: {
      operationId: 'endSession',
      summary: 'End a session.',
      description: `The client is not told. Its next datagram is treated like that of a new client. ${elsewhereNote} Other replicas that have the client are told, too.`,
      tags: ['admin'],
      params: SessionParams,
      response: { 202: refTo(SessionElsewhereSchema), 204: Type.Null({ description: 'The session has ended.' }) },
      problems: ['INVALID_REQUEST', 'SESSION_NOT_FOUND', 'PROXY_UNAVAILABLE', 'STORE_UNAVAILABLE']
    }
  }, async (request, reply) => {
    const ended = await access.end(request.params.id)
    if (!ended.ok) { sendProblem(reply, ended.error); return reply }
    if ('elsewhere' in ended.value) {
      const { client, target, replicas } = ended.value.elsewhere
      log.info({ client, replicas }, 'Session at other replicas ended by an operator')
      return reply.code(202).send({ client, target, replicas: [...replicas] })
    }
    log.info({ sessionId: ended.value.here.id, client: ended.value.here.client }, 'Session ended by an operator')
    return reply.code(204).send(null)
  })

  app.put('/sessions/:id/target', {
    preValidation: dropAbsent([NamedTargetSchema, AddressTargetSchema]),
    schema: {
      operationId: 'moveSession',
      summary: 'Move a live session to another target.',
      description: `What a reset does, without the client: it keeps its address and port and notices nothing. ${elsewhereNote} Other replicas that have the client are told, too.`,
      tags: ['admin'],
      params: SessionParams,
      body: refTo(TargetRequestSchema),
      response: { 200: refTo(SessionSchema), 202: refTo(SessionElsewhereSchema) },
      problems: [...bodyErrors, 'INVALID_TARGET', 'NAMESPACE_NOT_ALLOWED', 'TARGET_NOT_ALLOWED', 'UNKNOWN_RESOURCE_TYPE', 'NO_MATCHING_RESOURCE', 'SESSION_NOT_FOUND', 'PROXY_UNAVAILABLE', 'STORE_UNAVAILABLE', 'CAPACITY_EXHAUSTED', 'INVENTORY_NOT_READY']
    }
  }, async (request, reply) => {
    const target = requestedTarget(request.body, deps)
    if (!target.ok) { sendProblem(reply, target.error); return reply }
    const moved = await access.move(request.params.id, target.value)
    if (!moved.ok) { sendProblem(reply, moved.error); return reply }
    const { key } = target.value
    if ('elsewhere' in moved.value) {
      const { client, replicas } = moved.value.elsewhere
      log.info({ client, replicas, target: key }, 'Session at other replicas moved by an operator')
      return await reply.code(202).send({ client, target: target.value, replicas: [...replicas] })
    }
    log.info({ sessionId: moved.value.here.id, target: key }, 'Session moved by an operator')
    return shown(moved.value.here)
  })
}

function shown ({ ageMs, idleMs, ...session }: Session): Static<typeof SessionSchema> {
  return { ...session, ageSeconds: ageMs / 1000, idleSeconds: idleMs / 1000 }
}
