// A bound on requests under way, which is what bounds the memory for their bodies and answers.
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { UnderWay, type Held } from '#http/under-way.js'
import { whenOver } from '#http/when-over.js'
import type { Listener } from '../listener/listener.js'
import { sendProblem } from '../problems/problem.js'
import { isCounted } from './callers.js'
import type { GuardDeps } from './guard-deps.js'

/** What one caller may have of the bound. */
const CALLER_SHARE = 1 / 4

/** For this long nobody has to give way: a body from far away comes in several parts. */
const GRACE_MS = 250

/** Refuses requests beyond `limits.maxRequests`, before anything of their bodies is read. */
export function addRequestsUnderWay (app: FastifyInstance, { config, clock, metrics, tables }: Pick<GuardDeps, 'config' | 'clock' | 'metrics' | 'tables'>, listener: Listener): void {
  const { maxRequests } = config.limits
  const maxPerCaller = Math.max(1, Math.floor(maxRequests * CALLER_SHARE))
  const underWay = new UnderWay({ max: maxRequests, maxPerCaller, graceMs: GRACE_MS }, () => clock.now())
  tables.add(`requests_${listener}`, maxRequests, () => underWay.count)
  app.addHook('onRequest', (request, reply, done) => {
    if (!isCounted(request)) { done(); return }
    const held = heldBy(request, reply)
    const admission = underWay.enter(request.caller.key, held)
    if (admission === 'admitted') {
      whenOver(request.raw, reply.raw, () => { underWay.leave(held) })
      done()
      return
    }
    metrics.requestRefused(listener, 'under_way')
    if (admission === 'full') sendProblem(reply, { code: 'CAPACITY_EXHAUSTED', detail: 'limits.maxRequests is reached.' })
    else sendProblem(reply, { code: 'RATE_LIMITED', detail: `One caller may have ${maxPerCaller} requests under way at once.` })
  })
}

function heldBy ({ raw: request }: FastifyRequest, { raw: response }: FastifyReply): Held {
  return {
    isWaitingForCaller: () => !request.complete || response.writableEnded,
    giveUp: () => { request.socket.destroy() }
  }
}
