// From the kind in an object to the plural in a mapping. Only the API server knows the true plural, and files come
// without one, so a kind is taken to have every plural that English spelling gives it.
import type { KubeObject } from './inventory.js'
import type { ResourceType } from './resource-types.js'

/**
 * The plurals a kind may have, in lower case: with `s` (GameServer), `es` (Ingress), `ies` for `y` (NetworkPolicy), or
 * unchanged (Endpoints).
 */
export function pluralsOf (kind: string): readonly string[] {
  const singular = kind.toLowerCase()
  const plurals = [`${singular}s`, `${singular}es`, singular]
  return singular.endsWith('y') ? [...plurals, `${singular.slice(0, -1)}ies`] : plurals
}

/** True if the object is of that resource type: the same group and version, and one of its kind's plurals. */
export function isOfType (object: KubeObject, { group, version, resource }: ResourceType): boolean {
  const apiVersion = group === '' ? version : `${group}/${version}`
  return object.apiVersion === apiVersion && pluralsOf(object.kind).includes(resource.toLowerCase())
}
