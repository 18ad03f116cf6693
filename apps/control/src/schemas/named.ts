// Named schemas: each becomes a component of the OpenAPI document under its own name, which is what generated clients
// call the type.
import { Type, type Static, type TSchema, type TUnsafe } from '@sinclair/typebox'

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

/** A string that is one of `values`; generators make an enumeration of it. */
export function oneOfStrings<const Values extends readonly string[]> (values: Values, description: string): TUnsafe<Values[number]> {
  return Type.Unsafe<Values[number]>({ type: 'string', enum: [...values], description })
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
