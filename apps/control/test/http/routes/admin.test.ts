import t from 'tap'
import type { Session } from '#rpc/contract.js'
import { FAKE_EPOCH_MS } from '#testkit/fake-clock.js'
import { problemFrom, type ApiFailure } from '../../../src/http/problems/problem.js'
import { addressTargetExample, MAX_UNUSABLE } from '../../../src/http/schemas/target.js'
import { ask, eventually, gameServer, goOnline, startRig } from '#testkit/control-rig.js'

const objects = [gameServer('a', '10.0.0.1'), gameServer('b', '10.0.0.2'), gameServer('elsewhere', '192.0.2.1'), gameServer('hidden', '10.0.0.3', { namespace: 'other' })]
const named = { resourceType: 'gameserver', namespace: 'game-servers', name: 'b' }
const byAddress = { address: '10.9.9.9', ports: { default: 7000, voice: 7001 } }
const byAddressTarget = { key: 'address/10.9.9.9/7000,7001', ...byAddress }
const targetA = { key: 'gameserver/game-servers/a', address: '10.0.0.1', ports: { default: 7000 } }
const targetB = { key: 'gameserver/game-servers/b', address: '10.0.0.2', ports: { default: 7000 } }

const invalid = (detail: string, ...errors: Array<{ path: string, message: string }>): ApiFailure => ({ code: 'INVALID_REQUEST', detail, errors })

/** Bodies that name no usable target, and why; the same for POST /tokens and PUT /sessions/{id}/target. */
const badTargets: ReadonlyArray<readonly [name: string, body: unknown, status: number, failure: ApiFailure]> = [
  ['nothing', {}, 400, invalid('The body has 3 faults.', { path: '/resourceType', message: 'is missing' }, { path: '/namespace', message: 'is missing' }, { path: '/name', message: 'is missing' })],
  ['both forms', { ...named, ...byAddress }, 400, invalid('The body has 3 faults.', { path: '/resourceType', message: 'is not a known field' }, { path: '/namespace', message: 'is not a known field' }, { path: '/name', message: 'is not a known field' })],
  ['no ports', { address: '10.0.0.1', ports: {} }, 400, invalid('The body has one fault.', { path: '/ports', message: 'must NOT have fewer than 1 properties' })],
  ['port 0', { address: '10.0.0.1', ports: { default: 0 } }, 400, invalid('The body has one fault.', { path: '/ports/default', message: 'must be >= 1' })],
  ['a host name', { address: 'example.com', ports: { default: 1 } }, 400, { code: 'INVALID_TARGET', detail: 'The address is not an IPv4 or IPv6 address.', errors: [{ path: '/address', message: 'must be an IP address' }] }],
  ['unknown data port', { address: '10.0.0.1', ports: { game: 1 } }, 400, { code: 'INVALID_TARGET', detail: 'A port is for a data port that is not configured.', errors: [{ path: '/ports/game', message: 'must be one of default, voice' }] }],
  ['outside allowedTargets', { address: '192.0.2.1', ports: { default: 1 } }, 403, { code: 'TARGET_NOT_ALLOWED', detail: 'The address lies outside of `allowedTargets`.' }],
  ['unknown object', { ...named, name: 'z' }, 404, { code: 'NO_MATCHING_RESOURCE', detail: 'There is no object of this name.' }],
  ['object whose target is not allowed', { ...named, name: 'elsewhere' }, 404, { code: 'NO_MATCHING_RESOURCE', detail: 'The object is not usable: outside of the allowed targets.' }],
  ['unknown resource type', { ...named, resourceType: 'pod' }, 404, { code: 'UNKNOWN_RESOURCE_TYPE', detail: 'The resource type is not a key of resourceQueryMapping.' }],
  ['namespace not configured', { ...named, namespace: 'other' }, 403, { code: 'NAMESPACE_NOT_ALLOWED', detail: 'The namespace is not one of those that queries may name.' }]
]

