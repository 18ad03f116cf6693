// The contract between control and proxy, once: HTTP/1.1 with JSON over a Unix socket. Client, server, validation and
// docs/rpc.md derive from this table. An operator can call it too: curl --unix-socket proxy.sock http://proxy/v1/hello
import { Type, type Static, type TSchema } from '@sinclair/typebox'
import { rpcErrors, type RpcErrorCode } from './failure.js'
import { Epoch, TargetSchema, TokenGrantSchema, TokenText } from './parts.js'
import { AnswersSchema, AskedEventSchema, BindingEventSchema, BindingsPageSchema, BindingsQuerySchema, PutTokenKeysSchema, TellElsewhereSchema, TokenKeysSchema } from './replica-schemas.js'

export { TargetSchema, TokenGrantSchema, TokenText }

const closed = { additionalProperties: false } as const

/** Most tokens in one call; a larger push is split. */
export const MAX_TOKENS_PER_CALL = 2000

/** Tokens or candidates that control sends in one call: read by a thread that forwards, in a millisecond or two. */
export const PER_CALL = 500

/** Most targets that are gone in one call; more follow in another. */
export const MAX_GONE_PER_CALL = 1000

/** Most candidates of the default endpoint. */
export const MAX_DEFAULT_TARGETS = 10_000

/** Longest request body the proxy reads, in bytes: a full snapshot with the longest keys is below 12 MiB. */
export const MAX_RPC_BODY_BYTES = 16 * 1024 * 1024

/** Of the event stream, and of calls line by line. */
export const LINES_CONTENT_TYPE = 'application/x-ndjson'

export const TokenRejectionSchema = Type.Object({
  token: TokenText,
  code: Type.Union([Type.Literal('TOKEN_TABLE_FULL'), Type.Literal('TARGET_TABLE_FULL'), Type.Literal('INVALID_TARGET')])
}, closed)

/**
 * What not every version of the proxy can be asked for. `tokenKeys`: `putTokenKeys`, and the field of that name in the snapshot.
 * `asks`: events of kinds `asked` and `binding`, `answerAsks`, `tellElsewhere`, `listBindings`.
 */
export const abilities = ['tokenKeys', 'asks'] as const
export type Ability = typeof abilities[number]

export const HelloSchema = Type.Object({
  instanceId: Type.String({ description: 'Changes when the proxy restarts.' }),
  epoch: Epoch,
  controlled: Type.Optional(Type.Boolean({ description: 'A control process of this epoch reads the events now. One that was superseded may take over when there is none. Absent from an older proxy, which takes no `epoch` with the events either: it counts as controlled if its epoch is newer than the asker\'s.' })),
  engine: Type.String(),
  draining: Type.Boolean({ description: 'It takes no new sessions on the default endpoint; those it has go on.' }),
  dataPorts: Type.Array(Type.Object({ name: Type.String(), address: Type.String(), port: Type.Integer() }, closed), { description: 'What is bound, with the real port numbers.' }),
  can: Type.Optional(Type.Array(Type.String(), { description: 'What not every version can be asked for. `tokenKeys`: `putTokenKeys`, and `tokenKeys` in the snapshot. `asks`: events of kinds `asked` and `binding`, `answerAsks`, `tellElsewhere` and `listBindings`. Absent from an older proxy: it refuses all of these.' }))
}, { description: 'What a newer proxy says besides is passed over: two versions may meet here.' })

const Withdrawn = Type.Optional(Type.Array(TokenText, { maxItems: MAX_TOKENS_PER_CALL, description: 'Tokens that are void because their target is gone, or is not any more what they were issued for; refused with a reason of its own. Applied before `tokens`.' }))

export const PushSchema = Type.Object({
  epoch: Epoch,
  revoked: Type.Array(TokenText, { maxItems: MAX_TOKENS_PER_CALL, description: 'Tokens that are void from now on; applied before `tokens`.' }),
  withdrawn: Withdrawn,
  tokens: Type.Array(TokenGrantSchema, { maxItems: MAX_TOKENS_PER_CALL })
}, closed)

export const PushReplySchema = Type.Object({
  instanceId: Type.String(),
  rejected: Type.Array(TokenRejectionSchema)
}, closed)

