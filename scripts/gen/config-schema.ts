// docs/config.schema.json: the configuration as JSON Schema 2020-12, for editors. It takes what the loader takes: keys with
// a default may be left out, and the other spellings are known.
import type { TSchema } from '@sinclair/typebox'
import { rootAliases, statusQueryAliases, type Alias } from '#config/aliases.js'
import { ConfigSchema, StatusQuerySchema } from '#config/schema.js'
import { isRequired, propertiesOf } from './schema-words.js'

type Json = Record<string, unknown>

export function configJsonSchema (): Json {
  // No $id: nobody serves this file at an address.
  const { $id: _, ...schema } = withoutNeedlessDemands(ConfigSchema)
  return { $schema: 'https://json-schema.org/draft/2020-12/schema', ...schema }
}

function withoutNeedlessDemands (schema: TSchema): Json {
  const copy = Object.fromEntries(Object.entries(schema).map(([keyword, value]) => [keyword, copyOf(keyword, value)]))
  if (schema['properties'] === undefined) return copy
  const aliases = aliasesOf(schema)
  const required = propertiesOf(schema).map(([key]) => key).filter(key => isRequired(schema, key) && !aliases.some(alias => alias.key === key))
  copy['properties'] = { ...copy['properties'] as Json, ...Object.fromEntries(aliases.map(alias => [alias.alias, aliasSchema(schema, alias)])) }
  delete copy['required']
  return required.length === 0 ? copy : { ...copy, required }
}

function copyOf (keyword: string, value: unknown): unknown {
  if (keyword === 'properties' || keyword === 'patternProperties') {
    return Object.fromEntries(Object.entries(value as Record<string, TSchema>).map(([key, schema]) => [key, withoutNeedlessDemands(schema)]))
  }
  if (keyword === 'items') return withoutNeedlessDemands(value as TSchema)
  return keyword === 'anyOf' ? (value as TSchema[]).map(withoutNeedlessDemands) : value
}

function aliasesOf (schema: TSchema): readonly Alias[] {
  if (schema === ConfigSchema) return rootAliases
  return schema['properties'] === StatusQuerySchema.properties ? statusQueryAliases : []
}

/** The schema of what stands behind an alias: our value's, at the place where the alias's goes. */
function aliasSchema (schema: TSchema, { key, inner }: Alias): Json {
  let target = (schema['properties'] as Record<string, TSchema>)[key]!
  for (const step of inner) target = typeof step === 'number' ? target['items'] as TSchema : (target['properties'] as Record<string, TSchema>)[step]!
  return { ...withoutNeedlessDemands(target), description: `Another way to write ${key}.` }
}
