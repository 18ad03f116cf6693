// The events that control can tell, once: every kind, what it says, and where it comes from. Types derive from this table, and
// so will whatever shows events outside (filters, the OpenAPI document). No event holds a token: its first eight characters name it.
import { Type, type Static, type TObject, type TSchema } from '@sinclair/typebox'
import { SessionEventSchema, TargetEventSchema, type EventKind as ProxyKind } from '#rpc/contract.js'
import type { Token } from '#wire/token.js'

const closed = { additionalProperties: false } as const

const TokenPrefix = Type.String({ minLength: 8, maxLength: 8, description: 'The first eight characters of the token: enough to find it in the logs, useless to redeem.' })
const TargetKey = Type.String({ description: 'The target\'s key.' })
const Seconds = Type.Integer({ minimum: 0, description: 'Until it ends in any case.' })
const Left = {
  sessions: Type.Optional(Type.Integer({ minimum: 0, description: 'As the proxy last said, as `unredeemedTokens`; absent until it has.' })),
  unredeemedTokens: Type.Optional(Type.Integer({ minimum: 0 }))
}
const Faulty = {
  provider: oneOf(['file', 'kubernetes'], '`inventory.provider` of the configuration.'),
  subject: Type.String({ description: 'Of `file` the file; of `kubernetes` what is wrong.' })
}
const InstanceId = Type.String({ description: 'Of the proxy; changes when it restarts. Session ids are unique within one such life.' })
const Epoch = Type.Integer({ minimum: 0, description: 'See `epoch` in docs/rpc.md.' })

function oneOf<const Words extends readonly string[]> (words: Words, description: string) {
  return Type.Union(words.map(word => Type.Literal(word as Words[number])), { description })
}

// The same without the name that the RPC has for it.
function fromProxy<Schema extends TObject> (schema: Schema) {
  return Type.Omit(schema, ['type'] as const, closed)
}

/** A row of the table. */
export interface KindRow {
  readonly summary: string
  /** The kind of the proxies' event streams that it is made of; without one it is control's own. */
  readonly proxyKind?: ProxyKind
  readonly data: TSchema
}

/** Every kind of event. */
export const hubKinds = {
  session: { summary: 'A session began, changed its target or ended.', proxyKind: 'session', data: fromProxy(SessionEventSchema) },
  target: { summary: 'A target that had sessions is gone.', proxyKind: 'target', data: fromProxy(TargetEventSchema) },
  token_issued: {
    summary: 'A token was issued, and the proxy can redeem it.',
    data: Type.Object({ tokenPrefix: TokenPrefix, target: TargetKey, via: oneOf(['query', 'tokens'], 'The route that was asked.') }, closed)
  },
  token_refused: {
    summary: 'Somebody who asked for a token got none.',
    data: Type.Object({
      requestId: Type.String(),
      code: Type.String({ description: 'The code of the problem that they were told.' }),
      via: oneOf(['query', 'tokens'], 'The route that was asked.')
    }, closed)
  },
  token_redeemed: {
    summary: 'A client redeemed a token on a data port.',
    proxyKind: 'redeemed',
    data: Type.Object({ tokenPrefix: TokenPrefix, dataPort: Type.String(), sessionId: Type.String() }, closed)
  },
  token_void: {
    summary: 'Tokens became void before their time.',
    data: Type.Object({
      cause: oneOf(['operator', 'unacknowledged', 'target_gone'], '`operator`: taken back. `unacknowledged`: the proxy did not answer in time, and whoever asked got no token. `target_gone`: the target is gone, or is not any more what was asked for.'),
      tokens: Type.Integer({ minimum: 1, description: 'How many.' }),
      tokenPrefix: Type.Optional(TokenPrefix),
      target: Type.Optional(TargetKey)
    }, closed)
  },
  drain: {
    summary: 'This director drains: it issues no tokens, and waits for sessions and tokens to end.',
    data: Type.Union([
      Type.Object({ change: Type.Literal('begun'), secondsLeft: Seconds }, closed),
      Type.Object({ change: Type.Literal('goes_on'), secondsLeft: Seconds, ...Left }, closed),
      Type.Object({ change: Type.Literal('ended'), outcome: oneOf(['empty', 'timeout', 'alone'], '`empty`: nothing is left. `timeout`: the time is over. `alone`: no proxy is left to wait for.'), ...Left }, closed)
    ])
  },
  inventory: {
    summary: 'Part of the inventory cannot be read, or can be read again.',
    data: Type.Union([
      Type.Object({ change: Type.Literal('fault'), ...Faulty, detail: Type.String() }, closed),
      Type.Object({ change: Type.Literal('recovered'), ...Faulty }, closed)
    ])
  },
  store: {
    summary: 'The store that directors share: it can be asked, the first time or again; it cannot, and why; it named a target that this director may not send to.',
    data: Type.Union([
      Type.Object({ change: Type.Literal('up'), isAgain: Type.Boolean({ description: 'What it knew before may be lost; it is told again.' }) }, closed),
      Type.Object({ change: Type.Literal('down'), status: oneOf(['down', 'unsuitable'], '`unsuitable`: it could be asked, but would not keep what it is told.'), reason: Type.String() }, closed),
      Type.Object({
        change: Type.Literal('target_refused'),
        reason: Type.String({ description: 'The rule of `allowedTargets` and its defaults that it breaks; `malformed`: it is not a target.' }),
        address: Type.Optional(Type.String({ description: 'Where it would have sent to; absent if it is not a target.' })),
        tokenPrefix: Type.Optional(TokenPrefix),
        client: Type.Optional(Type.String({ description: 'Whose session it was to be.' }))
      }, closed)
    ])
  },
  link: {
    summary: 'The connection to a proxy: it is up, with all that control knows told; it is lost; a newer control process has taken the proxy over; that one is gone, and this one takes over again.',
    data: Type.Union([
      Type.Object({ change: Type.Literal('up'), instanceId: InstanceId, engine: Type.String(), tokens: Type.Integer({ minimum: 0, description: 'Live tokens that it was told.' }) }, closed),
      Type.Object({ change: Type.Literal('lost'), code: Type.String({ description: 'One of docs/errors.md.' }), reason: Type.String() }, closed),
      Type.Object({ change: Type.Literal('superseded'), epoch: Epoch, newerEpoch: Type.Optional(Epoch) }, closed),
      Type.Object({ change: Type.Literal('taking_over'), epoch: Epoch }, closed)
    ])
  }
} as const satisfies Record<string, KindRow>

export type HubKind = keyof typeof hubKinds

/** What an event of the kind says. */
export type HubData<Kind extends HubKind> = Static<typeof hubKinds[Kind]['data']>

/** An event as its readers get it. */
export type HubEvent<Kind extends HubKind = HubKind> = {
  readonly [Each in Kind]: {
    /** Goes up with every event that is made, whatever its kind; begins at 1 in each life of the process. */
    readonly number: number
    /** When it was told, on the wall clock, in ms since the Unix epoch. */
    readonly atMs: number
    readonly kind: Each
    readonly data: HubData<Each>
  }
}[Kind]

/** Every kind, in the order of the table. */
export const allKinds = Object.keys(hubKinds) as HubKind[]

/** The kinds that proxies tell, by what the RPC calls them. */
export const kindsOfProxies: ReadonlyMap<ProxyKind, HubKind> = new Map(allKinds.flatMap(kind => {
  const { proxyKind }: KindRow = hubKinds[kind]
  return proxyKind === undefined ? [] : [[proxyKind, kind]]
}))

/** What events call a token. */
export function tokenPrefix (token: Token): string {
  return token.slice(0, 8)
}
