// What the store holds, as text, and what it says when it is asked, checked. Whoever can write to the store can write anything: what
// does not fit is `unsound`, and what a newer director wrote is `newer`. Neither is used.
import { Type, type Static, type TSchema } from '@sinclair/typebox'
import { TypeCompiler, type TypeCheck } from '@sinclair/typebox/compiler'
import { err, ok, type Result } from '#core/result.js'
import type { Target } from '#rpc/contract.js'
import { TargetSchema } from '#rpc/parts.js'
import { TOKEN_PATTERN, type Token } from '#wire/token.js'
import type { ReplicaInfo, ReplicaMessage, SharedBinding, SharedKeys, SharedToken } from './shared-store.js'

export type RecordFault = 'newer' | 'unsound'
type Read<Value> = Result<Value, RecordFault>

/** The version of everything that this director writes. */
const VERSION = 1

// Fields that are not known are passed over: a director of the next release may write them.
const TargetRecord = Type.Object(TargetSchema.properties)
const TokenOf = Type.String({ pattern: TOKEN_PATTERN })
const Client = Type.String({ minLength: 4, maxLength: 64 })
const Replica = Type.String({ minLength: 1, maxLength: 253 })

const isTokenRecord = TypeCompiler.Compile(Type.Object({ t: TargetRecord, h: Replica }))
const isBindingRecord = TypeCompiler.Compile(Type.Object({
  t: TargetRecord,
  k: Type.Optional(TokenOf),
  c: Type.Optional(Type.Array(Type.String({ maxLength: 63 }), { maxItems: 64 }))
}))
const isInfoRecord = TypeCompiler.Compile(Type.Object({
  replica: Replica,
  version: Type.String({ maxLength: 100 }),
  sessions: Type.Integer({ minimum: 0 }),
  sinceMs: Type.Number()
}))

const isRedeemed = TypeCompiler.Compile(Type.Object({ type: Type.Literal('redeemed'), token: TokenOf, dataPort: Type.String({ maxLength: 63 }), client: Client }))
const isElsewhere = TypeCompiler.Compile(Type.Object({
  type: Type.Literal('elsewhere'),
  client: Client,
  change: Type.Union([Type.Literal('moved'), Type.Literal('ended'), Type.Literal('seen')]),
  target: Type.Optional(TargetRecord),
  sequence: Type.Optional(Type.Integer({ minimum: 0 }))
}))
const isVoid = TypeCompiler.Compile(Type.Object({ type: Type.Literal('void'), tokens: Type.Array(TokenOf), cause: Type.Union([Type.Literal('revoked'), Type.Literal('withdrawn')]) }))
const CountsByKey = Type.Record(Type.String(), Type.Integer({ minimum: 0 }))
const isCounts = TypeCompiler.Compile(Type.Object({ type: Type.Literal('counts'), replica: Replica, sessions: CountsByKey, pending: Type.Optional(CountsByKey), isAll: Type.Boolean() }))
const isEnvelope = TypeCompiler.Compile(Type.Object({ f: Replica, m: Type.Object({ type: Type.String() }) }))

/** The text of a token's record: see scripts.ts for what is around the JSON. */
export function textOfToken ({ target, minter, clientPrefix = '-' }: SharedToken): string {
  return `${clientPrefix} ${JSON.stringify({ v: VERSION, t: target, h: minter })}`
}

export function tokenFrom (text: unknown): Read<SharedToken> {
  const [, prefix, json] = partsOf(text, /^(\S+) (.*)$/s)
  const read = readJson(isTokenRecord, json)
  if (!read.ok) return read
  const { t, h } = read.value
  return ok({ target: targetOf(t), minter: h, ...(prefix !== '-' && { clientPrefix: prefix! }) })
}

/** The JSON of a binding's record; the script puts the rest around it. */
export function jsonOfBinding ({ target, token, consumed }: Omit<SharedBinding, 'sequence' | 'replicas'>): string {
  return JSON.stringify({ v: VERSION, t: target, k: token, c: consumed })
}

