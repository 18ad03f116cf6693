// A bound on requests under way, which is what bounds the memory for their bodies.
import type { FastifyInstance } from 'fastify'
import type { Listener } from '../listener.js'
import { RequestsUnderWay } from '../callers/requests-under-way.js'
import type { ControlDeps } from '../deps.js'
import { sendProblem } from '../problem.js'
import { isGuarded } from './callers.js'

/** Refuses requests beyond `limits.maxRequests`, before anything of their bodies is read. */
export function addRequestsUnderWay (app: FastifyInstance, { config, metrics, tables }: Pick<ControlDeps, 'config' | 'metrics' | 'tables'>, listener: Listener): void {
  const { maxRequests } = config.limits
  const underWay = new RequestsUnderWay(maxRequests)
  tables.add(`requests_${listener}`, maxRequests, () => underWay.count)
  app.addHook('onRequest', (request, reply, done) => {
    if (!isGuarded(listener, request)) { done(); return }
    const { key } = request.caller
    const admission = underWay.enter(key)
    if (admission === 'admitted') {
      // The one event that comes in any case: after the answer, and when the caller goes away before it.
      reply.raw.once('close', () => { underWay.leave(key) })
      done()
      return
    }
    metrics.requestRefused(listener, 'under_way')
    if (admission === 'full') sendProblem(reply, { code: 'CAPACITY_EXHAUSTED', detail: 'limits.maxRequests is reached.' })
    else sendProblem(reply, { code: 'RATE_LIMITED', detail: `One caller may have ${underWay.maxPerCaller} requests under way at once.` })
  })
}
