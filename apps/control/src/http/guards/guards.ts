// Everything that stands before the routes of a listener, in the order in which it is asked.
import type { FastifyInstance } from 'fastify'
import type { Listener } from '../listener/listener.js'
import type { ErrorCode } from '../problems/errors.js'
import { addAccess } from './access.js'
import { addAuthentication, addAuthenticationDemand } from './authentication.js'
import { addCallers } from './callers.js'
import { addConnectionBounds } from './connections.js'
import type { GuardDeps } from './guard-deps.js'
import { addHosts } from './hosts.js'
import { addRequestRates } from './request-rates.js'
import { addRequestsUnderWay } from './requests-under-way.js'

/** Codes that any guarded route can be refused with. */
export const guardErrors = ['CALLER_UNCLEAR', 'UNAUTHENTICATED', 'ACCESS_DENIED', 'HOST_NOT_ALLOWED', 'CROSS_SITE_REQUEST', 'RATE_LIMITED', 'CAPACITY_EXHAUSTED', 'KEYS_UNAVAILABLE'] as const satisfies readonly ErrorCode[]

/** Guards every route but those for health, and paths that do not exist. */
export async function addGuards (app: FastifyInstance, deps: GuardDeps, listener: Listener): Promise<void> {
  addConnectionBounds(app, deps, listener)
  addCallers(app, deps, listener)
  addHosts(app, deps, listener)
  addAccess(app, deps, listener)
  addAuthentication(app, deps, listener)
  await addRequestRates(app, deps, listener)
  addAuthenticationDemand(app, deps, listener)
  // Last: who is refused takes nothing from those who are not.
  addRequestsUnderWay(app, deps, listener)
}
