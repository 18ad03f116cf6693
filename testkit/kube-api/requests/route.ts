// What a request's path and method ask for. Discovery paths are left to discovery.ts.
import { flagOf } from './list-options.js'
import type { Verb } from './request-log.js'

export interface ResourceRoute {
  readonly verb: Verb
  readonly group: string
  readonly version: string
  readonly plural: string
  readonly namespace: string | undefined
  readonly name: string | undefined
}

const RESOURCE = /^\/(?:api|apis\/([^/]+))\/([^/]+)(?:\/namespaces\/([^/]+))?\/([^/]+)(?:\/([^/]+))?$/

const writes: Readonly<Record<string, Verb>> = { POST: 'create', PUT: 'update', PATCH: 'patch', DELETE: 'delete' }

/** undefined for a path that can be no resource. */
export function routeOf (method: string, path: string, search: URLSearchParams): ResourceRoute | undefined {
  const [matched, group = '', version, namespace, plural, name] = RESOURCE.exec(path) ?? []
  if (matched === undefined || (group === '' && path.startsWith('/apis'))) return undefined
  const reads = name !== undefined ? 'get' : flagOf(search, 'watch') ? 'watch' : 'list'
  const verb = method === 'GET' || method === 'HEAD' ? reads : writes[method] ?? 'other'
  return { verb, group, version: version!, plural: plural!, namespace: decoded(namespace), name: decoded(name) }
}

function decoded (part: string | undefined): string | undefined {
  return part === undefined ? undefined : decodeURIComponent(part)
}