void t.test('POST /tokens: for an object by name, for an address, with its own TTL', async t => {
  const { admin, proxy } = await startRig(t, { objects })
  const first = await ask(admin, 'POST', '/tokens', named)
  const { token } = first.body as { token: string }
  t.equal(first.status, 201)
  t.strictSame(first.body, { token, expiresAt: new Date(FAKE_EPOCH_MS + 30_000).toISOString(), ttlSeconds: 30, dataPorts: [{ name: 'default', protocol: 'udp', port: 41_000 }] })
  t.strictSame(proxy.tokens.get(token)?.target, targetB)
  const second = await ask(admin, 'POST', '/tokens', { ...byAddress, ttlSeconds: 3600 })
  t.match(second, { status: 201, body: { ttlSeconds: 3600, dataPorts: [{ name: 'default', port: 41_000 }, { name: 'voice', port: 41_001 }] } })
  t.strictSame(proxy.tokens.get((second.body as { token: string }).token), { token: (second.body as { token: string }).token, ttlMs: 3_600_000, target: byAddressTarget })
  const ipv6 = await ask(admin, 'POST', '/tokens', { address: '2001:DB8:0::1', ports: { voice: 9 } })
  t.strictSame(proxy.tokens.get((ipv6.body as { token: string }).token)?.target, { key: 'address/2001:db8::1/-,9', address: '2001:db8::1', ports: { voice: 9 } }, 'in canonical form')
  t.equal((await ask(admin, 'POST', '/tokens', addressTargetExample)).status, 201, 'the example of the OpenAPI document')
})

void t.test('null and an empty list are as good as absent, in both forms', async t => {
  const { admin, proxy } = await startRig(t, { objects })
  const nameless = { resourceType: null, namespace: null, name: null }
  const placeless = { address: null, ports: [] }
  const rest = { ttlSeconds: null, clientIp: null }
  t.equal((await ask(admin, 'POST', '/tokens', { ...named, ...placeless, ...rest })).status, 201)
  t.equal((await ask(admin, 'POST', '/tokens', { ...byAddress, ...nameless, ...rest })).status, 201)
  t.strictSame([...proxy.tokens.values()].map(({ ttlMs, target }) => [ttlMs, target]), [[30_000, targetB], [30_000, byAddressTarget]])
  t.match(await ask(admin, 'PUT', '/sessions/1/target', { ...named, ...placeless }), { status: 404, body: { code: 'SESSION_NOT_FOUND' } })
  t.match(await ask(admin, 'POST', '/tokens', { ...nameless, ...placeless }), { status: 400, body: { detail: 'The body has 3 faults.' } }, 'nothing is left')
})

void t.test('POST /tokens: every bad body has its exact answer', async t => {
  const { admin, proxy } = await startRig(t, { objects })
  const cases: typeof badTargets = [
    ...badTargets,
    ['TTL 0', { ...named, ttlSeconds: 0 }, 400, invalid('The body has one fault.', { path: '/ttlSeconds', message: 'must be >= 1' })],
    ['TTL above an hour', { ...byAddress, ttlSeconds: 3601 }, 400, invalid('The body has one fault.', { path: '/ttlSeconds', message: 'must be <= 3600' })],
    ['TTL in quotes', { ...named, ttlSeconds: '5' }, 400, invalid('The body has one fault.', { path: '/ttlSeconds', message: 'must be integer' })],
    ['unknown field', { ...byAddress, ttl: 5 }, 400, invalid('The body has one fault.', { path: '/ttl', message: 'is not a known field' })]
  ]
  for (const [at, [name, body, status, failure]] of cases.entries()) {
    const answer = await ask(admin, 'POST', '/tokens', body)
    t.equal(answer.status, status, name)
    t.strictSame(answer.body, problemFrom(failure, `req-${(at + 1).toString(36)}`), name)
  }
  t.equal(proxy.tokens.size, 0)
})

