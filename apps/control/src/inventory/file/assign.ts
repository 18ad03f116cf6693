// Which objects belong to which of the held resource types. Only the API server knows the true plural of a kind, and files
// come without one, so a kind is taken to have every plural that English spelling gives it.
import { Pace } from '#core/pace.js'
import type { Slices } from '#core/slices.js'
import type { KubeObject } from '../objects/inventory.js'
import type { ResourceType } from '../objects/resource-types.js'

const SLICE_OBJECTS = 500

export interface Assignment {
  /** By resource type, every one of them; an object is under each type it belongs to. */
  readonly byType: ReadonlyMap<string, readonly KubeObject[]>
  /** How many objects belong to none. */
  readonly ignored: number
}

/** Looks at a few hundred objects in one slice. */
export function * assignObjects (objects: readonly KubeObject[], types: ReadonlyMap<string, ResourceType>): Slices<Assignment> {
  const byType = new Map<string, KubeObject[]>([...types.keys()].map(name => [name, []]))
  const pace = new Pace(SLICE_OBJECTS)
  let ignored = 0
  for (const object of objects) {
    const own = [...types].filter(([, type]) => isOfType(object, type))
    for (const [name] of own) byType.get(name)?.push(object)
    if (own.length === 0) ignored++
    if (pace.isFull()) yield
  }
  return { byType, ignored }
}

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
