// Which methods a path has, for the answers to the others: OPTIONS is told them, and the rest is refused with them
// (RFC 9110 §9.3.7, §15.5.6). No answer says anything of CORS, so a browser lets no other site's page send JSON.
import type { FastifyInstance, FastifyRequest } from 'fastify'

/** The methods of the route at `path`; undefined if there is none. */
export type AllowedMethods = (path: string) => ReadonlySet<string> | undefined

interface Route {
  readonly parts: readonly string[]
  readonly methods: Set<string>
}

/** Notes the routes that are added from now on. */
export function followMethods (app: FastifyInstance): AllowedMethods {
  const routes = new Map<string, Route>()
  app.addHook('onRoute', ({ url, method }) => {
    const route = routes.get(url) ?? { parts: url.split('/'), methods: new Set() }
    routes.set(url, route)
    for (const each of [method].flat()) route.methods.add(each)
  })
  return path => {
    if (path === '*') return new Set([...routes.values()].flatMap(({ methods }) => [...methods]))
    const asked = decoded(path).split('/')
    for (const { parts, methods } of routes.values()) if (isAt(parts, asked)) return methods
    return undefined
  }
}

/** The path that a request asks for, without the query string and, in absolute form, without the host; `*` of `OPTIONS *`. */
export function pathOf ({ url }: Pick<FastifyRequest, 'url'>): string {
  const [path = ''] = url.split('?', 1)
  return path.replace(/^[a-z][a-z0-9+.-]*:\/\/[^/]*\/?/i, '/')
}

/** As an Allow header lists them. */
export function allowOf (methods: ReadonlySet<string>): string {
  return [...new Set([...methods, 'OPTIONS'])].sort().join(', ')
}

// As the router does.
function decoded (path: string): string {
  try {
    return decodeURI(path)
  } catch { // URIError
    return path
  }
}

function isAt (parts: readonly string[], asked: readonly string[]): boolean {
  if (parts.at(-1) === '*' ? asked.length < parts.length : asked.length !== parts.length) return false
  return parts.every((part, at) => part === '*' || part === asked[at] || (part.startsWith(':') && asked[at] !== ''))
}
