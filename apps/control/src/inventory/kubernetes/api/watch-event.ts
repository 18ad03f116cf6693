// From a line of a watch to an event, or to the reason why it is not one. What is in doubt is refused: after a line that
// was skipped nobody could say what the server holds.
import { err, ok, type Result } from '#core/result.js'
import { isMap } from '../../objects/json.js'
import type { KubeObject } from '../../objects/inventory.js'
import { failureFromStatus, type ApiFailure } from './api-failure.js'
import { objectFaults, objectFromApi, type Expected } from './object-from-api.js'

export type WatchEvent =
  | { readonly type: 'ADDED' | 'MODIFIED' | 'DELETED', readonly object: KubeObject, readonly resourceVersion: string }
  | { readonly type: 'BOOKMARK', readonly resourceVersion: string }
  | { readonly type: 'ERROR', readonly failure: ApiFailure }

export const lineFaults = ['bad_json', 'unknown_type', 'no_version', ...objectFaults] as const

export type LineFault = typeof lineFaults[number]

/** The event in `line`, whose object is as `objectFromApi` makes it. */
export function watchEventFrom (line: string, expected: Expected): Result<WatchEvent, LineFault> {
  const event = parse(line)
  if (!isMap(event)) return err('bad_json')
  switch (event['type']) {
    case 'ERROR': return ok({ type: 'ERROR', failure: failureFromStatus(event['object']) })
    case 'BOOKMARK': return bookmarkFrom(event['object'])
    case 'ADDED':
    case 'MODIFIED':
    case 'DELETED': return objectEventFrom(event['type'], event['object'], expected)
    default: return err('unknown_type')
  }
}

function objectEventFrom (type: 'ADDED' | 'MODIFIED' | 'DELETED', value: unknown, expected: Expected): Result<WatchEvent, LineFault> {
  const object = objectFromApi(value, expected)
  if (!object.ok) return object
  const { resourceVersion } = object.value.metadata
  return resourceVersion === undefined ? err('no_version') : ok({ type, object: object.value, resourceVersion })
}

// Its object has a version and nothing else.
function bookmarkFrom (value: unknown): Result<WatchEvent, LineFault> {
  const metadata = isMap(value) ? value['metadata'] : undefined
  const resourceVersion = isMap(metadata) ? metadata['resourceVersion'] : undefined
  if (typeof resourceVersion !== 'string' || resourceVersion === '') return err('no_version')
  return ok({ type: 'BOOKMARK', resourceVersion })
}

function parse (line: string): unknown {
  try {
    return JSON.parse(line)
  } catch {
    // No JSON at all: the caller says so.
    return undefined
  }
}
