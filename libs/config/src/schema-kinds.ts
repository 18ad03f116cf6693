// Kinds of schema that the tables of the configuration are made of.
import { Type, type TLiteral, type TSchema, type TUnion } from '@sinclair/typebox'

export const closed = { additionalProperties: false } as const

type LiteralsOf<Values extends readonly string[]> = { -readonly [Index in keyof Values]: TLiteral<Values[Index]> }

/** An address, or several. */
export function Addresses (options: { readonly description: string, readonly default?: string }) {
  return Type.Union([Type.String({ minLength: 1 }), Type.Array(Type.String({ minLength: 1 }), { minItems: 1, maxItems: 64 })], options)
}

/** One of these words; without a `fallback` a key that is left out stays so. */
export function OneOf<const Values extends readonly string[]> (values: Values, description: string, fallback?: Values[number]) {
  const literals = values.map(value => Type.Literal(value)) as unknown as LiteralsOf<Values>
  return Type.Union(literals, { ...(fallback === undefined ? {} : { default: fallback }), description }) as unknown as TUnion<LiteralsOf<Values> & TSchema[]>
}