void t.test('DELETE /tokens/{token}', async t => {
  const rig = await startRig(t, { objects, isOffline: true })
  const { admin, proxy, features } = rig
  t.match(await ask(admin, 'POST', '/tokens', named), { status: 503, retryAfter: '1', body: { code: 'PROXY_UNAVAILABLE' } })
  await goOnline(rig)
  const { token } = (await ask(admin, 'POST', '/tokens', named)).body as { token: string }
  t.match(await ask(admin, 'DELETE', `/tokens/${token}`), { status: 204, text: '' })
  t.equal(proxy.tokens.has(token), false)
  t.match((await ask(admin, 'DELETE', `/tokens/${token}`)), { status: 404, body: { code: 'TOKEN_NOT_FOUND' } })
  t.match((await ask(admin, 'DELETE', '/tokens/nonsense')), { status: 400, body: { code: 'INVALID_REQUEST', detail: 'The path has one fault.', errors: [{ path: '/token' }] } })

  const former = '3e5d8a52-1f6b-4c0e-9a77-0c2f4b8d6e10'
  proxy.tokens.set(former, { token: former, ttlMs: 5, target: targetA })
  t.equal((await ask(admin, 'DELETE', `/tokens/${former}`)).status, 404)
  t.equal(proxy.tokens.has(former), false, 'one of a former control process is void all the same')

  const { token: unlucky } = (await ask(admin, 'POST', '/tokens', named)).body as { token: string }
  proxy.hook = () => ({ kind: 'hang-up' })
  t.match(await ask(admin, 'DELETE', `/tokens/${unlucky}`), { status: 503, body: { code: 'PROXY_UNAVAILABLE' } })
  t.equal(features.link.isRevoking(unlucky as never), true, 'the revocation waits for the proxy')
  t.match((await ask(admin, 'GET', '/metrics')).text, /tokens_revoked_total\{cause="operator"\} 1\n/)
})

const session = (id: string, client: string): Session => ({
  id, client, target: targetA, origin: 'token', ageMs: 84_200, idleMs: 16, datagramsToTarget: 1, bytesToTarget: 2, datagramsToClient: 3, bytesToClient: 4
})

const shown = (id: string, client: string) => ({
  id, client, target: targetA, origin: 'token', datagramsToTarget: 1, bytesToTarget: 2, datagramsToClient: 3, bytesToClient: 4, ageSeconds: 84.2, idleSeconds: 0.016
})

void t.test('sessions: listed by pages and filters, looked at, ended', async t => {
  const { admin, proxy } = await startRig(t)
  for (const id of ['1', '2', '3']) proxy.sessions.set(id, session(id, `203.0.113.${id}:5000`))
  t.same((await ask(admin, 'GET', '/sessions?limit=2')).body, { sessions: [shown('1', '203.0.113.1:5000'), shown('2', '203.0.113.2:5000')], nextCursor: 2, total: 3 })
  t.same((await ask(admin, 'GET', '/sessions?cursor=2')).body, { sessions: [shown('3', '203.0.113.3:5000')], total: 3 })
  t.same((await ask(admin, 'GET', '/sessions?client=203.0.113.2:5000')).body, { sessions: [shown('2', '203.0.113.2:5000')], total: 3 })
  t.same((await ask(admin, 'GET', `/sessions?target=${encodeURIComponent('gameserver/x')}`)).body, { sessions: [], total: 3 })
  t.same((await ask(admin, 'GET', '/sessions/2')).body, shown('2', '203.0.113.2:5000'))
  t.match(await ask(admin, 'DELETE', '/sessions/2'), { status: 204, text: '' })
  t.equal(proxy.sessions.has('2'), false)
  for (const method of ['GET', 'DELETE'] as const) {
    t.match(await ask(admin, method, '/sessions/2'), { status: 404, body: { code: 'SESSION_NOT_FOUND', detail: 'The proxy has no session with this id.' } })
  }
})

