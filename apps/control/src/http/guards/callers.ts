// Who asks, for the hooks that come after, and which routes ask for it.
import type { FastifyInstance, FastifyRequest } from 'fastify'
import { addressBlock } from '#wire/address-block.js'
import { callerOf, type Caller, type Trust } from '../callers/caller.js'
import type { Listener } from '../listener/listener.js'
import { sendProblem } from '../problems/problem.js'
import type { GuardDeps } from './guard-deps.js'

declare module 'fastify' {
  interface FastifyRequest {
    /** Set before any other hook runs. */
    caller: Caller
  }
}

/** Served to everybody at any rate: if they were refused in a flood, the kubelet would restart a process that withstands it. */
const health: ReadonlySet<string> = new Set(['/livez', '/readyz', '/healthz'])

/** Served without a key, because all that is in them is in the repository. */
const openDocuments: Readonly<Record<Listener, (url: string) => boolean>> = {
  public: url => url === '/openapi.json',
  admin: url => url === '/docs' || url.startsWith('/docs/')
}

/** Whether limits and address lists are for this request: all but those for health, and paths that do not exist too. */
export function isCounted ({ routeOptions: { url } }: FastifyRequest): boolean {
  return url === undefined || !health.has(url)
}

/** Whether a route needs no key. */
export function isOpenRoute (listener: Listener, url: string | undefined): boolean {
  return url !== undefined && (health.has(url) || openDocuments[listener](url))
}

/** Whether this request needs what `queryAuth` or `adminAuth` asks for. */
export function isGuarded (listener: Listener, { routeOptions: { url } }: FastifyRequest): boolean {
  return !isOpenRoute(listener, url)
}

/** For a connection that is gone, which has no address any more. Nobody gets the answer. */
const nobody: Caller = { ip: '0.0.0.0', words: [0, 0, 0xffff, 0], key: 'ip:0.0.0.0' }

/** Adds `request.caller`. */
export function addCallers (app: FastifyInstance, { config, metrics }: Pick<GuardDeps, 'config' | 'metrics'>, listener: Listener): void {
  const trust = trustFrom(config)
  app.decorateRequest('caller', null as unknown as Caller)
  app.addHook('onRequest', (request, reply, done) => {
    const caller = callerOf(request.socket.remoteAddress, request.headers, trust) ?? nobody
    request.caller = caller === 'unclear' ? nobody : caller
    if (caller !== 'unclear' || !isCounted(request)) { done(); return }
    metrics.requestRefused(listener, 'forwarded')
    sendProblem(reply, { code: 'CALLER_UNCLEAR', detail: `A trusted proxy brings no address in ${trust.header}.` })
  })
}

function trustFrom ({ trustedProxies, forwardedHeader }: GuardDeps['config']): Trust {
  const blocks = trustedProxies.map(text => {
    const block = addressBlock(text)
    if (block === undefined) throw new Error(`${text} is not a CIDR block`)
    return block
  })
  return { isTrusted: words => blocks.some(contains => contains(words)), header: forwardedHeader }
}
