// Requests by a name that is not ours, and those that a page of somebody else makes in a browser.
import type { IncomingMessage } from 'node:http'
import type { FastifyInstance } from 'fastify'
import { authorityOf, hostFrom, isLocalName, isSameOrigin, namesFrom, originName } from '../callers/hosts.js'
import type { Listener } from '../listener/listener.js'
import { sendProblem, type ApiFailure } from '../problems/problem.js'
import { isCounted } from './callers.js'
import type { GuardDeps } from './guard-deps.js'

const notAllowed: ApiFailure = { code: 'HOST_NOT_ALLOWED', detail: 'The Host header has no name of this listener.' }
const crossSite: ApiFailure = { code: 'CROSS_SITE_REQUEST', detail: 'A page of another site may not call here.' }

/** Refuses what has no name of `queryHosts` or `adminHosts` in its Host header, or comes from a page of another origin. */
export function addHosts (app: FastifyInstance, { config, metrics }: Pick<GuardDeps, 'config' | 'metrics'>, listener: Listener): void {
  const configured = listener === 'public' ? config.queryHosts : config.adminHosts
  // Their pages may call, too.
  const isConfigured = namesFrom(configured ?? [])
  const isOurs = (name: string): boolean => configured === undefined || isLocalName(name) || isConfigured(name)
  app.addHook('onRequest', (request, reply, done) => {
    const failure = isCounted(request) ? faultOf(request.raw) : undefined
    if (failure === undefined) { done(); return }
    metrics.requestRefused(listener, 'host')
    sendProblem(reply, failure)
  })

  const faultOf = (request: IncomingMessage): ApiFailure | undefined => {
    const { headers, httpVersionMajor, httpVersionMinor } = request
    // A request of HTTP/1.0 needs none (RFC 9112 §3.2); browsers do not speak it.
    if (headers.host === undefined) return httpVersionMajor * 10 + httpVersionMinor < 11 ? undefined : malformed('The Host header is missing.')
    // Node keeps the first: what is before us may go by the last.
    if (hostCount(request) > 1) return malformed('There is more than one Host header.')
    // The target's own host stands for the header's (RFC 9112 §3.2.2).
    const host = hostFrom(authorityOf(request.url ?? '') ?? headers.host)
    if (host === undefined || !isOurs(host.name)) return notAllowed
    const { origin } = headers
    if (origin !== undefined) return isSameOrigin(origin, host) || isConfigured(originName(origin) ?? '') ? undefined : crossSite
    return isFromElsewhere(request) ? crossSite : undefined
  }
}

function malformed (detail: string): ApiFailure {
  return { code: 'MALFORMED_REQUEST', detail }
}

function hostCount ({ rawHeaders }: IncomingMessage): number {
  let count = 0
  for (let at = 0; at < rawHeaders.length; at += 2) if (rawHeaders[at]!.length === 4 && rawHeaders[at]!.toLowerCase() === 'host') count++
  return count
}

// Fetch Metadata (W3C): to follow a link is not a request of the page that has the link. To send a form is.
function isFromElsewhere ({ method, headers }: IncomingMessage): boolean {
  const site = headers['sec-fetch-site']
  const isLink = headers['sec-fetch-mode'] === 'navigate' && (method === 'GET' || method === 'HEAD')
  return (site === 'cross-site' || site === 'same-site') && !isLink
}
