import t from 'tap'
import { isToken } from '#wire/token.js'
import { FAKE_EPOCH_MS } from '#testkit/fake-clock.js'
import { advertisedAs } from '../../../src/advertise/advertised.js'
import type { ErrorCode } from '../../../src/http/problems/errors.js'
import { problemFrom, type ApiFailure } from '../../../src/http/problems/problem.js'
import { queryExample } from '../../../src/http/schemas/query.js'
import { ask, eventually, gameServer, startRig, type Answer } from '#testkit/control-rig.js'

const dust2 = gameServer('dust2-1', '10.0.0.1', { labels: { 'agones.dev/fleet': 'my-fleet', map: 'de_dust2' }, state: 'Allocated' })
const inferno = gameServer('inferno-1', '10.0.0.2', { labels: { 'agones.dev/fleet': 'my-fleet', map: 'de_inferno' }, state: 'Ready' })
const objects = [dust2, inferno]

const any = { resourceType: 'gameserver', namespace: 'game-servers' }

/** The whole answer a failure must be. */
function problem (failure: ApiFailure, requestId: string): unknown {
  return problemFrom(failure, requestId)
}

void t.test('the documented example gets a token the proxy knows', async t => {
  const { open, proxy } = await startRig(t, { objects })
  const { status, type, body } = await ask(open, 'POST', '/query', {
    type: 'query',
    resourceType: 'gameserver',
    namespace: 'game-servers',
    labelSelector: { 'agones.dev/fleet': 'my-fleet', map: 'de_dust2' },
    statusQuery: { jsonPath: 'status.state', expectedValue: 'Allocated' }
  })
  const { token } = body as { token: string }
  t.equal(status, 200)
  t.equal(type, 'application/json; charset=utf-8')
  t.equal(isToken(token), true)
  t.strictSame(body, {
    token,
    expiresAt: new Date(FAKE_EPOCH_MS + 30_000).toISOString(),
    ttlSeconds: 30,
    dataPorts: [{ name: 'default', protocol: 'udp', port: 41_000 }]
  }, 'with the port that is bound, for the data port the target has; no address')
  t.strictSame(proxy.tokens.get(token), { token, ttlMs: 30_000, target: { key: 'gameserver/game-servers/dust2-1', address: '10.0.0.1', ports: { default: 7000 } } })
})

void t.test('an answer tells the address and ports that clients send to, as they are at that moment', async t => {
  const known: { address: string | undefined, fault: string | undefined } = { address: undefined, fault: 'Service a has no address of a load balancer yet.' }
  const advertised = advertisedAs({ current: () => ({ ...known }), close: async () => { await Promise.resolve() } }, { ports: { default: 31_777 }, queryUrl: 'http://$ADDRESS:9000/$POD_NAME' }, 'udp-director-0')
  const { open, admin } = await startRig(t, { objects, advertised, config: 'exposeTarget: true' })
  const refused = await ask(open, 'POST', '/query', any)
  t.match(refused, { status: 503, retryAfter: '2', body: { code: 'ADDRESS_UNKNOWN' } })
  t.notMatch(refused.text, /Service a/, 'the name of the object is for operators')
  t.match(await ask(admin, 'POST', '/tokens', { ...any, name: 'dust2-1' }), { status: 503, body: { code: 'ADDRESS_UNKNOWN' } })

  known.address = '203.0.113.7'
  const where = { dataPorts: [{ name: 'default', protocol: 'udp', port: 31_777, address: '203.0.113.7' }], queryUrl: 'http://203.0.113.7:9000/udp-director-0' }
  t.match(await ask(open, 'POST', '/query', any), { status: 200, body: { ...where, address: '10.0.0.1', ports: { default: 7000 } } }, 'the address at the top is the target\'s')
  t.match(await ask(admin, 'POST', '/tokens', { ...any, name: 'dust2-1' }), { status: 201, body: where })
  known.address = '2001:db8::7'
  t.match(await ask(open, 'POST', '/query', any), { body: { dataPorts: [{ address: '2001:db8::7' }], queryUrl: 'http://[2001:db8::7]:9000/udp-director-0' } })
})

void t.test('expectedValues, selectors and exposeTarget', async t => {
  const { open } = await startRig(t, { objects, config: 'exposeTarget: true\ntokenTtlSeconds: 7' })
  const { status, body } = await ask(open, 'POST', '/query', { ...any, statusQuery: { jsonPath: 'status.state', expectedValues: ['Reserved', 'Ready'] }, labelSelector: {} })
  t.equal(status, 200)
  t.match(body, { ttlSeconds: 7, address: '10.0.0.2', ports: { default: 7000 } })
  t.equal((await ask(open, 'POST', '/query', queryExample)).status, 200, 'the example of the OpenAPI document')
})

