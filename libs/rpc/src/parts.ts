// What many calls of the contract speak of: tokens, and targets.
import { Type } from '@sinclair/typebox'

const closed = { additionalProperties: false } as const

export const Epoch = Type.Integer({ minimum: 0, description: 'Counts the lives of control, and the connections of each. The proxy refuses one older than it has seen: what an earlier connection sent may arrive late.' })

export const TokenText = Type.String({ minLength: 36, maxLength: 36, description: 'A UUID v4 in lower case.' })

export const TargetSchema = Type.Object({
  key: Type.String({ minLength: 1, maxLength: 600, description: 'What the target is: `type/namespace/name`, or `address/…` for one without an object. Sessions are counted by it.' }),
  address: Type.String({ minLength: 2, maxLength: 45, description: 'An IPv4 or IPv6 address.' }),
  ports: Type.Record(Type.String({ minLength: 1 }), Type.Integer({ minimum: 1, maximum: 65535 }), { description: 'The target\'s port by data port name.' })
}, { ...closed, description: 'Where datagrams go.' })

export const TokenGrantSchema = Type.Object({
  token: TokenText,
  ttlMs: Type.Integer({ minimum: 1, description: 'What is left of its life, in milliseconds. Never a wall-clock time: two processes, two clocks.' }),
  target: TargetSchema,
  consumed: Type.Optional(Type.Array(Type.String(), { description: 'Data ports (by name) on which it has been redeemed already.' })),
  client: Type.Optional(Type.String({ minLength: 2, maxLength: 45, description: 'An IPv4 or IPv6 address: only a client at it, or in the same /64 of IPv6, may redeem the token. Default: any client.' }))
}, { ...closed, description: 'A token and what it is good for.' })