void t.test('sessions: a query string with faults names them all', async t => {
  const { admin } = await startRig(t, { isOffline: true })
  t.strictSame((await ask(admin, 'GET', '/sessions?limit=0&cursor=-1&page=2')).body, problemFrom(invalid('The query string has 3 faults.',
    { path: '/page', message: 'is not a known field' },
    { path: '/cursor', message: 'must be integer' },
    { path: '/limit', message: 'must be >= 1' }), 'req-1'))
})

void t.test('sessions: an operator moves one to an object or to an address', async t => {
  const { admin, proxy, logged } = await startRig(t, { objects })
  proxy.sessions.set('1', session('1', '203.0.113.1:5000'))
  t.match(await ask(admin, 'PUT', '/sessions/1/target', named), { status: 200, body: { id: '1', target: targetB, origin: 'operator' } })
  t.match(await ask(admin, 'PUT', '/sessions/1/target', byAddress), { status: 200, body: { target: byAddressTarget } })
  t.match(logged.filter(({ msg }) => msg === 'Session moved by an operator'), [{ sessionId: '1', target: targetB.key }, { target: byAddressTarget.key }])
  t.match(await ask(admin, 'PUT', '/sessions/2/target', named), { status: 404, body: { code: 'SESSION_NOT_FOUND' } })
  t.match(await ask(admin, 'PUT', '/sessions/1/target', { ...named, ttlSeconds: 5 }), { status: 400, body: { errors: [{ path: '/ttlSeconds', message: 'is not a known field' }] } })
  for (const [name, body, status, failure] of badTargets) {
    const answer = await ask(admin, 'PUT', '/sessions/1/target', body)
    t.equal(answer.status, status, name)
    t.match(answer.body, { ...failure }, name)
  }
  t.strictSame(proxy.sessions.get('1')?.target, byAddressTarget, 'where the last good one left it')
})

void t.test('what the proxy answers is told in words of this API', async t => {
  const { admin, proxy } = await startRig(t, { objects })
  const cases = [
    ['INVALID_TARGET', 400, 'INVALID_TARGET'],
    ['TARGET_TABLE_FULL', 503, 'CAPACITY_EXHAUSTED'],
    ['INTERNAL', 500, 'INTERNAL'],
    ['NOT_READY', 503, 'PROXY_UNAVAILABLE']
  ] as const
  for (const [code, status, told] of cases) {
    proxy.hook = () => ({ kind: 'error', code })
    t.match(await ask(admin, 'PUT', '/sessions/1/target', named), { status, body: { code: told } }, code)
  }
  proxy.hook = () => ({ kind: 'hang-up' })
  t.match(await ask(admin, 'GET', '/sessions'), { status: 503, retryAfter: '1', body: { code: 'PROXY_UNAVAILABLE', detail: 'The proxy did not answer.' } })
})

const notUsable = { unusable: [{ key: 'gameserver/game-servers/elsewhere', reason: 'outside of the allowed targets' }], unusableTotal: 1 }

void t.test('GET /targets: usable objects with their load, and unusable ones with the reason', async t => {
  const rig = await startRig(t, { objects })
  const { admin, proxy, features } = rig
  proxy.emit({ type: 'counts', sessions: { [targetA.key]: 3 } })
  await ask(admin, 'POST', '/tokens', named)
  t.equal(features.load.sessions(targetA.key), 3)
  t.same((await ask(admin, 'GET', '/targets')).body, {
    targets: [{ ...targetA, sessions: 3, pendingTokens: 0 }, { ...targetB, sessions: 0, pendingTokens: 1 }],
    total: 2,
    ...notUsable
  })
  t.same((await ask(admin, 'GET', '/targets?limit=1')).body, { targets: [{ ...targetA, sessions: 3, pendingTokens: 0 }], nextCursor: 1, total: 2, ...notUsable })
  t.same((await ask(admin, 'GET', '/targets?cursor=1&limit=1')).body, { targets: [{ ...targetB, sessions: 0, pendingTokens: 1 }], total: 2, ...notUsable })
  t.match(await ask(admin, 'GET', '/targets?limit=x'), { status: 400, body: { errors: [{ path: '/limit', message: 'must be integer' }] } })
})