void t.test('every bad body has its exact answer', async t => {
  const { open, proxy } = await startRig(t, { objects })
  const invalid = (detail: string, ...errors: Array<{ path: string, message: string }>): ApiFailure => ({ code: 'INVALID_REQUEST', detail, errors })
  const cases: ReadonlyArray<readonly [name: string, body: unknown, status: number, failure: ApiFailure]> = [
    ['trailing comma', '{"resourceType":"gameserver",}', 400, { code: 'MALFORMED_JSON', detail: 'The JSON breaks at position 29.', position: 29 }],
    ['cut off', '{"resourceType":', 400, { code: 'MALFORMED_JSON', detail: 'The JSON breaks at position 16.', position: 16 }],
    ['no position known', '{"resourceType":gameserver}', 400, { code: 'MALFORMED_JSON', detail: 'The body is not valid JSON.' }],
    ['empty', '', 400, { code: 'MALFORMED_JSON', detail: 'The JSON breaks at position 0.', position: 0 }],
    ['no body at all', undefined, 400, invalid('The body has one fault.', { path: '', message: 'must be object' })],
    ['not an object', [], 400, invalid('The body has one fault.', { path: '', message: 'must be object' })],
    ['nothing said', {}, 400, invalid('The body has 2 faults.', { path: '/resourceType', message: 'is missing' }, { path: '/namespace', message: 'is missing' })],
    ['unknown fields', { ...any, name: 'x', 'a/b~': 1 }, 400, invalid('The body has 2 faults.', { path: '/name', message: 'is not a known field' }, { path: '/a~1b~0', message: 'is not a known field' })],
    ['several faults', { type: 'question', resourceType: '', namespace: 7, labelSelector: { map: 3 } }, 400, invalid('The body has 4 faults.',
      { path: '/type', message: 'must be query' },
      { path: '/resourceType', message: 'must NOT have fewer than 1 characters' },
      { path: '/namespace', message: 'must be string' },
      { path: '/labelSelector/map', message: 'must be string' })],
    ['neither value', { ...any, statusQuery: { jsonPath: 'a' } }, 400, invalid('The body has one fault.', { path: '/statusQuery', message: 'must have exactly one of expectedValue and expectedValues' })],
    ['both values', { ...any, statusQuery: { jsonPath: 'a', expectedValue: 'x', expectedValues: ['y'] } }, 400, invalid('The body has one fault.', { path: '/statusQuery', message: 'must have exactly one of expectedValue and expectedValues' })],
    ['no value in the list', { ...any, statusQuery: { jsonPath: 'a', expectedValues: [] } }, 400, invalid('The body has one fault.', { path: '/statusQuery', message: 'must have exactly one of expectedValue and expectedValues' })],
    ['both absent as generators write it', { ...any, statusQuery: { jsonPath: 'a', expectedValue: null, expectedValues: null } }, 400, invalid('The body has one fault.', { path: '/statusQuery', message: 'must have exactly one of expectedValue and expectedValues' })],
    ['null where a value is needed', { resourceType: null, namespace: [], labelSelector: { map: null }, more: null }, 400, invalid('The body has 4 faults.',
      { path: '/more', message: 'is not a known field' },
      { path: '/resourceType', message: 'must be string' },
      { path: '/namespace', message: 'must be string' },
      { path: '/labelSelector/map', message: 'must be string' })],
    ['more than a token may keep', {
      ...any,
      labelSelector: { '': 'x', [`${'n'.repeat(317)}/`]: 'x', map: 'x'.repeat(64) },
      annotationSelector: { ok: 'x'.repeat(1024), note: 'x'.repeat(1025) },
      statusQuery: { jsonPath: 'a', expectedValues: ['x'.repeat(256), 'x'.repeat(257)] }
    }, 400, invalid('The body has 5 faults.',
      { path: '/labelSelector/', message: 'must have a name of 1 to 317 characters' },
      { path: `/labelSelector/${'n'.repeat(100)}`, message: 'must have a name of 1 to 317 characters' },
      { path: '/labelSelector/map', message: 'must NOT have more than 63 characters' },
      { path: '/annotationSelector/note', message: 'must NOT have more than 1024 characters' },
      { path: '/statusQuery/expectedValues/1', message: 'must NOT have more than 256 characters' })],
    ['too many of them', { ...any, labelSelector: Object.fromEntries(Array.from({ length: 17 }, (_, number) => [`l${number}`, ''])) }, 400, invalid('The body has one fault.',
      { path: '/labelSelector', message: 'must NOT have more than 16 properties' })],
    ['JSONPath that does not parse', { ...any, statusQuery: { jsonPath: 'status..state', expectedValue: 'x' } }, 400, { code: 'INVALID_JSON_PATH', detail: 'Expected a name, found \'.\'.', position: 7 }],
    ['unknown resource type', { ...any, resourceType: 'gamserver' }, 404, { code: 'UNKNOWN_RESOURCE_TYPE', detail: 'The resource type is not a key of resourceQueryMapping.' }],
    ['namespace that is not configured', { ...any, namespace: 'kube-system' }, 403, { code: 'NAMESPACE_NOT_ALLOWED', detail: 'The namespace is not one of those that queries may name.' }],
    ['no match', { ...any, labelSelector: { map: 'de_nuke' } }, 404, { code: 'NO_MATCHING_RESOURCE', detail: 'No object of this type in this namespace matches the labels.' }],
    ['a megabyte', JSON.stringify({ ...any, labelSelector: { map: 'x'.repeat(1024 * 1024) } }), 413, { code: 'BODY_TOO_LARGE', detail: 'The body may have 65536 bytes.' }]
  ]
  for (const [at, [name, body, status, failure]] of cases.entries()) {
    const answer = await ask(open, 'POST', '/query', body)
    t.equal(answer.status, status, name)
    t.equal(answer.type, 'application/problem+json; charset=utf-8', name)
    t.strictSame(answer.body, problem(failure, `req-${(at + 1).toString(36)}`), name)
  }
  t.equal(proxy.tokens.size, 0)
})

