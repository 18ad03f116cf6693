// Who asks, for the hooks that come after.
import type { FastifyInstance, FastifyRequest } from 'fastify'
import { callerAt, type Caller } from '../callers/caller.js'
import type { Listener } from '../listener.js'

declare module 'fastify' {
  interface FastifyRequest {
    /** Set before any other hook runs. */
    caller: Caller
  }
}

const health = ['/livez', '/readyz', '/healthz']

/** Routes that are served to everybody, at any rate. All others are guarded, and so are paths that do not exist. */
const openRoutes: Readonly<Record<Listener, ReadonlySet<string>>> = {
  public: new Set([...health, '/openapi.json']),
  admin: new Set(health)
}

export function isOpenRoute (listener: Listener, url: string | undefined): boolean {
  return url !== undefined && openRoutes[listener].has(url)
}

export function isGuarded (listener: Listener, request: FastifyRequest): boolean {
  return !isOpenRoute(listener, request.routeOptions.url)
}

/** A connection that is gone has no address any more; what it asked for is answered to nobody. */
const nobody: Caller = { ip: '0.0.0.0', words: [0, 0, 0xffff, 0], key: 'ip:0.0.0.0' }

/** Adds `request.caller`. */
export function addCallers (app: FastifyInstance): void {
  app.decorateRequest('caller', null as unknown as Caller)
  app.addHook('onRequest', (request, _reply, done) => {
    request.caller = callerAt(request.ip, request.socket.remoteAddress) ?? nobody
    done()
  })
}
