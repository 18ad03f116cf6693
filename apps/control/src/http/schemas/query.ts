// The body of a query and the token that answers it.
import { Type } from '@sinclair/typebox'
import { closed, knownStrings, mapOf, named, refTo } from './named.js'

// A selection is kept for as long as its token lives, so its parts have bounds of their own. Names have up to 253
// characters of prefix, a slash and 63 more; label values up to 63 (kubernetes.io/docs/concepts/overview/working-with-objects/labels).
// Values of annotations may be of any length in Kubernetes, but nobody asks for more than this exactly.
const MAX_METADATA_NAME_LENGTH = 317
const MAX_LABEL_VALUE_LENGTH = 63
const MAX_ANNOTATION_VALUE_LENGTH = 1024
const MAX_SELECTOR_ENTRIES = 16

const Texts = (maxLength: number, description: string) => mapOf(Type.String({ maxLength }), {
  propertyNames: { minLength: 1, maxLength: MAX_METADATA_NAME_LENGTH },
  maxProperties: MAX_SELECTOR_ENTRIES,
  description
})

const ExpectedValue = (description?: string) => Type.String({ maxLength: 256, ...(description === undefined ? {} : { description }) })

export const StatusQueryRequestSchema = named('StatusQuery', Type.Object({
  jsonPath: Type.String({ minLength: 1, maxLength: 256, description: 'Path to a field, for example `status.state`.' }),
  expectedValue: Type.Optional(ExpectedValue('The value the field must have.')),
  expectedValues: Type.Optional(Type.Array(ExpectedValue(), { maxItems: 64, description: 'The values the field may have.' }))
}, {
  ...closed,
  description: 'A field of the object, and what it must be: exactly one of `expectedValue` and `expectedValues`.'
}))

/** "An allocated GameServer of this fleet, map de_dust2." */
export const queryExample = {
  type: 'query',
  resourceType: 'gameserver',
  namespace: 'game-servers',
  labelSelector: { 'agones.dev/fleet': 'my-fleet', map: 'de_dust2' },
  statusQuery: { jsonPath: 'status.state', expectedValue: 'Allocated' }
}

export const QueryRequestSchema = named('QueryRequest', Type.Object({
  type: Type.Optional(Type.Unsafe<'query'>({ type: 'string', enum: ['query'], description: 'Accepted and without effect.' })),
  resourceType: Type.String({ minLength: 1, maxLength: 253, description: 'A key of `resourceQueryMapping`.' }),
  namespace: Type.String({ minLength: 1, maxLength: 253, description: 'The namespace to look in; one of the configured ones.' }),
  labelSelector: Type.Optional(Texts(MAX_LABEL_VALUE_LENGTH, 'Labels that must all be present with exactly these values.')),
  annotationSelector: Type.Optional(Texts(MAX_ANNOTATION_VALUE_LENGTH, 'Annotations that must all be present with exactly these values.')),
  statusQuery: Type.Optional(refTo(StatusQueryRequestSchema))
}, {
  ...closed,
  description: 'Which objects: label selector, then status query, then annotation selector; the load balancer chooses among those that match.',
  examples: [queryExample, { resourceType: 'gameserver', namespace: 'game-servers' }]
}))

const DataPortSchema = named('DataPort', Type.Object({
  name: Type.String(),
  protocol: knownStrings(['udp'], 'What is spoken on it.'),
  port: Type.Integer({ minimum: 1, maximum: 65535, description: 'The director\'s UDP port.' }),
  address: Type.Optional(Type.String({ description: 'The director\'s address: an IP address or a host name. Without it, the host that was asked.' }))
}, { description: 'A UDP port of the director that serves this target.' }))

export const issuedTokenExample = {
  token: '3e5d8a52-1f6b-4c0e-9a77-0c2f4b8d6e10',
  expiresAt: '2026-01-31T12:00:30.000Z',
  ttlSeconds: 30,
  dataPorts: [{ name: 'default', protocol: 'udp', port: 7777 }]
}

export const IssuedTokenSchema = named('IssuedToken', Type.Object({
  token: Type.String({ format: 'uuid', description: 'Send it as the first datagram, or behind the magic to move a live session. It works once per data port.' }),
  expiresAt: Type.String({ format: 'date-time', description: 'When it ends, in UTC.' }),
  ttlSeconds: Type.Integer({ minimum: 1, description: 'How long it can be redeemed, in seconds from the answer on.' }),
  dataPorts: Type.Array(refTo(DataPortSchema), { description: 'Where to send datagrams: to those of the newest answer.' }),
  queryUrl: Type.Optional(Type.String({ description: 'The public API of the very director that has answered: ask there for a token that is to be sent to the same address. Only with `advertise.queryUrl`.' })),
  address: Type.Optional(Type.String({ description: 'The target\'s address. Only with `exposeTarget: true`.' })),
  ports: Type.Optional(mapOf(Type.Integer(), { description: 'The target\'s port by data port name. Only with `exposeTarget: true`.' }))
}, { description: 'A token the proxy knows already: it can be used at once.', examples: [issuedTokenExample] }))

export const querySchemas = [StatusQueryRequestSchema, QueryRequestSchema]
export const tokenSchemas = [DataPortSchema, IssuedTokenSchema]
