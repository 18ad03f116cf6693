import t, { type Test } from 'tap'
import { err, ok } from '#core/result.js'
import type { Target } from '#rpc/contract.js'
import { ask, gameServer, startRig, type Rig } from '#testkit/control-rig.js'
import { buildAdminApp } from '../../../src/http/app.js'
import type { TypedApp } from '../../../src/http/listener/listener.js'
import type { SessionElsewhere, SharedSessions } from '../../../src/replicas/sessions/shared-sessions.js'

const client = '203.0.113.9:5000'
const targetA: Target = { key: 'gameserver/game-servers/a', address: '10.0.0.1', ports: { default: 7000 } }
const targetB: Target = { key: 'gameserver/game-servers/b', address: '10.0.0.2', ports: { default: 7000 } }
const named = { resourceType: 'gameserver', namespace: 'game-servers', name: 'b' }
const session = (id: string, of: string) => ({ id, client: of, target: targetA, origin: 'token' as const, ageMs: 1000, idleMs: 10, datagramsToTarget: 0, bytesToTarget: 0, datagramsToClient: 0, bytesToClient: 0 })

interface Shared extends SharedSessions {
  readonly sessions: Map<string, SessionElsewhere>
  isDown: boolean
  readonly asked: string[]
}

function sharedSessions (): Shared {
  const answer = async (what: string, of: string) => {
    shared.asked.push(`${what} ${of}`)
    return await Promise.resolve(shared.isDown ? err('down' as const) : ok(shared.sessions.get(of)))
  }
  const shared: Shared = {
    sessions: new Map(),
    isDown: false,
    asked: [],
    find: async of => await answer('find', of),
    end: async of => await answer('end', of),
    move: async of => await answer('move', of)
  }
  return shared
}

async function shareStore (t: Test): Promise<{ readonly rig: Rig, readonly admin: TypedApp, readonly shared: Shared }> {
  const rig = await startRig(t, { objects: [gameServer('a', '10.0.0.1'), gameServer('b', '10.0.0.2')] })
  const shared = sharedSessions()
  const replicas = {
    sessions: shared,
    replica: 'a-1',
    reading: () => ({ status: shared.isDown ? 'down' as const : 'up' as const, reason: shared.isDown ? 'connection refused' : undefined, ageMs: 0, directors: 2 }),
    list: async () => await Promise.resolve([{ replica: 'a-1', version: '1.2.3', sessions: 3, sinceMs: 0 }, { replica: 'b-1', version: '1.2.2', sessions: 4, sinceMs: 1500 }])
  }
  const admin = await buildAdminApp({ ...rig.features, replicas })
  t.teardown(async () => { await admin.close() })
  return { rig, admin, shared }
}

void t.test('a client address names the session of this replica as its id does', async t => {
  const { rig: { proxy }, admin, shared } = await shareStore(t)
  proxy.sessions.set('1', session('1', client))
  t.match(await ask(admin, 'GET', `/sessions/${client}`), { status: 200, body: { id: '1' } })
  t.match(await ask(admin, 'PUT', `/sessions/${client}/target`, named), { status: 200, body: { id: '1', target: targetB } })
  t.strictSame(shared.asked, [])
  t.match(await ask(admin, 'DELETE', `/sessions/${client}`), { status: 204 })
  t.equal(proxy.sessions.size, 0)
  t.strictSame(shared.asked, [`end ${client}`], 'others that have the client are told')
  const six = '[2001:db8::1]:4711'
  proxy.sessions.set('2', session('2', six))
  t.match(await ask(admin, 'GET', `/sessions/${encodeURIComponent('[2001:DB8:0::1]:4711')}`), { status: 200, body: { id: '2' } }, 'in any spelling')
})

void t.test('a session that only other replicas have: named, moved and ended by them', async t => {
  const { rig: { logged }, admin, shared } = await shareStore(t)
  shared.sessions.set(client, { client, target: targetA, replicas: ['b-1', 'c-1'] })
  t.match(await ask(admin, 'GET', `/sessions/${client}`), { status: 421, body: { code: 'SESSION_ELSEWHERE', detail: `Of this client there are sessions at b-1, c-1, on the target ${targetA.key}.` } })
  const moved = await ask(admin, 'PUT', `/sessions/${client}/target`, named)
  t.match(moved, { status: 202 })
  t.strictSame(moved.body, { client, target: targetB, replicas: ['b-1', 'c-1'] })
  const ended = await ask(admin, 'DELETE', `/sessions/${client}`)
  t.match(ended, { status: 202 })
  t.strictSame(ended.body, { client, target: targetA, replicas: ['b-1', 'c-1'] })
  t.strictSame(shared.asked, [`find ${client}`, `move ${client}`, `end ${client}`])
  t.strictSame(logged.filter(({ msg }) => msg.startsWith('Session at other')).map(({ msg }) => msg), ['Session at other replicas moved by an operator', 'Session at other replicas ended by an operator'])
})

void t.test('a session that nobody has, and a store that does not say', async t => {
  const { rig: { proxy }, admin, shared } = await shareStore(t)
  for (const [method, url, body] of [['GET', '', undefined], ['DELETE', '', undefined], ['PUT', '/target', named]] as const) {
    shared.isDown = false
    t.match(await ask(admin, method, `/sessions/${client}${url}`, body), { status: 404, body: { code: 'SESSION_NOT_FOUND' } }, method)
    shared.isDown = true
    t.match(await ask(admin, method, `/sessions/${client}${url}`, body), { status: 503, retryAfter: '1', body: { code: 'STORE_UNAVAILABLE' } }, method)
    shared.asked.length = 0
    t.match(await ask(admin, method, `/sessions/1${url}`, body), { status: 404, body: { code: 'SESSION_NOT_FOUND' } }, `${method} by an id, which is of this replica alone`)
    t.strictSame(shared.asked, [])
  }
  proxy.sessions.set('1', session('1', client))
  t.match(await ask(admin, 'DELETE', '/sessions/1'), { status: 204 }, 'one that is here ends without the store')
})

void t.test('GET /replicas', async t => {
  const { rig, admin, shared } = await shareStore(t)
  const all = [
    { replica: 'a-1', version: '1.2.3', sessions: 3, since: '1970-01-01T00:00:00.000Z' },
    { replica: 'b-1', version: '1.2.2', sessions: 4, since: '1970-01-01T00:00:01.500Z' }
  ]
  t.strictSame((await ask(admin, 'GET', '/replicas')).body, { replica: 'a-1', store: { status: 'up' }, replicas: all })
  shared.isDown = true
  t.match((await ask(admin, 'GET', '/replicas')).body, { store: { status: 'down', reason: 'connection refused' } })
  t.strictSame((await ask(rig.admin, 'GET', '/replicas')).body, { store: { status: 'off' }, replicas: [] }, 'a director that is alone')
})
