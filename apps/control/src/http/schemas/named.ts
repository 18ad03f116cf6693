// Named schemas: each becomes a component of the OpenAPI document under its own name, which is what generated clients
// call the type.
import { Type, type ObjectOptions, type SchemaOptions, type Static, type TInteger, type TSchema, type TUnsafe } from '@sinclair/typebox'

/** For requests: an unknown field is a fault. Answers stay open, so that a field can be added without breaking a client. */
export const closed = { additionalProperties: false } as const

export type Named<Schema extends TSchema = TSchema> = Schema & { readonly $id: string }

/** Gives a schema the name it has in the OpenAPI document. */
export function named<Schema extends TSchema> (name: string, schema: Schema): Named<Schema> {
  return { ...schema, $id: name }
}

/** A reference to a named schema, with its static type. */
export function refTo<Schema extends Named> (schema: Schema): TUnsafe<Static<Schema>> {
  return Type.Unsafe<Static<Schema>>({ $ref: `${schema.$id}#` })
}

/**
 * A string of an answer that is one of `values` today. Documented as an open string that lists them: most generated
 * clients refuse a whole answer for one unknown value of an enumeration, so a new value would break them.
 */
export function knownStrings<const Values extends readonly string[]> (values: Values, description: string): TUnsafe<Values[number]> {
  const list = values.map(value => `\`${value}\``).join(', ')
  return Type.Unsafe<Values[number]>({ type: 'string', description: `${description} Known values, to which others may be added: ${list}.`, 'x-extensible-enum': [...values] })
}

/** An object with names of its own for keys. TypeBox's Record makes a pattern of the keys, which generators do not read. */
export function mapOf<Value extends TSchema> (value: Value, options: Pick<ObjectOptions, 'minProperties' | 'maxProperties'> & SchemaOptions): TUnsafe<Record<string, Static<Value>>> {
  return Type.Unsafe<Record<string, Static<Value>>>({ type: 'object', additionalProperties: value, ...options })
}

/** A count that may pass 2³¹: without a format, generators for Java and C# take an integer of 32 bits. */
export function count (description: string): TInteger {
  return Type.Integer({ format: 'int64', minimum: 0, description })
}

/**
 * An object of one of two named schemas: the second if any of `marks` is there, otherwise the first. Validated that way,
 * so that faults are those of the form the caller meant; documented as `oneOf`, which generators understand.
 */
export function eitherOf<First extends Named, Second extends Named> (name: string, [first, second]: readonly [First, Second], marks: readonly string[], about: { readonly description: string, readonly examples: readonly unknown[] }): Named<TUnsafe<Static<First> | Static<Second>>> {
  return named(name, Type.Unsafe<Static<First> | Static<Second>>({
    ...about,
    type: 'object',
    if: { anyOf: marks.map(mark => ({ required: [mark] })) },
    then: { $ref: `${second.$id}#` },
    else: { $ref: `${first.$id}#` }
  }))
}
