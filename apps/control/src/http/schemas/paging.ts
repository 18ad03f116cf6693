// Pages: where one starts and how long it is.
import { Type } from '@sinclair/typebox'
import type { FastifyRequest } from 'fastify'

// Within what every language's integer of 64 bits and JavaScript's numbers hold exactly, and what is read below.
const MAX_CURSOR = 999_999_999_999_999

export const DEFAULT_LIMIT = 100

/** The query parameters of a list. */
export const pagingFields = {
  cursor: Type.Optional(Type.Integer({ format: 'int64', minimum: 0, maximum: MAX_CURSOR, default: 0, description: '`nextCursor` of the page before.' })),
  limit: Type.Optional(Type.Integer({ minimum: 1, maximum: 1000, default: DEFAULT_LIMIT, description: 'Most entries on the page.' }))
}

/** Where the next page starts, in an answer. */
export const nextCursor = Type.Optional(Type.Integer({ format: 'int64', minimum: 0, maximum: MAX_CURSOR, description: 'Give it as `cursor` for the next page; absent on the last one.' }))

/**
 * Makes numbers of `cursor` and `limit`, before validation. Ajv would do it, but then in bodies too, where a number in
 * quotes is a fault.
 */
export function readPaging (request: FastifyRequest, _reply: unknown, done: () => void): void {
  const query = request.query as Record<string, unknown>
  for (const name of Object.keys(pagingFields)) {
    const text = query[name]
    if (typeof text === 'string' && /^\d{1,15}$/.test(text)) query[name] = Number(text)
  }
  done()
}
