// From any JSON value to a Kubernetes object the rest may rely on: named, in a namespace, labels and annotations of
// text. Where the value does not fit, the fault says which part of it.
import { err, ok, type Result } from '#core/result.js'
import type { KubeObject } from './inventory.js'
import { isMap, type DocumentPath, type Json, type ShapeFault } from './json.js'

/** Objects without one are in this namespace, as with `kubectl apply`. Kinds without namespaces are too. */
export const DEFAULT_NAMESPACE = 'default'

// Names become part of target keys (type/namespace/name) and of URLs; Kubernetes' rules are stricter still.
const namePattern = /^[^\s/%]{1,253}$/

/** The object in `value`, which is frozen JSON, or the first thing that is wrong with it. `at` is where it stands. */
export function kubeObjectFrom (value: unknown, at: DocumentPath = []): Result<KubeObject, ShapeFault> {
  const fault = shapeFault(value)
  if (fault !== undefined) return err({ path: [...at, ...fault.path], message: fault.message })
  const object = value as { readonly metadata: Json } & Json
  const metadata = { namespace: DEFAULT_NAMESPACE, ...withoutNulls(object.metadata) }
  return ok(Object.freeze({ ...object, metadata: Object.freeze(metadata) }) as unknown as KubeObject)
}

function shapeFault (object: unknown): ShapeFault | undefined {
  if (!isMap(object)) return { path: [], message: 'a Kubernetes object is expected here' }
  for (const field of ['apiVersion', 'kind']) {
    if (typeof object[field] !== 'string' || object[field] === '') return { path: [field], message: `${field} is missing or no text` }
  }
  const metadata = object['metadata']
  if (!isMap(metadata)) return { path: ['metadata'], message: 'metadata is missing or no map' }
  return metadataFault(metadata)
}

function metadataFault (metadata: Json): ShapeFault | undefined {
  for (const [field, isNeeded] of [['name', true], ['namespace', false]] as const) {
    const value = metadata[field] ?? undefined
    if (value === undefined ? isNeeded : typeof value !== 'string' || !namePattern.test(value)) {
      return { path: ['metadata', field], message: `metadata.${field} is ${value === undefined ? 'missing' : 'not a valid name'}` }
    }
  }
  const deletion = metadata['deletionTimestamp'] ?? ''
  if (typeof deletion !== 'string') return { path: ['metadata', 'deletionTimestamp'], message: 'metadata.deletionTimestamp is not text' }
  return textsFault(metadata, 'labels') ?? textsFault(metadata, 'annotations')
}

// The API server refuses numbers and booleans here too; in YAML they want quotes.
function textsFault (metadata: Json, field: 'labels' | 'annotations'): ShapeFault | undefined {
  const texts = metadata[field] ?? {}
  if (!isMap(texts)) return { path: ['metadata', field], message: `metadata.${field} is not a map` }
  for (const [name, text] of Object.entries(texts)) {
    if (typeof text !== 'string') {
      return { path: ['metadata', field, name], message: `metadata.${field} "${name}" is not text; put the value in quotes` }
    }
  }
  return undefined
}

function withoutNulls (map: Json): Json {
  return Object.fromEntries(Object.entries(map).filter(([, value]) => value !== null))
}
