// Which objects belong to which of the held resource types.
import type { KubeObject } from '../inventory.js'
import { isOfType } from '../plural.js'
import type { ResourceType } from '../resource-types.js'

export interface Assignment {
  /** By resource type, every one of them; an object is under each type it belongs to. */
  readonly byType: ReadonlyMap<string, readonly KubeObject[]>
  /** How many objects belong to none. */
  readonly ignored: number
}

export function assignObjects (objects: readonly KubeObject[], types: ReadonlyMap<string, ResourceType>): Assignment {
  const byType = new Map([...types].map(([name, type]) => [name, objects.filter(object => isOfType(object, type))]))
  const assigned = new Set([...byType.values()].flat())
  return { byType, ignored: objects.length - assigned.size }
}