export const SnapshotSchema = Type.Object({
  epoch: Epoch,
  drainRemainingMs: Type.Optional(Type.Integer({ minimum: 0, description: 'Control drains; milliseconds until it stops waiting. Absent: it does not drain, and a drain order of a former control process is cancelled.' })),
  revoked: Type.Array(TokenText, { maxItems: MAX_TOKENS_PER_CALL }),
  withdrawn: Withdrawn,
  tokenKeys: Type.Optional(TokenKeysSchema),
  tokens: Type.Array(TokenGrantSchema, { maxItems: MAX_TOKENS_PER_CALL, description: 'Live tokens; added to those the proxy has, which stay. More follow by `pushTokens`.' }),
  defaultTargets: Type.Array(TargetSchema, { maxItems: MAX_DEFAULT_TARGETS, description: 'Candidates of the default endpoint, best first; replaces the former ones.' }),
  more: Type.Optional(Type.Boolean({ description: 'More candidates follow by `putDefaultTargets`. Default: false, these are all.' }))
}, closed)

export const DefaultTargetsSchema = Type.Object({
  epoch: Epoch,
  defaultTargets: Type.Array(TargetSchema, { maxItems: MAX_DEFAULT_TARGETS }),
  after: Type.Optional(Type.Integer({ minimum: 0, maximum: MAX_DEFAULT_TARGETS, description: 'How many candidates of the same list came in the calls before; refused if that is not so. Default: 0, a new list begins.' })),
  more: Type.Optional(Type.Boolean({ description: 'More of this list follow; the former candidates stay until all have come. Default: false.' }))
}, closed)

export const GoneTargetSchema = Type.Object({
  key: TargetSchema.properties.key,
  stays: Type.Optional(TargetSchema)
}, { ...closed, description: 'A target that is gone. Sessions with its key are affected, but for those that are at the address and ports of `stays`: where the object of that name is now.' })

export const LeaveSchema = Type.Object({
  epoch: Epoch,
  gone: Type.Array(GoneTargetSchema, { maxItems: MAX_GONE_PER_CALL })
}, closed)

export const LeaveReplySchema = Type.Object({
  instanceId: Type.String(),
  sessions: Type.Record(Type.String(), Type.Integer({ minimum: 0 }), { description: 'Sessions that each key has now.' })
}, closed)

export const DrainSchema = Type.Object({
  epoch: Epoch,
  remainingMs: Type.Integer({ minimum: 0, description: 'How long control will go on waiting for what is left, in milliseconds.' })
}, closed)

export const DrainReplySchema = Type.Object({
  instanceId: Type.String(),
  sessions: Type.Integer({ minimum: 0, description: 'Sessions that are not idle for too long.' }),
  unredeemedTokens: Type.Integer({ minimum: 0, description: 'Tokens that nobody has redeemed yet and that still can be.' }),
  stopping: Type.Boolean({ description: 'The proxy has been asked to stop itself: once it is gone it will not come back.' })
}, closed)

export const SessionSchema = Type.Object({
  id: Type.String({ description: 'Opaque; unique within one life of the proxy.' }),
  client: Type.String({ description: 'The client address, `ip:port` or `[ip]:port`.' }),
  target: TargetSchema,
  origin: Type.Union([Type.Literal('token'), Type.Literal('default'), Type.Literal('operator'), Type.Literal('followed')], { description: 'What bound it to its target. `followed`: it began at another director, and its client\'s datagrams come here now.' }),
  ageMs: Type.Integer({ minimum: 0 }),
  idleMs: Type.Integer({ minimum: 0, description: 'Since the last datagram that keeps it alive.' }),
  datagramsToTarget: Type.Integer({ minimum: 0 }),
  bytesToTarget: Type.Integer({ minimum: 0 }),
  datagramsToClient: Type.Integer({ minimum: 0 }),
  bytesToClient: Type.Integer({ minimum: 0 })
}, { ...closed, description: 'One client address and where its datagrams go.' })

export const SessionsQuerySchema = Type.Object({
  cursor: Type.Optional(Type.Integer({ minimum: 0, default: 0, description: '`nextCursor` of the page before.' })),
  limit: Type.Optional(Type.Integer({ minimum: 1, maximum: 1000, default: 100 })),
  client: Type.Optional(Type.String({ maxLength: 64, description: 'Only this client: an IP, or `ip:port`.' })),
  target: Type.Optional(Type.String({ maxLength: 600, description: 'Only this target: its key, its IP, or `ip:port`.' }))
}, closed)

export const SessionsPageSchema = Type.Object({
  sessions: Type.Array(SessionSchema),
  nextCursor: Type.Optional(Type.Integer({ minimum: 0, description: 'Absent on the last page.' })),
  total: Type.Integer({ minimum: 0, description: 'Sessions at this moment that match, on all pages.' })
}, closed)

export const StatsSchema = Type.Object({
  instanceId: Type.String(),
  samples: Type.Array(Type.Object({
    name: Type.String({ description: 'A metric of the table in libs/telemetry.' }),
    labels: Type.Record(Type.String(), Type.String()),
    value: Type.Number()
  }, closed))
}, closed)

