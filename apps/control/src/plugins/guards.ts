// Everything that stands before the routes of a listener, in the order in which it is asked.
import type { FastifyInstance } from 'fastify'
import type { Listener } from '../listener.js'
import type { ErrorCode } from '../errors.js'
import type { ControlDeps } from '../deps.js'
import { addAccess } from './access.js'
import { addAuthentication, addAuthenticationDemand } from './authentication.js'
import { addCallers } from './callers.js'
import { addConnectionBound } from './connections.js'
import { addRequestRates } from './request-rates.js'
import { addRequestsUnderWay } from './requests-under-way.js'

/** Codes that any guarded route can be refused with. */
export const guardErrors = ['UNAUTHENTICATED', 'ACCESS_DENIED', 'RATE_LIMITED', 'CAPACITY_EXHAUSTED', 'KEYS_UNAVAILABLE'] as const satisfies readonly ErrorCode[]

/** Guards every route but those for health, and those that do not exist. */
export async function addGuards (app: FastifyInstance, deps: ControlDeps, listener: Listener): Promise<void> {
  addConnectionBound(app, deps, listener)
  addCallers(app)
  addAccess(app, deps, listener)
  addRequestsUnderWay(app, deps, listener)
  addAuthentication(app, deps, listener)
  await addRequestRates(app, deps, listener)
  addAuthenticationDemand(app, deps, listener)
}
