// CIDR lists: who is not on them gets 403.
import type { FastifyInstance } from 'fastify'
import type { Listener } from '../listener.js'
import { createAccessList } from '../callers/access-list.js'
import type { ControlDeps } from '../deps.js'
import { sendProblem } from '../problem.js'
import { isGuarded } from './callers.js'

/** Refuses callers that `queryAccess` or `adminAccess` does not let in. */
export function addAccess (app: FastifyInstance, { config, metrics }: Pick<ControlDeps, 'config' | 'metrics'>, listener: Listener): void {
  const isAllowed = createAccessList(listener === 'public' ? config.queryAccess : config.adminAccess)
  if (isAllowed === undefined) return
  app.addHook('onRequest', (request, reply, done) => {
    if (!isGuarded(listener, request) || isAllowed(request.caller.words)) { done(); return }
    metrics.requestRefused(listener, 'access')
    sendProblem(reply, { code: 'ACCESS_DENIED', detail: 'This address may not call here.' })
  })
}
