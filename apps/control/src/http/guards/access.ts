// CIDR lists: who is not on them gets 403.
import type { FastifyInstance, FastifyRequest } from 'fastify'
import type { Listener } from '../listener/listener.js'
import { createAccessList } from '../callers/access-list.js'
import type { ControlDeps } from '../../deps.js'
import { sendProblem } from '../problems/problem.js'
import { isCounted, isGuarded } from './callers.js'

/** Refuses callers that `queryAccess` or `adminAccess` does not let in. */
export function addAccess (app: FastifyInstance, { config, metrics }: Pick<ControlDeps, 'config' | 'metrics'>, listener: Listener): void {
  const isAllowed = createAccessList(listener === 'public' ? config.queryAccess : config.adminAccess)
  if (isAllowed === undefined) return
  // The public document is for everybody; the page of the admin listener is without a key, but not without an address.
  const isListed = (request: FastifyRequest): boolean => isCounted(request) && (listener === 'admin' || isGuarded(listener, request))
  app.addHook('onRequest', (request, reply, done) => {
    if (!isListed(request) || isAllowed(request.caller.words)) { done(); return }
    metrics.requestRefused(listener, 'access')
    sendProblem(reply, { code: 'ACCESS_DENIED', detail: 'This address may not call here.' })
  })
}
