import t from 'tap'
import { logEvents, type LineLogger } from '../../src/events/event-log.js'
import { EventsHub } from '../../src/events/events-hub.js'
import { allKinds, type HubData, type HubKind } from '../../src/events/hub-kinds.js'

function setUp (level: string) {
  const hub = new EventsHub({ wallNow: () => 0 })
  const lines: unknown[] = []
  const write = (level: string) => (fields: object, sentence: string): void => { lines.push([level, sentence, fields]) }
  const log: LineLogger = { level, debug: write('debug'), info: write('info'), warn: write('warn'), error: write('error') }
  const reader = logEvents(hub, log)
  return { hub, lines, reader, read: () => allKinds.filter(hub.isRead) }
}

const table: ReadonlyArray<{ [Kind in HubKind]: readonly [Kind, HubData<Kind>, line?: unknown] }[HubKind]> = [
  ['session', { change: 'established', sessionId: '0-1', client: '192.0.2.7:1', target: 'k' }],
  ['target', { change: 'gone', target: 'k', action: 'keep', sessions: 1 }],
  ['token_redeemed', { tokenPrefix: '01234567', dataPort: 'default', sessionId: '0-1' }],
  ['token_issued', { tokenPrefix: '01234567', target: 'k', via: 'query' }, ['info', 'Token issued', { tokenPrefix: '01234567', target: 'k', via: 'query' }]],
  ['token_refused', { requestId: 'r', code: 'NO_MATCHING_RESOURCE', via: 'query' }, ['debug', 'Query failed', { requestId: 'r', code: 'NO_MATCHING_RESOURCE' }]],
  ['token_refused', { requestId: 'r', code: 'INVALID_TARGET', via: 'tokens' }, ['debug', 'Token refused', { requestId: 'r', code: 'INVALID_TARGET' }]],
  ['token_void', { cause: 'operator', tokens: 1, tokenPrefix: '01234567' }, ['info', 'Token revoked', { tokenPrefix: '01234567' }]],
  ['token_void', { cause: 'target_gone', tokens: 3, target: 'k' }, ['info', 'Tokens withdrawn, their target is gone or has changed', { tokens: 3, target: 'k' }]],
  ['token_void', { cause: 'unacknowledged', tokens: 1, tokenPrefix: '01234567', target: 'k' }],
  ['drain', { change: 'begun', secondsLeft: 60 }, ['info', 'Control draining, no more tokens', { drainTimeoutSeconds: 60 }]],
  ['drain', { change: 'goes_on', secondsLeft: 50, sessions: 1, unredeemedTokens: 0 }, ['info', 'Control draining', { secondsLeft: 50, sessions: 1, unredeemedTokens: 0 }]],
  ['drain', { change: 'ended', outcome: 'alone' }, ['info', 'Control drained', { outcome: 'alone' }]],
  ['inventory', { change: 'fault', provider: 'file', subject: 'a.yaml', detail: 'a.yaml:1:1: no' }, ['warn', 'Inventory file is broken, its last good content is kept', { file: 'a.yaml', fault: 'a.yaml:1:1: no' }]],
  ['inventory', { change: 'recovered', provider: 'file', subject: 'a.yaml' }, ['info', 'Inventory file is without fault again', { file: 'a.yaml' }]],
  ['inventory', { change: 'fault', provider: 'kubernetes', subject: 'It is forbidden', detail: 'to list' }, ['warn', 'Kubernetes objects cannot be read, what is known of them is kept', { fault: 'It is forbidden', detail: 'to list' }]],
  ['inventory', { change: 'recovered', provider: 'kubernetes', subject: 'It is forbidden' }, ['info', 'Kubernetes fault is over', { fault: 'It is forbidden' }]],
  ['store', { change: 'up', isAgain: false }, ['info', 'Shared store can be reached', {}]],
  ['store', { change: 'up', isAgain: true }, ['info', 'Shared store can be reached again', {}]],
  ['store', { change: 'down', status: 'down', reason: 'connection refused' }, ['warn', 'Shared store cannot be used', { status: 'down', reason: 'connection refused' }]],
  ['store', { change: 'target_refused', reason: 'loopback', tokenPrefix: '01234567' }, ['warn', 'Shared store names a target that is not allowed', { reason: 'loopback', tokenPrefix: '01234567' }]],
  ['link', { change: 'up', instanceId: 'i', engine: 'batch', tokens: 2 }, ['info', 'Proxy synchronised', { instanceId: 'i', engine: 'batch', tokens: 2 }]],
  ['link', { change: 'lost', code: 'UNREACHABLE', reason: 'other side closed' }, ['warn', 'Proxy lost', { code: 'UNREACHABLE', reason: 'other side closed' }]],
  ['link', { change: 'superseded', epoch: 1, newerEpoch: 2 }, ['error', 'Superseded by a newer control process', { epoch: 1, newerEpoch: 2 }]],
  ['link', { change: 'taking_over', epoch: 1 }, ['warn', 'The newer control process is gone, taking over', { epoch: 1 }]]
]

void t.test('each event is its line, at once; those that the proxy logs itself are none', t => {
  const { hub, lines } = setUp('debug')
  for (const [kind, data, line] of table) {
    hub.publish(kind, () => data)
    t.strictSame(lines.splice(0), line === undefined ? [] : [line], `${kind} ${JSON.stringify(data)}`)
  }
  t.strictSame([...new Set(table.map(([kind]) => kind))].sort(), [...allKinds].sort())
  t.end()
})

void t.test('what its level leaves out is not even read', t => {
  t.strictSame(setUp('debug').read(), ['token_issued', 'token_refused', 'token_void', 'drain', 'inventory', 'store', 'link'])
  t.strictSame(setUp('info').read(), ['token_issued', 'token_void', 'drain', 'inventory', 'store', 'link'])
  t.strictSame(setUp('warn').read(), ['inventory', 'store', 'link'])
  t.strictSame(setUp('error').read(), ['link'])
  for (const level of ['fatal', 'silent']) t.strictSame(setUp(level).read(), [], level)
  const { reader, read } = setUp('info')
  reader.close()
  t.strictSame(read(), [])
  t.end()
})