/** @param nowMs the store's clock */
export function bindingFrom (text: unknown, nowMs: number): Read<SharedBinding> {
  const [, sequence, endsMs, replicas, json] = partsOf(text, /^(\d{1,15}) (\d{1,15}) (\S+) (.*)$/s)
  const read = readJson(isBindingRecord, json)
  if (!read.ok) return read
  const { t, k, c } = read.value
  const leftMs = Number(endsMs) - nowMs
  return ok({
    target: targetOf(t),
    sequence: Number(sequence),
    replicas: replicasFrom(replicas),
    ...(k !== undefined && { token: k as Token }),
    ...(k !== undefined && leftMs > 0 && { tokenTtlMs: leftMs }),
    ...(c !== undefined && { consumed: c })
  })
}

export function keysFrom (text: unknown, nowMs: number): Read<SharedKeys> {
  const [found, current, former, sinceMs] = partsOf(text, /^([0-9a-f]{32}) ([0-9a-f]{32}|-) (\d{1,15})$/)
  if (found === undefined) return err('unsound')
  return ok({ current: current!, ...(former !== '-' && { former: former! }), sinceMs: Number(sinceMs), nowMs })
}

export function jsonOfInfo (info: ReplicaInfo): string {
  return JSON.stringify({ v: VERSION, ...info })
}

export function infoFrom (text: unknown): Read<ReplicaInfo> {
  const read = readJson(isInfoRecord, text)
  if (!read.ok) return read
  const { replica, version, sessions, sinceMs } = read.value
  return ok({ replica, version, sessions, sinceMs })
}

/** What goes over a channel. */
export function textOfMessage (from: string, message: ReplicaMessage): string {
  return JSON.stringify({ v: VERSION, f: from, m: message })
}

export function messageFrom (text: string): Read<{ readonly from: string, readonly message: ReplicaMessage }> {
  const read = readJson(isEnvelope, text)
  if (!read.ok) return read
  const { f: from, m } = read.value
  const message = messageOf(m)
  return message === undefined ? err('unsound') : ok({ from, message })
}

function messageOf (m: { readonly type: string }): ReplicaMessage | undefined {
  if (isRedeemed.Check(m)) return { type: m.type, token: m.token as Token, dataPort: m.dataPort, client: m.client }
  if (isElsewhere.Check(m)) {
    const { type, client, change, target, sequence } = m
    return { type, client, change, ...(target !== undefined && { target: targetOf(target) }), ...(sequence !== undefined && { sequence }) }
  }
  if (isVoid.Check(m)) return { type: m.type, tokens: m.tokens as Token[], cause: m.cause }
  if (isCounts.Check(m)) return { type: m.type, replica: m.replica, sessions: m.sessions, ...(m.pending !== undefined && { pending: m.pending }), isAll: m.isAll }
  return undefined
}

/** Names of replicas in one text: they may hold anything, so what parts them is written otherwise. */
export function replicaText (replica: string): string {
  return encodeURIComponent(replica)
}

export function replicasFrom (text: unknown): readonly string[] {
  if (typeof text !== 'string' || text === '' || text === '-') return []
  return text.split(',').map(name => {
    try {
      return decodeURIComponent(name)
    } catch {
      return name // not written by us: nobody has this name, and nobody hears what is sent to it
    }
  })
}

function targetOf ({ key, address, ports }: Target): Target {
  return { key, address, ports }
}

function partsOf (text: unknown, pattern: RegExp): ReadonlyArray<string | undefined> {
  return typeof text === 'string' ? pattern.exec(text) ?? [] : []
}

function readJson<Schema extends TSchema> (check: TypeCheck<Schema>, text: unknown): Read<Static<Schema>> {
  let value: unknown
  try {
    value = JSON.parse(String(text))
  } catch {
    return err('unsound') // a SyntaxError, whose text holds what was read
  }
  if (typeof value !== 'object' || value === null || !('v' in value)) return err('unsound')
  if (value.v !== VERSION) return err(typeof value.v === 'number' && value.v > VERSION ? 'newer' : 'unsound')
  return check.Check(value) ? ok(value) : err('unsound')
}
