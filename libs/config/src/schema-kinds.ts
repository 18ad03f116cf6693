// Kinds of schema that the tables of the configuration are made of.
import { Type, type TLiteral, type TSchema, type TUnion } from '@sinclair/typebox'

export const closed = { additionalProperties: false } as const

type LiteralsOf<Values extends readonly string[]> = { -readonly [Index in keyof Values]: TLiteral<Values[Index]> }

/** One of these words. */
export function OneOf<const Values extends readonly string[]> (values: Values, description: string, fallback: Values[number]) {
  const literals = values.map(value => Type.Literal(value)) as unknown as LiteralsOf<Values>
  return Type.Union(literals, { default: fallback, description }) as unknown as TUnion<LiteralsOf<Values> & TSchema[]>
}
