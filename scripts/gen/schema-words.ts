// A TypeBox schema in the words of a table: its type and its bounds.
import type { TSchema } from '@sinclair/typebox'
import { code } from './markdown.js'

/** Names a schema that has a section of its own; undefined for one that is described in place. */
export type NameOf = (schema: TSchema) => string | undefined

const scalars: Readonly<Record<string, string>> = { integer: 'whole number', number: 'number', string: 'text', boolean: 'true or false' }

/** The properties of an object schema, in their order. */
export function propertiesOf (schema: TSchema): Array<[key: string, property: TSchema]> {
  return Object.entries((schema['properties'] ?? {}) as Record<string, TSchema>)
}

/** Whether the object schema asks for `key`; a default makes it optional to write. */
export function isRequired (schema: TSchema, key: string): boolean {
  const property = (schema['properties'] as Record<string, TSchema>)[key]
  return ((schema['required'] ?? []) as string[]).includes(key) && property?.default === undefined
}

export function typeWords (schema: TSchema, nameOf: NameOf): string {
  const name = nameOf(schema)
  if (name !== undefined) return name
  if (schema['const'] !== undefined) return code(String(schema['const']))
  if (schema['anyOf'] !== undefined) return (schema['anyOf'] as TSchema[]).map(option => typeWords(option, nameOf)).join(', ')
  if (schema['type'] === 'array') return `list of ${typeWords(schema['items'] as TSchema, nameOf)}`
  const value = valueSchemaOf(schema)
  if (value !== undefined) return `map of text to ${typeWords(value, nameOf)}`
  return scalars[String(schema['type'])] ?? 'map'
}

/** The schema of a record's values. */
export function valueSchemaOf (schema: TSchema): TSchema | undefined {
  return Object.values((schema['patternProperties'] ?? {}) as Record<string, TSchema>)[0]
}

/** The bounds of a value; empty if there are none worth a word. */
export function rangeWords (schema: TSchema): string {
  const between = (from: unknown, to: unknown, unit: string): string => {
    if (to === undefined) return `from ${Number(from)}${unit}`
    return from === to ? `${Number(to)}${unit}` : `${Number(from ?? 0)} to ${Number(to)}${unit}`
  }
  if (schema['minimum'] !== undefined) return between(schema['minimum'], schema['maximum'], '')
  if (schema['pattern'] !== undefined) return code(String(schema['pattern']))
  if (schema['maxLength'] !== undefined) return between(schema['minLength'], schema['maxLength'], ' characters')
  return schema['maxItems'] === undefined ? '' : between(schema['minItems'], schema['maxItems'], ' entries')
}