/** Kinds of events that a reader may ask for, those first that matter most when it is slow. */
export const eventKinds = ['asked', 'counts', 'redeemed', 'binding', 'target', 'session'] as const
export type EventKind = typeof eventKinds[number]

/** Whether what the proxy knows is written, so that a restart finds it; the better before the worse, off is where nothing is kept. */
export const stateStatuses = ['off', 'written', 'late', 'failed'] as const
export type StateStatus = typeof stateStatuses[number]

export const SessionEventSchema = Type.Object({
  type: Type.Literal('session'),
  change: Type.Union([Type.Literal('established'), Type.Literal('reset'), Type.Literal('moved'), Type.Literal('expired'), Type.Literal('ended')]),
  sessionId: Type.String(),
  client: Type.String(),
  target: Type.String({ description: 'The target\'s key.' })
}, closed)

export const TargetEventSchema = Type.Object({
  type: Type.Literal('target'),
  change: Type.Literal('gone'),
  target: Type.String({ description: 'The target\'s key.' }),
  action: Type.Union([Type.Literal('keep'), Type.Literal('close'), Type.Literal('default')], { description: 'What became of its sessions. `keep` also where they should have been moved and there was no candidate.' }),
  sessions: Type.Integer({ minimum: 1, description: 'How many there were.' })
}, closed)

/** One line of `GET /v1/events`. Counts are absolute, never deltas; of the other kinds a slow reader misses lines, and is told how many. */
export const EventSchema = Type.Union([
  Type.Object({ type: Type.Literal('hello'), instanceId: Type.String() }, closed),
  Type.Object({ type: Type.Literal('counts'), sessions: Type.Record(Type.String(), Type.Integer({ minimum: 0 }), { description: 'Sessions by target key, of the targets whose count changed; all of them after `hello`. None at all is a sign of life, and comes to every reader.' }) }, closed),
  Type.Object({ type: Type.Literal('redeemed'), token: TokenText, dataPort: Type.String(), sessionId: Type.String() }, closed),
  AskedEventSchema,
  BindingEventSchema,
  SessionEventSchema,
  TargetEventSchema,
  Type.Object({
    type: Type.Literal('state'),
    status: Type.Union(stateStatuses.map(status => Type.Literal(status)), { description: 'Whether a restart would find what the proxy knows: `written`; `late`, the disk is behind, and what is new would be lost; `failed`, it cannot be written; `off`, nothing is kept. The worst of all workers; told whenever it changes, and after `hello` unless it is `off`.' })
  }, closed),
  Type.Object({
    type: Type.Literal('skipped'),
    kind: Type.Union(eventKinds.map(kind => Type.Literal(kind))),
    lines: Type.Integer({ minimum: 1, description: 'Lines of this kind that were left out here, because the reader was slow.' })
  }, closed)
])

export const Empty = Type.Object({}, closed)
export const SessionParams = Type.Object({ id: Type.String({ minLength: 1, maxLength: 64 }) }, closed)
export const MoveSchema = Type.Object({ target: TargetSchema }, closed)

/** A row of the table. */
export interface RpcCall {
  readonly method: 'GET' | 'POST' | 'PUT' | 'DELETE'
  /** Path with Fastify's `:name` parameters. */
  readonly path: string
  /** Where the same call is made again and again within one request: a body a line, and for each `{"status", "body"}` in a line. */
  readonly lines?: string
  readonly summary: string
  readonly params?: TSchema
  readonly query?: TSchema
  readonly body?: TSchema
  readonly reply: TSchema
}

