// The two HTTP listeners, and the kind of app that is behind each.
import type { TypeBoxTypeProvider } from '@fastify/type-provider-typebox'
import type { FastifyBaseLogger, FastifyInstance, RawReplyDefaultExpression, RawRequestDefaultExpression, RawServerDefault } from 'fastify'

/** For queries on `queryPort`, for operators on `adminPort`. A label of metrics. */
export const listeners = ['public', 'admin'] as const
export type Listener = typeof listeners[number]

/** A Fastify instance whose routes take their types from their schemas. */
export type TypedApp = FastifyInstance<RawServerDefault, RawRequestDefaultExpression, RawReplyDefaultExpression, FastifyBaseLogger, TypeBoxTypeProvider>
