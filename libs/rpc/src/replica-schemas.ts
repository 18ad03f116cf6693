// What control and proxy say to each other where several directors share a store: which tokens are ours, who is waited for, and
// what happened to clients elsewhere. contract.ts has the calls and events that these are the bodies of.
import { Type, type Static } from '@sinclair/typebox'
import { TOKEN_KEY_PATTERN } from '#wire/token-mac.js'
import { Epoch, TargetSchema, TokenGrantSchema, TokenText } from './parts.js'

const closed = { additionalProperties: false } as const

/** Most answers, bindings or clients in one call. */
export const MAX_REPLICA_ITEMS = 500

const Client = Type.String({ minLength: 4, maxLength: 64, description: 'A client address, `ip:port` or `[ip]:port`.' })

export const TokenKeysSchema = Type.Array(Type.String({ pattern: TOKEN_KEY_PATTERN }), {
  minItems: 1,
  maxItems: 4,
  description: 'Keys by whose mark a token is known as one of this director, or of those it shares a store with: 16 bytes each in hexadecimal, the newest first. Replaces the former ones.'
})

/** One line of the event stream: somebody waits for the answer, and what they sent is kept until it comes. */
export const AskedEventSchema = Type.Object({
  type: Type.Literal('asked'),
  id: Type.Integer({ minimum: 0, description: 'What the answer must name. Unique within one life of the proxy.' }),
  client: Client,
  dataPort: Type.String({ description: 'The data port (by name) that the datagram came to.' }),
  token: Type.Optional(Type.String({ minLength: 36, maxLength: 36, description: 'Whether this token can be redeemed by this client on this data port. Absent: whether this client has a session at another replica.' }))
}, closed)

export const BindingSchema = Type.Object({
  client: Client,
  target: TargetSchema,
  token: Type.Optional(TokenText),
  tokenTtlMs: Type.Optional(Type.Integer({ minimum: 1, description: 'What is left of the token\'s life. Absent: it is over.' })),
  consumed: Type.Optional(Type.Array(Type.String(), { description: 'Data ports (by name) on which the token was redeemed here.' })),
  idleMs: Type.Integer({ minimum: 0, description: 'Since the last datagram that keeps the session alive.' })
}, { ...closed, description: 'A session that has redeemed a token: its client, and where its datagrams go.' })

/** One line of the event stream: a session that has redeemed a token began, changed its target or ended. */
export const BindingEventSchema = Type.Object({
  type: Type.Literal('binding'),
  change: Type.Union([Type.Literal('established'), Type.Literal('reset'), Type.Literal('moved'), Type.Literal('followed'), Type.Literal('expired'), Type.Literal('ended')]),
  binding: BindingSchema
}, closed)

export const AnswerSchema = Type.Object({
  id: Type.Integer({ minimum: 0, description: 'Of the event.' }),
  verdict: Type.Union([Type.Literal('live'), Type.Literal('refused'), Type.Literal('followed'), Type.Literal('none'), Type.Literal('late')], {
    description: '`live`: the token is redeemed by this client on this data port. `refused`: it is not, for `reason`. `followed`: the client has a session elsewhere, which goes on here. `none`: it has none. `late`: nobody knows, because the store did not answer; the client asks again.'
  }),
  grant: Type.Optional(TokenGrantSchema),
  reason: Type.Optional(Type.Union([Type.Literal('unknown'), Type.Literal('expired'), Type.Literal('consumed'), Type.Literal('void'), Type.Literal('not_theirs')], { description: 'With `refused`.' })),
  session: Type.Optional(BindingSchema)
}, { ...closed, description: '`live` has a `grant`, with the other data ports on which it was redeemed in `consumed`; `followed` a `session`.' })

/** What happened at another replica to a client that has a session here, too. */
export const ElsewhereSchema = Type.Object({
  client: Client,
  change: Type.Union([Type.Literal('moved'), Type.Literal('ended'), Type.Literal('seen')], {
    description: '`moved`: its session has another target now, `target`. `ended`: it is over. `seen`: the balancer sends its datagrams elsewhere; the session here ends soon, unless it gets one again.'
  }),
  target: Type.Optional(TargetSchema)
}, closed)

export const PutTokenKeysSchema = Type.Object({ epoch: Epoch, keys: TokenKeysSchema }, closed)

export const AnswersSchema = Type.Object({
  epoch: Epoch,
  answers: Type.Array(AnswerSchema, { maxItems: MAX_REPLICA_ITEMS, description: 'An answer to what nobody waits for any more is passed over.' })
}, closed)

export const TellElsewhereSchema = Type.Object({
  epoch: Epoch,
  clients: Type.Array(ElsewhereSchema, { maxItems: MAX_REPLICA_ITEMS, description: 'A client without a session here is passed over.' })
}, closed)

export const BindingsQuerySchema = Type.Object({
  cursor: Type.Optional(Type.Integer({ minimum: 0, default: 0, description: '`nextCursor` of the page before.' })),
  limit: Type.Optional(Type.Integer({ minimum: 1, maximum: MAX_REPLICA_ITEMS, default: MAX_REPLICA_ITEMS })),
  activeWithinMs: Type.Optional(Type.Integer({ minimum: 0, description: 'Only sessions that were active in these last milliseconds.' }))
}, closed)

export const BindingsPageSchema = Type.Object({
  bindings: Type.Array(BindingSchema),
  nextCursor: Type.Optional(Type.Integer({ minimum: 0, description: 'Absent on the last page. A page may be empty and not be the last.' }))
}, closed)

export type Asked = Static<typeof AskedEventSchema>
export type Binding = Static<typeof BindingSchema>
export type BindingChange = Static<typeof BindingEventSchema>['change']
export type Answer = Static<typeof AnswerSchema>
export type Elsewhere = Static<typeof ElsewhereSchema>
export type BindingsQuery = Static<typeof BindingsQuerySchema>
export type BindingsPage = Static<typeof BindingsPageSchema>
