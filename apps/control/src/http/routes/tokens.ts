// Direct issue and revocation of tokens: what a matchmaker calls that has chosen the target itself.
import { Type } from '@sinclair/typebox'
import type { Config } from '#config/schema.js'
import { err, ok } from '#core/result.js'
import { addressWords, formatAddress } from '#wire/address.js'
import { isUnicast } from '#wire/unicast.js'
import { TOKEN_PATTERN, type Token } from '#wire/token.js'
import type { EventSink } from '../../events/event-sink.js'
import type { TokenGate } from '../../tokens/token-gate.js'
import type { TokenIssuer } from '../../tokens/token-issuer.js'
import type { Holder } from '../../tokens/token-registry.js'
import { sendProblem, type ApiFailure, type Outcome } from '../problems/problem.js'
import { dropAbsent } from '../schemas/absent.js'
import { closed, refTo } from '../schemas/named.js'
import { bodyErrors } from '../schemas/problem.js'
import { IssuedTokenSchema } from '../schemas/query.js'
import { AddressTokenRequestSchema, NamedTokenRequestSchema, TokenRequestSchema } from '../schemas/target.js'
import type { TypedApp } from '../listener/listener.js'
import { refuseTokens } from './refuse-tokens.js'
import { requestedSelection, requestedTarget, type TargetSources } from './requested-target.js'
import { tokenAnswer, type AnswerDeps } from './token-answer.js'

export interface TokenRouteDeps extends TargetSources, AnswerDeps, TokenGate {
  readonly config: Pick<Config, 'dataPorts' | 'tokenTtlSeconds' | 'exposeTarget'>
  readonly issuer: Pick<TokenIssuer, 'issue' | 'revoke'>
  readonly events: EventSink
}

const TokenParams = Type.Object({
  token: Type.String({
    pattern: TOKEN_PATTERN,
    description: 'A UUID v4 in lower case.',
    examples: ['3e5d8a52-1f6b-4c0e-9a77-0c2f4b8d6e10']
  })
}, closed)

/** Adds POST /tokens and DELETE /tokens/{token}. */
export function addTokenRoutes (app: TypedApp, deps: TokenRouteDeps): void {
  const { config, events, issuer } = deps

  app.post('/tokens', {
    schema: {
      operationId: 'issueToken',
      summary: 'Issue a token for a target of your choice.',
      description: 'The answer leaves after the proxy has acknowledged the token, so it can be used at once.',
      tags: ['admin'],
      body: refTo(TokenRequestSchema),
      response: { 201: refTo(IssuedTokenSchema) },
      problems: [...bodyErrors, 'INVALID_TARGET', 'NAMESPACE_NOT_ALLOWED', 'TARGET_NOT_ALLOWED', 'UNKNOWN_RESOURCE_TYPE', 'NO_MATCHING_RESOURCE', 'TOO_MANY_TOKENS', 'PROXY_UNAVAILABLE', 'STORE_UNAVAILABLE', 'CAPACITY_EXHAUSTED', 'INVENTORY_NOT_READY', 'ADDRESS_UNKNOWN', 'DRAINING', 'SHUTTING_DOWN']
    },
    preValidation: dropAbsent([NamedTokenRequestSchema, AddressTokenRequestSchema]),
    onRequest: (_request, reply, done) => { if (!refuseTokens(deps, reply)) done() }
  }, async (request, reply) => {
    const { ttlSeconds = config.tokenTtlSeconds, clientIp } = request.body
    const holder = holderOf(request.caller.key, clientIp)
    const issued = holder.ok
      ? await issuer.issue(() => requestedTarget(request.body, deps), { selection: requestedSelection(request.body), ttlSeconds, via: 'tokens', holder: holder.value })
      : holder
    if (issued.ok) return reply.code(201).send(tokenAnswer(issued.value, deps))
    events.publish('token_refused', () => ({ requestId: request.id, code: issued.error.code, via: 'tokens' }))
    sendProblem(reply, issued.error)
    return reply
  })

  app.delete('/tokens/:token', {
    schema: {
      operationId: 'revokeToken',
      summary: 'Make a token void.',
      description: 'Sessions it has established go on. After 404 `TOKEN_NOT_FOUND` the token does not work either: the proxy is told in any case, because a former control process may have issued it.',
      tags: ['admin'],
      params: TokenParams,
      response: { 204: Type.Null({ description: 'The token is void.' }) },
      problems: ['INVALID_REQUEST', 'TOKEN_NOT_FOUND', 'PROXY_UNAVAILABLE', 'STORE_UNAVAILABLE']
    }
  }, async (request, reply) => {
    const revoked = await issuer.revoke(request.params.token as Token)
    if (revoked.ok) return reply.code(204).send(null)
    sendProblem(reply, revoked.error)
    return reply
  })
}

function holderOf (caller: string, clientIp: string | undefined): Outcome<Holder> {
  if (clientIp === undefined) return ok({ caller })
  const words = addressWords(clientIp)
  if (words === undefined) return err(clientIpFault('must be an IP address'))
  // No datagram comes from there, so nobody could redeem it.
  if (!isUnicast(words)) return err(clientIpFault('must be the address of one host'))
  return ok({ caller, client: formatAddress(words) })
}

function clientIpFault (message: string): ApiFailure {
  return { code: 'INVALID_REQUEST', detail: 'The body has one fault.', errors: [{ path: '/clientIp', message }] }
}
