// Requests by a name that is not ours, and those that a page of somebody else makes in a browser.
import type { IncomingHttpHeaders } from 'node:http'
import type { FastifyInstance } from 'fastify'
import { hostFrom, isLocalName, isSameOrigin, namesFrom, originName } from '../callers/hosts.js'
import type { ControlDeps } from '../deps.js'
import type { Listener } from '../listener.js'
import { sendProblem, type Failure } from '../problem.js'
import { isCounted } from './callers.js'

const notAllowed: Failure = { code: 'HOST_NOT_ALLOWED', detail: 'The Host header has no name of this listener.' }
const crossSite: Failure = { code: 'CROSS_SITE_REQUEST', detail: 'A page of another site may not call here.' }

/** Refuses what has no name of `queryHosts` or `adminHosts` in its Host header, or comes from a page of another origin. */
export function addHosts (app: FastifyInstance, { config, metrics }: Pick<ControlDeps, 'config' | 'metrics'>, listener: Listener): void {
  const configured = listener === 'public' ? config.queryHosts : config.adminHosts
  // Their pages may call, too.
  const isConfigured = namesFrom(configured ?? [])
  const isOurs = (name: string): boolean => configured === undefined || isLocalName(name) || isConfigured(name)
  app.addHook('onRequest', (request, reply, done) => {
    const failure = isCounted(request) ? faultOf(request.raw.headers, request.raw.httpVersionMajor * 10 + request.raw.httpVersionMinor) : undefined
    if (failure === undefined) { done(); return }
    metrics.requestRefused(listener, 'host')
    sendProblem(reply, failure)
  })

  const faultOf = (headers: IncomingHttpHeaders, version: number): Failure | undefined => {
    // A request of HTTP/1.0 needs none (RFC 9112 §3.2); browsers do not speak it.
    if (headers.host === undefined) return version < 11 ? undefined : { code: 'MALFORMED_REQUEST', detail: 'The Host header is missing.' }
    const host = hostFrom(headers.host)
    if (host === undefined || !isOurs(host.name)) return notAllowed
    const { origin } = headers
    if (origin !== undefined) return isSameOrigin(origin, host) || isConfigured(originName(origin) ?? '') ? undefined : crossSite
    return isFromElsewhere(headers) ? crossSite : undefined
  }
}

// Fetch Metadata (W3C): a link that somebody follows is no request of the page it is on.
function isFromElsewhere (headers: IncomingHttpHeaders): boolean {
  const site = headers['sec-fetch-site']
  return (site === 'cross-site' || site === 'same-site') && headers['sec-fetch-mode'] !== 'navigate'
}
