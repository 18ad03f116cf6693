// The query of a list or a watch, read and checked as the server does before it looks at any object.
import { err, ok, type Result } from '#core/result.js'
import type { ResourceType } from '../objects/resource-type.js'
import { parseFieldSelector, parseLabelSelector, type Predicate } from '../objects/selector.js'
import { failure, invalidOptions, type Reply } from './reply.js'

export interface ListOptions {
  readonly selects: Predicate
  /** True when there is a selector: the server then tells no remaining item count. */
  readonly selective: boolean
  /** 0 for no limit. */
  readonly limit: number
  readonly continueToken: string
  /** undefined when the request has none: the newest. 0: any. */
  readonly version: number | undefined
  readonly versionMatch: 'Exact' | 'NotOlderThan' | undefined
  readonly bookmarks: boolean
  readonly sendInitialEvents: boolean | undefined
  readonly timeoutSeconds: number | undefined
}

export function parseListOptions (type: ResourceType, search: URLSearchParams): Result<ListOptions, Reply> {
  const selects = parseSelectors(type, search)
  if (!selects.ok) return selects
  for (const name of ['limit', 'timeoutSeconds', 'resourceVersion']) {
    const text = search.get(name) ?? ''
    if (!/^\d*$/.test(text)) return err(failure(400, `${name}: Invalid value: "${text}": strconv.ParseUint: parsing "${text}": invalid syntax`))
  }
  const versionMatch = search.get('resourceVersionMatch') ?? ''
  if (versionMatch !== '' && versionMatch !== 'Exact' && versionMatch !== 'NotOlderThan') {
    return err(invalidOptions('resourceVersionMatch', `supported values: "Exact", "NotOlderThan", not "${versionMatch}"`))
  }
  return ok({
    selects: selects.value,
    selective: (search.get('labelSelector') ?? '') !== '' || (search.get('fieldSelector') ?? '') !== '',
    limit: numberOf(search, 'limit') ?? 0,
    continueToken: search.get('continue') ?? '',
    version: numberOf(search, 'resourceVersion'),
    versionMatch: versionMatch === '' ? undefined : versionMatch,
    bookmarks: flagOf(search, 'allowWatchBookmarks'),
    sendInitialEvents: search.has('sendInitialEvents') ? flagOf(search, 'sendInitialEvents') : undefined,
    timeoutSeconds: numberOf(search, 'timeoutSeconds')
  })
}

/** Everything but `0` and `false` is true, the empty value too: how k8s.io/apimachinery converts queries. */
export function flagOf (search: URLSearchParams, name: string): boolean {
  const value = search.get(name)
  return value !== null && value !== '0' && value.toLowerCase() !== 'false'
}

function numberOf (search: URLSearchParams, name: string): number | undefined {
  const text = search.get(name) ?? ''
  return text === '' ? undefined : Number(text)
}

function parseSelectors (type: ResourceType, search: URLSearchParams): Result<Predicate, Reply> {
  const labels = parseLabelSelector(search.get('labelSelector') ?? '')
  if (!labels.ok) return err(failure(400, `unable to parse requirement: ${labels.error}`))
  const fields = parseFieldSelector(search.get('fieldSelector') ?? '')
  if (!fields.ok) {
    const { group, version, plural } = type
    return err(failure(400, `Unable to find "${group}/${version}, Resource=${plural}" that match field selector "${fields.error}": field label not supported`))
  }
  return ok(object => labels.value(object) && fields.value(object))
}
