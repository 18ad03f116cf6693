// Pages: where one starts and how long it is.
import { Type } from '@sinclair/typebox'
import type { FastifyRequest } from 'fastify'

/** The query parameters of a list. */
export const pagingFields = {
  cursor: Type.Integer({ minimum: 0, default: 0, description: '`nextCursor` of the page before.' }),
  limit: Type.Integer({ minimum: 1, maximum: 1000, default: 100, description: 'Most entries on the page.' })
}

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
