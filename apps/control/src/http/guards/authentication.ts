// Keys and signed tokens. They are judged before requests are counted, and refused after: callers who have proved a name are
// counted by that name, the others by their address, so that guessing is limited like everything else.
import type { FastifyInstance } from 'fastify'
import type { AuthFailure } from '../auth/authenticator.js'
import type { Listener } from '../listener/listener.js'
import { namedCaller } from '../callers/caller.js'
import { sendProblem, type ApiFailure } from '../problems/problem.js'
import { isGuarded } from './callers.js'
import type { GuardDeps } from './guard-deps.js'

declare module 'fastify' {
  interface FastifyRequest {
    authFailure: AuthFailure | null
  }
}

type Parts = Pick<GuardDeps, 'authenticators' | 'metrics'>

const answers: Readonly<Record<AuthFailure, ApiFailure>> = {
  missing: { code: 'UNAUTHENTICATED', detail: 'Send `Authorization: Bearer …` with a key or token.' },
  malformed: { code: 'UNAUTHENTICATED', detail: 'The Authorization header has no bearer key or token.' },
  refused: { code: 'UNAUTHENTICATED', detail: 'The key or token is not accepted.' },
  unavailable: { code: 'KEYS_UNAVAILABLE', detail: 'The keys of the issuer have not been fetched.' }
}

/** Judges what each request brings. */
export function addAuthentication (app: FastifyInstance, { authenticators, metrics }: Parts, listener: Listener): void {
  app.decorateRequest('authFailure', null)
  const { isRequired, verify } = authenticators[listener]
  if (!isRequired) return
  app.addHook('onRequest', async request => {
    if (!isGuarded(listener, request)) return
    const verdict = await verify(request.headers.authorization)
    if (!verdict.ok) {
      request.authFailure = verdict.failure
      metrics.authenticationFailed(listener, verdict.failure)
    } else if (verdict.name !== undefined) request.caller = namedCaller(request.caller, verdict.name)
  })
}

/** Refuses the requests that were judged to bring nothing valid. */
export function addAuthenticationDemand (app: FastifyInstance, { authenticators, metrics }: Parts, listener: Listener): void {
  if (!authenticators[listener].isRequired) return
  app.addHook('onRequest', (request, reply, done) => {
    const { authFailure } = request
    if (authFailure === null) { done(); return }
    metrics.requestRefused(listener, 'authentication')
    // RFC 6750 §3: the error is told only to those that brought something.
    if (authFailure !== 'unavailable') reply.header('www-authenticate', authFailure === 'missing' ? 'Bearer realm="udp-director"' : 'Bearer realm="udp-director", error="invalid_token"')
    sendProblem(reply, answers[authFailure])
  })
}
