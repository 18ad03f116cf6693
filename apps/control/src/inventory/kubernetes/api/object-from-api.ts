// From what the API server sends to what is kept of it: checked, and without the parts no query asks for.
import { err, ok, type Result } from '#core/result.js'
import { isMap, type Json } from '../../objects/json.js'
import { kubeObjectFrom } from '../../objects/kube-object.js'
import type { KubeObject } from '../../objects/inventory.js'

/** What objects must be. */
export interface Expected {
  readonly apiVersion: string
  /** Undefined until the first object said it. */
  readonly kind: string | undefined
  /** Undefined: any. */
  readonly namespace: string | undefined
}

export const objectFaults = ['bad_object', 'wrong_kind'] as const

export type ObjectFault = typeof objectFaults[number]

/** A page of a list. */
export interface ListPage {
  readonly objects: readonly KubeObject[]
  readonly resourceVersion: string
  /** What to ask for the next page with; undefined on the last. */
  readonly continueToken: string | undefined
}

const LAST_APPLIED = 'kubectl.kubernetes.io/last-applied-configuration'

/**
 * The object in `value`, without `managedFields` and the last applied configuration: they are half of an object's size
 * and repeat the rest of it. `value` is used up: it must not be used elsewhere.
 */
export function objectFromApi (value: unknown, expected: Expected): Result<KubeObject, ObjectFault> {
  const object = kubeObjectFrom(stripped(value))
  if (!object.ok) return err('bad_object')
  const { metadata } = object.value
  if (!isTextOrAbsent(metadata.uid) || !isTextOrAbsent(metadata.resourceVersion)) return err('bad_object')
  return isExpected(object.value, expected) ? object : err('wrong_kind')
}

function isExpected (object: KubeObject, { apiVersion, kind = object.kind, namespace = object.metadata.namespace }: Expected): boolean {
  return object.apiVersion === apiVersion && object.kind === kind && object.metadata.namespace === namespace
}

/**
 * The page in the body of a list. Items of built-in types come without kind and apiVersion, which are then those of
 * the list; a list without items may have `items: null`. The fault says what is wrong with it.
 */
export function listPageFrom (body: unknown, expected: Expected): Result<ListPage, string> {
  if (!isMap(body)) return err('the list is not a JSON object')
  const metadata = isMap(body['metadata']) ? body['metadata'] : {}
  const { resourceVersion, continue: token } = metadata
  if (typeof resourceVersion !== 'string' || resourceVersion === '') return err('the list has no resourceVersion')
  const items = body['items'] ?? []
  if (!Array.isArray(items)) return err('the list has no items')
  const objects: KubeObject[] = []
  for (const item of items as unknown[]) {
    const object = objectFromApi(withKind(item, body['kind'], expected.apiVersion), expected)
    if (!object.ok) return err(`the list has an item that is ${object.error === 'wrong_kind' ? 'of another kind or namespace' : 'no Kubernetes object'}`)
    objects.push(object.value)
  }
  return ok({ objects, resourceVersion, continueToken: typeof token === 'string' && token !== '' ? token : undefined })
}

function withKind (item: unknown, listKind: unknown, apiVersion: string): unknown {
  if (!isMap(item) || item['kind'] !== undefined || typeof listKind !== 'string') return item
  return { apiVersion, kind: listKind.replace(/List$/, ''), ...item }
}

function stripped (value: unknown): unknown {
  if (!isMap(value) || !isMap(value['metadata'])) return value
  const { managedFields, annotations, ...metadata } = value['metadata']
  return { ...value, metadata: isMap(annotations) ? { ...metadata, annotations: withoutLastApplied(annotations) } : metadata }
}

function withoutLastApplied (annotations: Json): Json {
  const { [LAST_APPLIED]: _, ...others } = annotations
  return others
}

function isTextOrAbsent (value: unknown): boolean {
  return value === undefined || typeof value === 'string'
}
