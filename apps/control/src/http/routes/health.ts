// Probes: alive, ready, and why not. Both listeners have them.
import { healthOf, readinessOf, type HealthDeps } from './health-report.js'
import { HealthSchema, LivenessSchema, ReadinessSchema } from '../schemas/health.js'
import { refTo } from '../schemas/named.js'
import type { Listener, TypedApp } from '../listener/listener.js'

/** Adds GET /livez, /readyz and /healthz. */
export function addHealthRoutes (app: TypedApp, deps: HealthDeps, tag: Listener): void {
  app.get('/livez', {
    schema: {
      operationId: 'getLiveness',
      summary: 'Whether the process answers at all.',
      description: '200 as long as it does, whatever is missing: restarting it would not help.',
      tags: [tag],
      response: { 200: refTo(LivenessSchema) }
    }
  }, (_request, reply) => { void reply.send({ status: 'ok' }) })

  app.get('/readyz', {
    schema: {
      operationId: 'getReadiness',
      summary: 'Whether queries can be answered.',
      description: '200 also while the director drains: queries are refused then, and its sessions go on.',
      tags: [tag],
      response: { 200: refTo(ReadinessSchema), 503: refTo(ReadinessSchema) }
    }
  }, (_request, reply) => {
    const readiness = readinessOf(deps, tag === 'admin')
    void reply.code(readiness.status === 'not_ready' ? 503 : 200).send(readiness)
  })

  app.get('/healthz', {
    schema: {
      operationId: 'getHealth',
      summary: 'The state of every component.',
      description: '503 if queries cannot be answered. Faults, with their words, are told on the admin listener alone.',
      tags: [tag],
      response: { 200: refTo(HealthSchema), 503: refTo(HealthSchema) }
    }
  }, (_request, reply) => {
    const health = healthOf(deps, tag === 'admin')
    void reply.code(health.status === 'not_ready' ? 503 : 200).send(health)
  })
}
