// Health reports. They are reports, not errors: the same shape with 200 and with 503.
import { Type } from '@sinclair/typebox'
import { stateStatuses } from '#rpc/contract.js'
import { knownStrings, mapOf, named } from './named.js'

export const LivenessSchema = named('Liveness', Type.Object({
  status: knownStrings(['ok'], 'Always `ok`.')
}, { description: 'The process answers.', examples: [{ status: 'ok' }] }))

const MissingSchema = Type.Object({
  component: knownStrings(['inventory', 'proxy', 'advertise', 'process'], 'What is not ready.'),
  reason: Type.String()
})

const DrainSchema = Type.Object({
  sessions: Type.Optional(Type.Integer({ minimum: 0, description: 'As the proxy last said; absent until it has.' })),
  unredeemedTokens: Type.Optional(Type.Integer({ minimum: 0, description: 'Tokens that can still be redeemed, as the proxy last said.' })),
  secondsLeft: Type.Integer({ minimum: 0, description: 'It ends when nothing is left, or after this many seconds.' })
}, { description: 'While draining: what is waited for.' })

export const ReadinessSchema = named('Readiness', Type.Object({
  status: knownStrings(['ready', 'draining', 'not_ready'], '`ready` if a query can be answered; `draining` while the process only waits for its sessions to end.'),
  missing: Type.Array(MissingSchema, { description: 'What is missing, and why.' }),
  drain: Type.Optional(DrainSchema)
}, { description: 'Whether queries can be answered, and what is missing if not.', examples: [{ status: 'not_ready', missing: [{ component: 'proxy', reason: 'Not connected yet.' }] }] }))

const InventoryHealthSchema = Type.Object({
  status: knownStrings(['ok', 'stale', 'loading'], '`stale`: the last good content is served, and `faults` says why.'),
  ageSeconds: Type.Number({ minimum: 0, description: 'Since its content was last known to be true.' }),
  objects: mapOf(Type.Integer(), { description: 'Objects by resource type.' }),
  faults: Type.Array(Type.String())
})

const ProxyHealthSchema = Type.Object({
  status: knownStrings(['disconnected', 'connecting', 'synchronised', 'superseded'], 'Of the link to the proxy.'),
  reason: Type.Optional(Type.String({ description: 'Why it is not synchronised.' })),
  instanceId: Type.Optional(Type.String({ description: 'Changes when the proxy restarts.' })),
  engine: Type.Optional(Type.String()),
  draining: Type.Optional(Type.Boolean({ description: 'As of the last connect.' })),
  state: Type.Optional(knownStrings(stateStatuses, 'Whether a restart of the proxy would find its sessions and tokens: `late` and `failed` are those that would lose some; `off` keeps none.'))
})

const AdvertiseHealthSchema = Type.Object({
  address: Type.Optional(Type.String({ description: 'What answers tell now.' })),
  fault: Type.Optional(Type.String({ description: 'Why it is not known, or may be another one by now.' }))
}, { description: 'The address that clients are told to send to; absent if none is configured.' })

const StoreHealthSchema = Type.Object({
  status: knownStrings(['connecting', 'up', 'down', 'unsuitable'], 'Of the store that directors share. `unsuitable`: it can be reached, but would not keep what it is told.'),
  reason: Type.Optional(Type.String({ description: 'Why it is not up, or what it has refused in the last 10 s while it is.' })),
  sinceSeconds: Type.Number({ minimum: 0, description: 'How long it has been so.' }),
  replica: Type.String({ description: 'The name of this director among those that share the store; changes when control restarts.' })
}, { description: 'Only with `sharedState`.' })

export const HealthSchema = named('Health', Type.Object({
  status: knownStrings(['ok', 'degraded', 'draining', 'not_ready'], '`degraded`: queries are answered, but something needs attention. `draining`: see `drain`.'),
  missing: Type.Array(MissingSchema),
  drain: Type.Optional(DrainSchema),
  inventory: InventoryHealthSchema,
  proxy: ProxyHealthSchema,
  advertise: Type.Optional(AdvertiseHealthSchema),
  store: Type.Optional(StoreHealthSchema),
  tokens: Type.Object({ live: Type.Integer({ minimum: 0, description: 'Tokens issued by this process that have not expired.' }) }),
  defaultEndpoint: Type.Object({
    configured: Type.Boolean(),
    targets: Type.Integer({ minimum: 0, description: 'Candidates at this moment.' })
  })
}, { description: 'Every component in detail.' }))

export const healthSchemas = [LivenessSchema, ReadinessSchema, HealthSchema]
