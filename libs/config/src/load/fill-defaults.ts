// Defaults of the schema where the document says nothing. TypeBox's own Value.Default merges a default map into whatever
// stands in its place, so that a list where a map belongs would pass; here what was written stays as it was written.
import type { TSchema } from '@sinclair/typebox'
import { isMap, type UnknownMap } from '../map.js'

/** A copy of `value` in which every absent key that has a default in `schema` has it. */
export function fillDefaults (schema: TSchema, value: unknown): unknown {
  if (value === undefined) return schema.default === undefined ? undefined : fillDefaults(schema, structuredClone(schema.default))
  if (Array.isArray(value)) return fillItems(schema, value)
  return isMap(value) ? fillMap(schema, value) : value
}

function fillItems (schema: TSchema, list: readonly unknown[]): unknown {
  const items = schema['items'] as TSchema | undefined
  return items === undefined ? list : list.map(item => fillDefaults(items, item))
}

function fillMap (schema: TSchema, map: UnknownMap): UnknownMap {
  const [valueSchema] = Object.values((schema['patternProperties'] ?? {}) as Record<string, TSchema>)
  const filled = new Map(Object.entries(map))
  if (valueSchema !== undefined) for (const [key, value] of filled) filled.set(key, fillDefaults(valueSchema, value))
  for (const [key, property] of Object.entries((schema['properties'] ?? {}) as Record<string, TSchema>)) {
    const value = fillDefaults(property, filled.get(key))
    if (value !== undefined) filled.set(key, value)
  }
  return Object.fromEntries(filled)
}