/** Every call there is, but for the stream `GET /v1/events`. */
export const rpcCalls = {
  hello: { method: 'GET', path: '/v1/hello', summary: 'Who is there and what is bound.', reply: HelloSchema },
  putSnapshot: { method: 'PUT', path: '/v1/snapshot', summary: 'All control knows; the first call after connecting.', body: SnapshotSchema, reply: PushReplySchema },
  pushTokens: { method: 'POST', path: '/v1/tokens', lines: '/v1/tokens/lines', summary: 'New and revoked tokens; usable when this returns.', body: PushSchema, reply: PushReplySchema },
  putDefaultTargets: { method: 'PUT', path: '/v1/default-targets', summary: 'Replaces the candidates of the default endpoint.', body: DefaultTargetsSchema, reply: Empty },
  leaveTargets: { method: 'POST', path: '/v1/gone-targets', summary: 'Targets that are gone; their sessions are kept, ended or moved as `onTargetGone` says.', body: LeaveSchema, reply: LeaveReplySchema },
  putTokenKeys: { method: 'PUT', path: '/v1/token-keys', summary: 'Replaces the keys by whose mark tokens are known as ours.', body: PutTokenKeysSchema, reply: Empty },
  answerAsks: { method: 'POST', path: '/v1/answers', lines: '/v1/answers/lines', summary: 'Answers to events of kind `asked`: what was held until now goes on or is dropped.', body: AnswersSchema, reply: Empty },
  tellElsewhere: { method: 'POST', path: '/v1/elsewhere', summary: 'What happened at other replicas to clients that have sessions here.', body: TellElsewhereSchema, reply: Empty },
  listBindings: { method: 'GET', path: '/v1/bindings', summary: 'A page of the sessions that have redeemed a token, and where they lead.', query: BindingsQuerySchema, reply: BindingsPageSchema },
  drain: { method: 'POST', path: '/v1/drain', summary: 'Control drains: no new session on the default endpoint from now on. Repeated to learn what is left.', body: DrainSchema, reply: DrainReplySchema },
  listSessions: { method: 'GET', path: '/v1/sessions', summary: 'A page of sessions.', query: SessionsQuerySchema, reply: SessionsPageSchema },
  getSession: { method: 'GET', path: '/v1/sessions/:id', summary: 'One session.', params: SessionParams, reply: SessionSchema },
  endSession: { method: 'DELETE', path: '/v1/sessions/:id', summary: 'Ends a session.', params: SessionParams, reply: Empty },
  moveSession: { method: 'PUT', path: '/v1/sessions/:id/target', summary: 'Moves a session to another target.', params: SessionParams, body: MoveSchema, reply: SessionSchema },
  stats: { method: 'GET', path: '/v1/stats', summary: 'The proxy\'s metrics.', reply: StatsSchema }
} as const satisfies Record<string, RpcCall>

export const EVENTS_PATH = '/v1/events'

/** Whether the proxy that says `hello` can be asked for this. */
export function isAble ({ can = [] }: Pick<Hello, 'can'>, ability: Ability): boolean {
  return can.includes(ability)
}

/** Where these kinds of events are read. */
export function eventsPath (kinds: readonly EventKind[], epoch?: number): string {
  return `${EVENTS_PATH}?kinds=${kinds.join()}${epoch === undefined ? '' : `&epoch=${epoch}`}`
}

/** The kinds that a query of `GET /v1/events` names, all without one; undefined if it names something else. */
export function eventKindsFrom (query: Readonly<Record<string, unknown>>): readonly EventKind[] | undefined {
  const { kinds, ...rest } = query
  if (Object.keys(rest).length > 0) return undefined
  if (kinds === undefined) return eventKinds
  if (typeof kinds !== 'string') return undefined
  const named = kinds.split(',')
  return named.every(kind => eventKinds.some(known => known === kind)) ? eventKinds.filter(kind => named.includes(kind)) : undefined
}

export type RpcCalls = typeof rpcCalls
export type RpcName = keyof RpcCalls
type Part<Call, Name extends string> = Call extends Record<Name, infer Schema extends TSchema> ? Static<Schema> : undefined
export type RpcParams<Name extends RpcName> = Part<RpcCalls[Name], 'params'>
export type RpcQuery<Name extends RpcName> = Part<RpcCalls[Name], 'query'>
export type RpcBody<Name extends RpcName> = Part<RpcCalls[Name], 'body'>
export type RpcReply<Name extends RpcName> = Static<RpcCalls[Name]['reply']>

/** What a call brings: only the parts its row of the table has. */
export type RpcInput<Name extends RpcName> =
  & (RpcParams<Name> extends undefined ? unknown : { readonly params: RpcParams<Name> })
  & (RpcQuery<Name> extends undefined ? unknown : { readonly query: RpcQuery<Name> })
  & (RpcBody<Name> extends undefined ? unknown : { readonly body: RpcBody<Name> })

export const RpcErrorSchema = Type.Object({
  code: Type.Union((Object.keys(rpcErrors) as RpcErrorCode[]).map(code => Type.Literal(code))),
  message: Type.String(),
  epoch: Type.Optional(Epoch)
}, closed)

export type Target = Static<typeof TargetSchema>
export type TokenGrant = Static<typeof TokenGrantSchema>
export type TokenRejection = Static<typeof TokenRejectionSchema>
export type GoneTarget = Static<typeof GoneTargetSchema>
export type Hello = Static<typeof HelloSchema>
export type DrainReply = Static<typeof DrainReplySchema>
export type Session = Static<typeof SessionSchema>
export type SessionsPage = Static<typeof SessionsPageSchema>
export type Sample = Static<typeof StatsSchema>['samples'][number]
export type RpcEvent = Static<typeof EventSchema>