void t.test('GET /targets: nothing is usable, and so much of it that only the first are named', async t => {
  const many = Array.from({ length: MAX_UNUSABLE + 5 }, (_, at) => gameServer(`s${at}`, ''))
  const { admin } = await startRig(t, { objects: many })
  const { body } = await ask(admin, 'GET', '/targets')
  t.match(body, { targets: [], total: 0, unusableTotal: MAX_UNUSABLE + 5, unusable: [{ key: 'gameserver/game-servers/s0', reason: 'without a usable address' }] })
  t.equal((body as { unusable: unknown[] }).unusable.length, MAX_UNUSABLE)
})

void t.test('GET /config: what is in effect, defaults included', async t => {
  const { admin, features } = await startRig(t, { isOffline: true, config: 'loadBalancing: { type: leastSessions }' })
  const { status, body } = await ask(admin, 'GET', '/config')
  t.equal(status, 200)
  t.same(body, features.config)
})

void t.test('GET /metrics: the proxy\'s while it answers, without them when it does not', async t => {
  const { admin, proxy, store, features } = await startRig(t, { objects, config: 'defaultEndpoint: { resourceType: gameserver, namespace: game-servers }' })
  proxy.samples = [{ name: 'udp_director_sessions_active', labels: {}, value: 42 }]
  const up = await ask(admin, 'GET', '/metrics')
  t.match(up, { status: 200, type: /^text\/plain; version=0.0.4/ })
  for (const line of [
    'udp_director_sessions_active 42',
    'udp_director_proxy_up 1',
    'udp_director_proxy_link_connects_total 1',
    'udp_director_inventory_objects{resource_type="gameserver"} 4',
    'udp_director_inventory_last_success_age_seconds 1.5',
    'udp_director_default_targets 2',
    'udp_director_queries_total 0'
  ]) t.equal(up.text.includes(`${line}\n`), true, line)
  store.replace(new Map([['gameserver', []]]))
  await proxy.stop()
  await eventually(() => !features.link.isSynchronised)
  const down = await ask(admin, 'GET', '/metrics')
  t.match(down.text, /^udp_director_default_targets 0$/m)
  t.match(down.text, /^udp_director_proxy_up 0$/m)
  t.notMatch(down.text, /^udp_director_sessions_active \d/m)
})

void t.test('the documentation page and the listener\'s own part of the document', async t => {
  const { admin, open } = await startRig(t, { isOffline: true })
  const page = await admin.inject('/docs/')
  t.match({ status: page.statusCode, type: page.headers['content-type'] }, { status: 200, type: /html/ })
  t.match(page.payload, '<title>UDP Director Admin</title>')
  // A browser gets all of it from here, and by http where that is what it was asked by.
  t.notMatch(page.headers['content-security-policy'], /upgrade-insecure|https?:|unsafe|\*/)
  const parts = [...page.payload.matchAll(/(?:src|href)="([^"]*)"/g)].map(([, path]) => new URL(path!, 'http://director/docs/').pathname)
  t.ok(parts.filter(path => path.endsWith('.js')).length >= 3)
  for (const path of [...parts, '/docs/json']) t.equal((await ask(admin, 'GET', path)).status, 200, path)
  const start = (await ask(admin, 'GET', '/docs/static/swagger-initializer.js')).text
  t.match(start, /"layout":\s*"BaseLayout"/)
  t.equal((await ask(open, 'GET', '/docs/')).status, 404)
  const paths = async (app: typeof admin): Promise<string[]> => Object.keys(((await ask(app, 'GET', '/openapi.json')).body as { paths: object }).paths).sort()
  t.strictSame(await paths(open), ['/healthz', '/livez', '/openapi.json', '/query', '/readyz'])
  t.strictSame(await paths(admin), ['/config', '/healthz', '/livez', '/metrics', '/openapi.json', '/readyz', '/replicas', '/sessions', '/sessions/{id}', '/sessions/{id}/target', '/targets', '/tokens', '/tokens/{token}'])
})
