// A bound on each caller's requests per second.
import rateLimit from '@fastify/rate-limit'
import type { FastifyInstance } from 'fastify'
import type { Listener } from '../listener/listener.js'
import { RateStore } from '../callers/rate-store.js'
import { sendProblem } from '../problems/problem.js'
import { isCounted } from './callers.js'
import type { GuardDeps } from './guard-deps.js'

const WINDOW_MS = 1000

/** Refuses requests beyond `limits.queriesPerSecond` or `limits.adminRequestsPerSecond`. */
export async function addRequestRates (app: FastifyInstance, { config, clock, metrics, tables }: Pick<GuardDeps, 'config' | 'clock' | 'metrics' | 'tables'>, listener: Listener): Promise<void> {
  const { maxCallers, queriesPerSecond, adminRequestsPerSecond } = config.limits
  const [name, max] = listener === 'public' ? ['queriesPerSecond', queriesPerSecond] : ['adminRequestsPerSecond', adminRequestsPerSecond]
  if (max === 0) return
  const store = new RateStore(clock, maxCallers)
  tables.add(`callers_${listener}`, maxCallers, () => store.size)
  await app.register(rateLimit, {
    global: false,
    max,
    timeWindow: WINDOW_MS,
    keyGenerator: request => request.caller.key,
    // The plugin wants a class; ours is made already.
    store: function () { return store } as unknown as new () => RateStore
  })
  const count = app.createRateLimit()
  app.addHook('onRequest', async (request, reply) => {
    if (!isCounted(request)) return
    const rate = await count(request)
    if (rate.isAllowed) return
    // draft-ietf-httpapi-ratelimit-headers-03, which is what clients and proxies read.
    reply.header('ratelimit-limit', max)
    reply.header('ratelimit-remaining', rate.remaining)
    reply.header('ratelimit-reset', rate.ttlInSeconds)
    if (!rate.isExceeded) return
    metrics.requestRefused(listener, 'rate')
    sendProblem(reply, { code: 'RATE_LIMITED', detail: `limits.${name} is reached: ${max} a second.` })
    return reply
  })
}