void t.test('null and an empty list are as good as absent', async t => {
  const { open } = await startRig(t, { objects, config: 'exposeTarget: true' })
  const bodies: ReadonlyArray<readonly [name: string, body: object, address: string]> = [
    ['C# and Java write every field', { ...any, type: null, labelSelector: null, annotationSelector: null, statusQuery: null }, '10.0.0.1'],
    ['PHP writes an empty map as a list', { ...any, labelSelector: [], annotationSelector: [] }, '10.0.0.1'],
    ['one value, no list', { ...any, statusQuery: { jsonPath: 'status.state', expectedValue: 'Ready', expectedValues: null } }, '10.0.0.2'],
    ['one value, an empty list', { ...any, statusQuery: { jsonPath: 'status.state', expectedValue: 'Ready', expectedValues: [] } }, '10.0.0.2'],
    ['a list, no value', { ...any, statusQuery: { jsonPath: 'status.state', expectedValue: null, expectedValues: ['Ready'] } }, '10.0.0.2']
  ]
  for (const [name, body, address] of bodies) {
    const answer = await ask(open, 'POST', '/query', body)
    t.match(answer, { status: 200, body: { address } }, `${name}: ${answer.text}`)
  }
})

void t.test('more faults than anyone reads are cut at 20', async t => {
  const { open } = await startRig(t, { isOffline: true })
  const body = Object.fromEntries(Array.from({ length: 500 }, (_, number) => [`field${number}`, 1]))
  const answer = await ask(open, 'POST', '/query', body)
  t.equal((answer.body as { errors: unknown[] }).errors.length, 20)
})

void t.test('content types other than JSON are refused', async t => {
  const { open } = await startRig(t, { isOffline: true })
  for (const type of ['text/plain', 'application/x-www-form-urlencoded', 'application/xml']) {
    const answer = await ask(open, 'POST', '/query', 'resourceType=gameserver', type)
    t.equal(answer.status, 415, type)
    t.match(answer.body, { code: 'UNSUPPORTED_MEDIA_TYPE', detail: 'The content type must be application/json.' })
  }
  t.equal((await ask(open, 'POST', '/query', '{}', 'application/json; charset=utf-8')).status, 400, 'a charset is fine')
})

void t.test('unknown paths, methods and URLs', async t => {
  const { open } = await startRig(t, { isOffline: true })
  t.strictSame((await ask(open, 'GET', '/query?secret=1')).body, problem({ code: 'METHOD_NOT_ALLOWED', detail: 'There is no GET /query here.' }, 'req-1'))
  t.strictSame((await ask(open, 'GET', '/sessions')).body, problem({ code: 'NOT_FOUND', detail: 'There is no GET /sessions here.' }, 'req-2'), 'the admin API is not on the public listener')
  t.match(await ask(open, 'GET', '/%zz'), { status: 400, type: /^application\/problem\+json/, body: { code: 'INVALID_REQUEST' } })
})

