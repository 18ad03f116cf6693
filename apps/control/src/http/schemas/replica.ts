// The directors that share a store, as the admin API shows them.
import { Type } from '@sinclair/typebox'
import { count, knownStrings, named, refTo } from './named.js'

const replicaExample = { replica: 'udp-director-0.h7q2', version: '0.3.0', sessions: 4211, since: '2026-01-31T12:00:00.000Z' }

export const ReplicaSchema = named('Replica', Type.Object({
  replica: Type.String({ description: 'Its name, which is another one after each start.' }),
  version: Type.String({ description: 'Of its control process.' }),
  sessions: count('Sessions of its proxy, as it last said.'),
  since: Type.String({ format: 'date-time', description: 'When its control process started, by its own clock.' })
}, { description: 'A director.', examples: [replicaExample] }))

export const ReplicasSchema = named('Replicas', Type.Object({
  replica: Type.Optional(Type.String({ description: 'The one that answers. Absent without `sharedState`.' })),
  store: Type.Object({
    status: knownStrings(['off', 'connecting', 'up', 'down', 'unsuitable'], 'How the store is doing; `off` without `sharedState`.'),
    reason: Type.Optional(Type.String({ description: 'Why it is not up, or what it refuses while it is, in words; they may change.' }))
  }),
  replicas: Type.Array(refTo(ReplicaSchema), { description: 'Those that were there in the last 10 s, by name; while the store is not up only the one that answers.' })
}, { description: 'The directors that share a store.', examples: [{ replica: replicaExample.replica, store: { status: 'up' }, replicas: [replicaExample] }] }))

export const replicaSchemas = [ReplicaSchema, ReplicasSchema]
