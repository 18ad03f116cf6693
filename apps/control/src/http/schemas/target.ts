// Targets as the API names, takes and lists them.
import { Type } from '@sinclair/typebox'
import { nextCursor } from './paging.js'
import { closed, count, eitherOf, mapOf, named, refTo } from './named.js'

const name = { minLength: 1, maxLength: 253 } as const

const portsByName = 'The target\'s UDP port by data port name.'
const Port = Type.Integer({ minimum: 1, maximum: 65535 })

const objectName = {
  resourceType: Type.String({ ...name, description: 'A key of `resourceQueryMapping`.' }),
  namespace: Type.String({ ...name, description: 'The object\'s namespace.' }),
  name: Type.String({ ...name, description: 'The object\'s name.' })
}

const place = {
  address: Type.String({ minLength: 2, maxLength: 45, description: 'An IPv4 or IPv6 address within `allowedTargets`.' }),
  ports: mapOf(Port, { minProperties: 1, maxProperties: 16, description: portsByName })
}

// What tells a target by address from one by name.
const addressMarks = ['address', 'ports'] as const

const ttlSeconds = Type.Optional(Type.Integer({ minimum: 1, maximum: 3600, description: 'How long the token can be redeemed, in seconds. Default: `tokenTtlSeconds`.' }))

const clientIp = Type.Optional(Type.String({ minLength: 2, maxLength: 45, description: 'The only IPv4 address, or an address of the only IPv6 /64, from which the token can be redeemed: one host\'s, neither multicast nor `0.0.0.0`. Default: any.' }))

export const namedTargetExample = { resourceType: 'gameserver', namespace: 'game-servers', name: 'dust2-7xkqp' }
export const addressTargetExample = { address: '10.0.3.17', ports: { default: 7777 } }

export const NamedTargetSchema = named('NamedTarget', Type.Object(objectName, { ...closed, description: 'The target of an object in the inventory.', examples: [namedTargetExample] }))
export const AddressTargetSchema = named('AddressTarget', Type.Object(place, { ...closed, description: 'A target by address, with or without an object.', examples: [addressTargetExample] }))

export const TargetRequestSchema = eitherOf('TargetRequest', [NamedTargetSchema, AddressTargetSchema], addressMarks, {
  description: 'Which target: an object by name, or an address with its ports.',
  examples: [namedTargetExample, addressTargetExample]
})

export const NamedTokenRequestSchema = named('NamedTokenRequest', Type.Object({ ...objectName, ttlSeconds, clientIp }, { ...closed, description: 'A token for the target of an object in the inventory.', examples: [namedTargetExample] }))
export const AddressTokenRequestSchema = named('AddressTokenRequest', Type.Object({ ...place, ttlSeconds, clientIp }, { ...closed, description: 'A token for a target by address.', examples: [{ ...addressTargetExample, ttlSeconds: 10 }] }))

export const TokenRequestSchema = eitherOf('TokenRequest', [NamedTokenRequestSchema, AddressTokenRequestSchema], addressMarks, {
  description: 'Which target the token is for: an object by name, or an address with its ports.',
  examples: [namedTargetExample, { ...addressTargetExample, ttlSeconds: 10 }]
})

const targetFields = {
  key: Type.String({ description: '`resourceType/namespace/name`, or `address/…` for a target without an object.' }),
  address: Type.String({ description: 'An IPv4 or IPv6 address.' }),
  ports: mapOf(Port, { description: portsByName })
}

export const targetExample = { key: 'gameserver/game-servers/dust2-7xkqp', address: '10.0.3.17', ports: { default: 7777 } }

export const TargetSchema = named('Target', Type.Object(targetFields, { description: 'Where datagrams go.', examples: [targetExample] }))

export const TargetLoadSchema = named('TargetLoad', Type.Object({
  ...targetFields,
  sessions: count('Sessions on this target, as the proxy last counted them; where directors share a store, those of all of them.'),
  pendingTokens: count('Tokens for this target that nobody has redeemed yet, of the same directors.')
}, { description: 'A target that queries can be answered with, and how busy it is.' }))

/** Unusable objects that an answer names; it counts all. */
export const MAX_UNUSABLE = 100

export const UnusableObjectSchema = named('UnusableObject', Type.Object({
  key: targetFields.key,
  reason: Type.String({ description: 'Why datagrams cannot go there, in words; they may change.' })
}, { description: 'An object that queries cannot be answered with.', examples: [{ key: 'gameserver/game-servers/dust2-9w4xz', reason: 'without a usable address' }] }))

export const TargetsPageSchema = named('TargetsPage', Type.Object({
  targets: Type.Array(refTo(TargetLoadSchema)),
  nextCursor,
  total: count('Usable targets at this moment, on all pages.'),
  unusable: Type.Array(refTo(UnusableObjectSchema), { maxItems: MAX_UNUSABLE, description: `The first ${MAX_UNUSABLE} objects that are not usable; the same on each page.` }),
  unusableTotal: count('All objects that are not usable.')
}, { description: 'A page of targets.', examples: [{ targets: [{ ...targetExample, sessions: 12, pendingTokens: 1 }], total: 1, unusable: [{ key: 'gameserver/game-servers/dust2-9w4xz', reason: 'without a usable address' }], unusableTotal: 1 }] }))

export const targetSchemas = [NamedTargetSchema, AddressTargetSchema, TargetRequestSchema, NamedTokenRequestSchema, AddressTokenRequestSchema, TokenRequestSchema, TargetSchema, TargetLoadSchema, UnusableObjectSchema, TargetsPageSchema]
