// The schema's verdicts as sentences. What the schema cannot say is in checks.ts.
import type { TSchema } from '@sinclair/typebox'
import { ValueErrorType } from '@sinclair/typebox/errors'
import { Value, type ValueError } from '@sinclair/typebox/value'
import { rootAliases, statusQueryAliases } from '../aliases.js'
import { quote, type Place, type PlacedFault } from '../fault.js'
import { isMap, type UnknownMap } from '../map.js'
import { didYouMean } from '../nearest.js'
import { ConfigSchema, StatusQuerySchema } from '../schema.js'
import { fillDefaults } from './fill-defaults.js'

/** Fills in the defaults, in a copy, and lists what does not fit the schema: one fault a place. */
export function validate (value: unknown): { readonly value: unknown, readonly faults: readonly PlacedFault[] } {
  const filled = fillDefaults(ConfigSchema, value)
  const faults = new Map<string, PlacedFault>()
  for (const error of Value.Errors(ConfigSchema, filled)) {
    for (const at of placesOf(error, filled)) {
      const key = JSON.stringify(at)
      // The first is the cause; a missing value is reported as having the wrong type as well.
      if (!faults.has(key)) faults.set(key, { at, message: sentenceOf(error) })
    }
  }
  return { value: filled, faults: [...faults.values()] }
}

/** Where an error is. TypeBox reports one impossible name of a map and stops; here it stands for all of them. */
function placesOf ({ type, schema, path }: ValueError, root: unknown): readonly Place[] {
  const at = placeFromPointer(path, root)
  const pattern = Object.keys((schema['patternProperties'] ?? {}) as object)[0]
  if (type !== ValueErrorType.ObjectAdditionalProperties || pattern === undefined) return [at]
  const map = at.slice(0, -1)
  const value = map.reduce<unknown>((parent, step) => (parent as UnknownMap)[step], root)
  const isPossible = new RegExp(pattern)
  return Object.keys(value as object).filter(name => !isPossible.test(name)).map(name => [...map, name])
}

/** A JSON pointer (RFC 6901) as a place; what indexes a list becomes a number. */
function placeFromPointer (pointer: string, root: unknown): Place {
  let value = root
  return pointer.split('/').slice(1).map(step => {
    const key = step.replaceAll('~1', '/').replaceAll('~0', '~')
    const isIndex = Array.isArray(value)
    value = isIndex || isMap(value) ? (value as Record<string, unknown>)[key] : undefined
    return isIndex ? Number(key) : key
  })
}

function sentenceOf ({ type, schema, value, path }: ValueError): string {
  if (type === ValueErrorType.ObjectAdditionalProperties) return unknownKey(lastStep(path), schema)
  if (type === ValueErrorType.ObjectRequiredProperty) return 'is required.'
  if (value === null) return 'has no value: give one, or remove the key.'
  return sizeFault(type, schema) ?? `must be ${demandOf(type, schema)}, not ${quote(value)}.${hintOf(type, schema, value)}`
}

function unknownKey (key: string, schema: TSchema): string {
  if (schema['patternProperties'] !== undefined) {
    return `is not a possible name: names match ${Object.keys(schema['patternProperties'] as object).join(' or ')}.`
  }
  const known = Object.keys(schema['properties'] as object)
  return `is not a known key.${didYouMean(key, [...known, ...aliasesOf(schema)])}`
}

function aliasesOf (schema: TSchema): string[] {
  if (schema === ConfigSchema) return rootAliases.map(({ alias }) => alias)
  return schema === StatusQuerySchema || schema['properties'] === StatusQuerySchema.properties
    ? statusQueryAliases.map(({ alias }) => alias)
    : []
}

/** The sentence about a text or a list of the wrong size; every minimum in the schema is one. */
function sizeFault (type: ValueErrorType, schema: TSchema): string | undefined {
  switch (type) {
    case ValueErrorType.StringMinLength:
    case ValueErrorType.ArrayMinItems:
      return 'must not be empty.'
    case ValueErrorType.StringMaxLength:
      return `must be at most ${Number(schema['maxLength'])} characters long.`
    case ValueErrorType.ArrayMaxItems:
      return `must have at most ${Number(schema['maxItems'])} entries.`
    default:
      return undefined
  }
}

/** What the schema asks for at this place, to stand after "must be". */
function demandOf (type: ValueErrorType, schema: TSchema): string {
  switch (type) {
    case ValueErrorType.Integer:
    case ValueErrorType.IntegerMinimum:
    case ValueErrorType.IntegerMaximum:
      return `a whole number from ${Number(schema['minimum'])} to ${Number(schema['maximum'])}`
    case ValueErrorType.String:
      return 'text'
    case ValueErrorType.StringPattern:
      return `text that matches ${String(schema['pattern'])}`
    case ValueErrorType.Array:
      return 'a list'
    case ValueErrorType.Object:
      return 'a map'
    case ValueErrorType.Boolean:
      return 'true or false'
    case ValueErrorType.Literal:
      return `${String(schema['const'])}, and nothing else`
    case ValueErrorType.Union:
      return unionDemand(schema)
    default:
      return schema.description ?? 'something else'
  }
}

function hintOf (type: ValueErrorType, schema: TSchema, value: unknown): string {
  if (type === ValueErrorType.Union && typeof value === 'string') return didYouMean(value, choicesOf(schema))
  const isScalar = typeof value === 'number' || typeof value === 'boolean'
  return type === ValueErrorType.String && isScalar ? ` Put it in quotes: ${JSON.stringify(String(value))}.` : ''
}

function choicesOf (schema: TSchema): string[] {
  const options = (schema['anyOf'] ?? [schema]) as TSchema[]
  return options.flatMap(option => option['const'] === undefined ? [] : [String(option['const'])])
}

const kinds: Readonly<Record<string, ValueErrorType>> = { integer: ValueErrorType.Integer, string: ValueErrorType.String, array: ValueErrorType.Array }

// The words of a choice, and the kinds of value that it allows beside them.
function unionDemand (schema: TSchema): string {
  const words = choicesOf(schema)
  const others = (schema['anyOf'] as TSchema[]).flatMap(option => {
    const kind = option['const'] === undefined ? kinds[String(option['type'])] : undefined
    return kind === undefined ? [] : [demandOf(kind, option)]
  })
  return words.length > 0 ? `one of ${[...words, ...others].join(', ')}` : others.join(' or ')
}

function lastStep (pointer: string): string {
  return pointer.slice(pointer.lastIndexOf('/') + 1).replaceAll('~1', '/').replaceAll('~0', '~')
}