void t.test('503, each with its reason and Retry-After', async t => {
  const down = await startRig(t, { objects, isOffline: true })
  t.match(await ask(down.open, 'POST', '/query', any), unavailable('PROXY_UNAVAILABLE', '1'))
  t.equal(down.features.registry.size, 0, 'the token is void')

  const full = await startRig(t, { objects, config: 'limits: { maxTokens: 1 }' })
  t.equal((await ask(full.open, 'POST', '/query', any)).status, 200)
  t.match(await ask(full.open, 'POST', '/query', any), unavailable('CAPACITY_EXHAUSTED', '5'))

  const refused = await startRig(t, { objects })
  refused.proxy.reject = () => 'TARGET_TABLE_FULL'
  t.match((await ask(refused.open, 'POST', '/query', any)).body, { code: 'CAPACITY_EXHAUSTED', detail: 'limits.maxTargets is reached.' })

  const loading = await startRig(t, { isOffline: true })
  loading.inventoryStatus.synced = false
  t.match(await ask(loading.open, 'POST', '/query', any), unavailable('INVENTORY_NOT_READY', '2'))

  const stopping = await startRig(t, { objects })
  stopping.features.lifecycle.isStopping = true
  t.match(await ask(stopping.open, 'POST', '/query', any), unavailable('SHUTTING_DOWN', '1'))
})

function unavailable (code: ErrorCode, retryAfter: string): Partial<Answer> {
  return { status: 503, retryAfter, body: { code, status: 503 } }
}

void t.test('no acknowledgement within the deadline is a 503 and the token is void', async t => {
  const { open, proxy, clock, features } = await startRig(t, { objects })
  let release = (): void => undefined
  const released = new Promise<void>(resolve => { release = resolve })
  proxy.hook = () => ({ kind: 'delay', until: released })
  const asked = ask(open, 'POST', '/query', any)
  await proxy.until(() => proxy.tokens.size === 1)
  clock.advance(1000)
  t.match(await asked, unavailable('PROXY_UNAVAILABLE', '1'))
  t.equal(features.registry.size, 0)
  proxy.hook = () => undefined
  release()
  await proxy.until(() => proxy.tokens.size === 0)
  t.match((await features.metrics.expose({ objects: new Map(), inventoryAgeMs: 0, defaultTargets: 0, isProxyUp: true, drain: undefined, tables: [], store: undefined, proxySamples: [] })),
    /tokens_revoked_total\{cause="unacknowledged"\} 1/)
})

void t.test('a bug is a 500 that tells nothing but where to look', async t => {
  const { open, logged } = await startRig(t, { objects, inventory: { unready: () => { throw new Error('secret 10.0.0.1') } } })
  t.strictSame((await ask(open, 'POST', '/query', any)).body, problem({ code: 'INTERNAL', detail: 'An unexpected error. The log has more under this request id.' }, 'req-1'))
  t.match(logged.filter(({ msg }) => msg === 'Request failed'), [{ requestId: 'req-1', method: 'POST', path: '/query', err: { message: 'secret 10.0.0.1' } }])
})

void t.test('queries are counted and timed, and tokens logged by their first characters only', async t => {
  const { open, admin, logged } = await startRig(t, { objects })
  const { body } = await ask(open, 'POST', '/query', any)
  await ask(open, 'POST', '/query', '{')
  await ask(open, 'POST', '/query', { ...any, namespace: 'x' })
  const { token } = body as { token: string }
  t.match(logged.filter(({ msg }) => msg === 'Token issued'), [{ level: 30, tokenPrefix: token.slice(0, 8), target: 'gameserver/game-servers/dust2-1', via: 'query' }])
  t.match(logged.filter(({ msg }) => msg === 'Query failed'), [{ level: 20, code: 'MALFORMED_JSON' }, { level: 20, code: 'NAMESPACE_NOT_ALLOWED' }])
  t.equal(JSON.stringify(logged).includes(token), false)
  await eventually(() => logged.length > 0)
  const { text } = await ask(admin, 'GET', '/metrics')
  for (const line of [
    'udp_director_queries_total 3',
    'udp_director_queries_success 1',
    'udp_director_queries_failed_total{code="MALFORMED_JSON"} 1',
    'udp_director_queries_failed_total{code="NAMESPACE_NOT_ALLOWED"} 1',
    'udp_director_query_duration_seconds_count 3',
    'udp_director_tokens_issued_total{via="query"} 1',
    'udp_director_proxy_push_batch_size_count 1'
  ]) t.equal(text.includes(`${line}\n`), true, line)
})

void t.test('when every match is full, that is the answer', async t => {
  const full = gameServer('full', '10.0.0.3', { labels: { players: '10', places: '10' }, state: 'Allocated' })
  const { open } = await startRig(t, { objects: [full], config: 'loadBalancing: {type: labelArithmetic, currentLabel: players, maxLabel: places}' })
  const { status, body, retryAfter } = await ask(open, 'POST', '/query', any)
  t.equal(status, 503)
  t.match(body, { code: 'NO_CAPACITY', detail: '1 objects match, and none of them has a free place.' })
  t.equal(retryAfter, '5')
})
