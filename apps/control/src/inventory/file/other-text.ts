// What a document in an inventory is that is no Kubernetes object, where that can be said better than by what it lacks.
import { rootAliases } from '#config/aliases.js'
import { ConfigSchema } from '#config/schema.js'
import { isMap } from '../objects/json.js'

const configKeys: ReadonlySet<string> = new Set([...Object.keys(ConfigSchema.properties), ...rootAliases.map(({ alias }) => alias)])

/** A sentence about `value`; undefined if it may be meant for an object. */
export function otherText (value: unknown): string | undefined {
  if (!isMap(value) || value['kind'] !== undefined || value['apiVersion'] !== undefined) return undefined
  if (Object.keys(value).filter(key => configKeys.has(key)).length < 2) return undefined
  return 'this is a configuration of the director, not a Kubernetes object; keep it outside of inventory.path'
}
