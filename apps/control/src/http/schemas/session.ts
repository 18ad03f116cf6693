// Sessions as the admin API shows them. Spans are seconds with a fraction, like everything a person reads here.
import { Type } from '@sinclair/typebox'
import { count, knownStrings, named, refTo } from './named.js'
import { nextCursor } from './paging.js'
import { targetExample, TargetSchema } from './target.js'

const sessionExample = {
  id: '1a2b',
  client: '203.0.113.9:51234',
  target: targetExample,
  origin: 'token',
  ageSeconds: 84.2,
  idleSeconds: 0.016,
  datagramsToTarget: 5012,
  bytesToTarget: 380_912,
  datagramsToClient: 5009,
  bytesToClient: 1_902_311
}

export const SessionSchema = named('Session', Type.Object({
  id: Type.String({ description: 'Opaque; unique within one life of the proxy.' }),
  client: Type.String({ description: 'The client address, `ip:port` or `[ip]:port`.' }),
  target: refTo(TargetSchema),
  origin: knownStrings(['token', 'default', 'operator', 'followed'], 'What bound it to its target. `followed`: it began at another replica, and its client\'s datagrams come here now.'),
  ageSeconds: Type.Number({ minimum: 0, description: 'Since it was established.' }),
  idleSeconds: Type.Number({ minimum: 0, description: 'Since the last datagram that keeps it alive.' }),
  datagramsToTarget: count('Datagrams forwarded from the client to the target.'),
  bytesToTarget: count('Their bytes, headers not counted.'),
  datagramsToClient: count('Datagrams forwarded from the target to the client.'),
  bytesToClient: count('Their bytes, headers not counted.')
}, { description: 'One client address and where its datagrams go.', examples: [sessionExample] }))

export const SessionsPageSchema = named('SessionsPage', Type.Object({
  sessions: Type.Array(refTo(SessionSchema)),
  nextCursor,
  total: count('Sessions at this moment that match, on all pages.')
}, { description: 'A page of sessions.', examples: [{ sessions: [sessionExample], nextCursor: 100, total: 4211 }] }))

export const SessionElsewhereSchema = named('SessionElsewhere', Type.Object({
  client: Type.String({ description: 'The client address, `ip:port` or `[ip]:port`.' }),
  target: refTo(TargetSchema),
  replicas: Type.Array(Type.String(), { description: 'The replicas that have a session of this client, the last one first. One that was lost may be among them for a while.' })
}, { description: 'A session at other replicas, as the shared store knows it.', examples: [{ client: '203.0.113.9:51234', target: targetExample, replicas: ['udp-director-1.k3v9'] }] }))

export const sessionSchemas = [SessionSchema, SessionsPageSchema, SessionElsewhereSchema]
