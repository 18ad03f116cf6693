import { once } from 'node:events'
import { connect, type AddressInfo, type Socket } from 'node:net'
import t from 'tap'
import { MAX_REQUESTS_PER_CONNECTION } from '../../../src/http/guards/connections.js'
import type { TypedApp } from '../../../src/http/listener/listener.js'
import { eventually, gameServer, startRig } from '#testkit/control-rig.js'

const objects = [gameServer('a', '10.0.0.1')]
const query = { resourceType: 'gameserver', namespace: 'game-servers' }
const target = { address: '10.9.9.9', ports: { default: 7000 } }
const health = ['/livez', '/readyz', '/healthz'] as const

interface From {
  readonly ip?: string
  readonly forwardedFor?: string
}

interface Told {
  readonly status: number
  readonly code: string | undefined
  readonly detail: string | undefined
  readonly headers: Readonly<Record<string, unknown>>
  readonly token: string | undefined
}

async function send (app: TypedApp, method: 'GET' | 'POST', url: string, { ip = '127.0.0.1', forwardedFor }: From = {}, body?: object): Promise<Told> {
  const answer = await app.inject({
    method,
    url,
    remoteAddress: ip,
    ...(body === undefined ? {} : { payload: body }),
    headers: forwardedFor === undefined ? {} : { 'x-forwarded-for': forwardedFor }
  })
  const isProblem = answer.headers['content-type']?.toString().startsWith('application/') === true && answer.payload !== ''
  const { code, detail, token } = isProblem ? answer.json<Record<string, string | undefined>>() : {}
  return { status: answer.statusCode, code, detail, headers: answer.headers, token }
}

const ask = async (app: TypedApp, from?: From): Promise<Told> => await send(app, 'POST', '/query', from, query)

void t.test('rates: each caller has its own, with the headers that say so', async t => {
  const { open, clock, admin } = await startRig(t, { objects, config: 'limits: {queriesPerSecond: 2}' })
  const first = await ask(open)
  t.match(first, { status: 200, headers: { 'ratelimit-limit': '2', 'ratelimit-remaining': '1', 'ratelimit-reset': '1' } })
  t.equal((await ask(open, { ip: '::ffff:127.0.0.1' })).status, 200, 'the same one in another notation')
  t.match(await ask(open), { status: 429, code: 'RATE_LIMITED', detail: 'limits.queriesPerSecond is reached: 2 a second.', headers: { 'retry-after': '1', 'ratelimit-remaining': '0' } })
  t.equal((await ask(open, { ip: '192.0.2.1' })).status, 200, 'another caller')
  t.equal((await ask(open, { ip: '127.0.0.1', forwardedFor: '192.0.2.9' })).status, 429, 'whatever it says in a header')
  for (const ip of ['2001:db8::1', '2001:db8::2:1']) t.equal((await ask(open, { ip })).status, 200, ip)
  t.equal((await ask(open, { ip: '2001:db8::3' })).status, 429, 'a /64 is one caller')
  t.equal((await ask(open, { ip: '2001:db8:0:1::1' })).status, 200, 'the next /64 is another')
  t.equal((await send(open, 'GET', '/nonsense')).status, 429, 'a path that does not exist is not a way round')
  for (const path of health) for (let time = 0; time < 3; time++) t.equal((await send(open, 'GET', path)).status, 200, path)
  t.equal((await send(open, 'GET', '/openapi.json')).status, 429)
  clock.advance(999)
  t.equal((await ask(open)).status, 429)
  clock.advance(1)
  t.equal((await ask(open)).status, 200)
  const text = (await admin.inject('/metrics')).payload
  t.match(text, 'udp_director_requests_refused_total{listener="public",reason="rate"} 6\n')
  t.match(text, 'udp_director_queries_failed_total{code="RATE_LIMITED"} 4\n')
  t.match(text, 'udp_director_queries_total 11\n', 'those that were refused count as received')
})

void t.test('rates: of the admin API; 0 is none', async t => {
  const { open, admin, clock } = await startRig(t, { objects, config: 'limits: {queriesPerSecond: 0, adminRequestsPerSecond: 1}' })
  for (let time = 0; time < 20; time++) t.match(await ask(open), { status: 200, headers: { 'ratelimit-limit': undefined } })
  t.equal((await send(admin, 'POST', '/tokens', {}, target)).status, 201)
  t.match(await send(admin, 'POST', '/tokens', {}, target), { status: 429, detail: 'limits.adminRequestsPerSecond is reached: 1 a second.' })
  t.equal((await send(admin, 'GET', '/metrics')).status, 429)
  for (const path of health) t.equal((await send(admin, 'GET', path)).status, 200, path)
  clock.advance(1000)
  t.match((await admin.inject('/metrics')).payload, 'udp_director_requests_refused_total{listener="admin",reason="rate"} 2\n')
})

void t.test('address lists: of the public and of the admin API', async t => {
  const { open, admin } = await startRig(t, {
    objects,
    config: 'queryAccess: {allow: [10.0.0.0/8, "2001:db8::/32"], deny: [10.1.0.0/16]}\nadminAccess: {allow: ["127.0.0.1/32"]}'
  })
  const refused = { status: 403, code: 'ACCESS_DENIED', detail: 'This address may not call here.' }
  for (const ip of ['10.0.0.1', '::ffff:10.0.0.1', '2001:db8::1']) t.equal((await ask(open, { ip })).status, 200, ip)
  for (const ip of ['10.1.0.1', '::ffff:10.1.0.1', '192.0.2.1', '::1']) t.match(await ask(open, { ip }), refused, ip)
  t.match(await ask(open, { ip: '192.0.2.1', forwardedFor: '10.0.0.1' }), refused, 'nobody is believed by default')
  for (const path of [...health, '/openapi.json']) t.equal((await send(open, 'GET', path, { ip: '192.0.2.1' })).status, 200, path)
  t.match(await send(open, 'GET', '/nonsense', { ip: '192.0.2.1' }), refused)
  for (const path of ['/metrics', '/config', '/openapi.json', '/docs/', '/nonsense']) t.match(await send(admin, 'GET', path, { ip: '10.0.0.1' }), refused, path)
  for (const path of health) t.equal((await send(admin, 'GET', path, { ip: '10.0.0.1' })).status, 200, path)
  t.match((await admin.inject('/metrics')).payload, 'udp_director_requests_refused_total{listener="admin",reason="access"} 5\n')
})

void t.test('trustedProxies: whose X-Forwarded-For is believed, up to the first address that is not one of them', async t => {
  const { open } = await startRig(t, { objects, config: 'trustedProxies: [10.0.0.0/8, "2001:db8::/32"]\nqueryAccess: {allow: [192.0.2.0/24]}' })
  const cases: ReadonlyArray<readonly [ip: string, forwardedFor: string, status: number]> = [
    ['10.0.0.1', '192.0.2.1', 200],
    ['::ffff:10.0.0.1', '192.0.2.1', 200],
    ['2001:db8::1', '192.0.2.1, 10.0.0.2', 200],
    ['10.0.0.1', '192.0.2.1, 198.51.100.1', 403],
    ['10.0.0.1', '198.51.100.1, 192.0.2.1', 200],
    ['10.0.0.1', 'nonsense', 400],
    ['10.0.0.1', '0.0.0.0', 400],
    ['10.0.0.1', '192.0.2.1, ff02::1', 400],
    ['10.0.0.1', '255.255.255.255:4711', 400],
    ['10.0.0.1', '192.0.2.1:4711', 200],
    ['10.0.0.1', '198.51.100.1:4711', 403],
    ['198.51.100.1', '192.0.2.1', 403]
  ]
  for (const [ip, forwardedFor, status] of cases) t.equal((await ask(open, { ip, forwardedFor })).status, status, `${ip}: ${forwardedFor}`)
})

void t.test('tokens: nobody holds more than its share, until they are redeemed, taken back or over', async t => {
  const { open, admin, features, clock, proxy } = await startRig(t, { objects, config: 'limits: {maxTokensPerCaller: 2}\ntokenTtlSeconds: 30' })
  const { token } = await ask(open)
  t.equal((await ask(open)).status, 200)
  const refused = { status: 429, code: 'TOO_MANY_TOKENS', detail: 'limits.maxTokensPerCaller is reached.', headers: { 'retry-after': '5' } }
  t.match(await ask(open), refused)
  t.match(await send(admin, 'POST', '/tokens', {}, target), refused, 'by whichever way')
  t.equal((await ask(open, { ip: '192.0.2.1' })).status, 200, 'another caller')
  features.registry.consume(token as never, 'default')
  t.equal((await ask(open)).status, 200, 'one is redeemed')
  features.registry.consume(token as never, 'voice')
  t.match(await ask(open), refused, 'once only')
  proxy.hook = () => ({ kind: 'error', code: 'INTERNAL' })
  t.equal((await ask(open, { ip: '192.0.2.2' })).status, 503)
  t.equal(features.registry.held('ip:192.0.2.2'), 0, 'one that was not acknowledged does not count')
  clock.advance(30_250)
  t.equal(features.registry.held('ip:127.0.0.1'), 0)
})

void t.test('tokens: bound to the address of the query, or to one that a matchmaker names', async t => {
  const { open, admin, features, proxy } = await startRig(t, { objects, config: 'bindClientIp: true\ntrustedProxies: [10.0.0.0/8]' })
  const clientOf = async (told: Promise<Told>): Promise<string | undefined> => proxy.tokens.get((await told).token!)?.client
  t.equal(await clientOf(ask(open, { ip: '::ffff:192.0.2.1' })), '192.0.2.1')
  t.equal(await clientOf(ask(open, { ip: '10.0.0.1', forwardedFor: '2001:DB8::7' })), '2001:db8::7')
  t.equal(await clientOf(send(admin, 'POST', '/tokens', {}, target)), undefined, 'a matchmaker is not the client')
  t.equal(await clientOf(send(admin, 'POST', '/tokens', {}, { ...target, clientIp: '2001:DB8:0::9' })), '2001:db8::9')
  t.equal(await clientOf(send(admin, 'POST', '/tokens', {}, { ...query, name: 'a', clientIp: '::ffff:192.0.2.3' })), '192.0.2.3')
  for (const clientIp of ['example.com', '192.0.2.1/32', 'fe80::1%eth0', '0.0.0.0', '0.1.2.3', '::', '::ffff:0.0.0.0', '255.255.255.255', '224.0.0.1', '239.255.255.255', 'ff02::1', '::ffff:224.0.0.1']) {
    t.match(await send(admin, 'POST', '/tokens', {}, { ...target, clientIp }), { status: 400, code: 'INVALID_REQUEST' }, clientIp)
  }
  t.strictSame([...features.registry.grants()].map(({ client }) => client), ['192.0.2.1', '2001:db8::7', undefined, '2001:db8::9', '192.0.2.3'], 'and so they are told to the next proxy')
  const { open: other, proxy: otherProxy } = await startRig(t, { objects })
  await ask(other)
  t.strictSame([...otherProxy.tokens.values()].map(grant => Object.hasOwn(grant, 'client')), [false], 'not unless it is asked for')
})

async function listen (app: TypedApp): Promise<number> {
  await app.listen({ host: '127.0.0.1', port: 0 })
  return (app.server.address() as AddressInfo).port
}

async function dial (port: number): Promise<Socket> {
  const socket = connect(port, '127.0.0.1')
  socket.on('error', () => undefined)
  await once(socket, 'connect')
  return socket
}

const halfOfARequest = 'POST /query HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: 1000\r\n\r\n{'

void t.test('requests under way: bodies that trickle in take no more than their share, and give it back', async t => {
  const { open, admin, features } = await startRig(t, { objects, config: 'limits: {maxRequests: 4}' })
  const port = await listen(open)
  const underWay = (): number => features.tables.readings().find(({ table }) => table === 'requests_public')!.entries
  const slow = await dial(port)
  slow.write(halfOfARequest)
  await eventually(() => underWay() === 1)
  t.match(await ask(open), { status: 429, code: 'RATE_LIMITED', detail: 'One caller may have 1 requests under way at once.' })
  t.equal((await ask(open, { ip: '192.0.2.1' })).status, 200, 'others are served')
  t.equal((await send(open, 'GET', '/livez')).status, 200)
  t.equal(underWay(), 1, 'what was answered is over')
  slow.destroy()
  await eventually(() => underWay() === 0)
  t.equal((await ask(open)).status, 200, 'as is what its caller gave up')
  t.match((await admin.inject('/metrics')).payload, 'udp_director_requests_refused_total{listener="public",reason="under_way"} 1\n')
})

void t.test('requests under way: at the bound of all', async t => {
  const { open, proxy, features } = await startRig(t, { objects, config: 'limits: {maxRequests: 4}' })
  proxy.hook = () => ({ kind: 'silence' })
  const waiting = ['192.0.2.1', '192.0.2.2', '192.0.2.3', '192.0.2.4'].map(async ip => await ask(open, { ip }))
  await eventually(() => features.tables.readings().some(({ table, entries }) => table === 'requests_public' && entries === 4))
  t.match(await ask(open, { ip: '192.0.2.5' }), { status: 503, code: 'CAPACITY_EXHAUSTED', detail: 'limits.maxRequests is reached.', headers: { 'retry-after': '5' } })
  t.equal((await send(open, 'GET', '/livez')).status, 200, 'health is answered all the same')
  await proxy.stop()
  t.strictSame((await Promise.all(waiting)).map(({ status }) => status), [503, 503, 503, 503])
})

void t.test('connections: at the bound the one that is idle for longest gives way', async t => {
  const { open, admin, features } = await startRig(t, { objects, config: 'limits: {maxConnections: 10}' })
  const port = await listen(open)
  const sockets = await Promise.all(Array.from({ length: 10 }, async () => await dial(port)))
  const count = (): number => features.tables.readings().find(({ table }) => table === 'connections_public')!.entries
  await eventually(() => count() === 10)
  const idle = once(sockets[1]!, 'close')
  sockets[0]!.write('GET /livez HTTP/1.1\r\nhost: x\r\n\r\n')
  const [first] = await once(sockets[0]!, 'data') as [Buffer]
  t.match(first.toString(), /^HTTP\/1.1 200/)
  sockets.push(await dial(port))
  await idle
  t.equal(count(), 10)
  sockets[0]!.write('GET /livez HTTP/1.1\r\nhost: x\r\n\r\n')
  const [answer] = await once(sockets[0]!, 'data') as [Buffer]
  t.match(answer.toString(), /^HTTP\/1.1 200/)
  t.match((await admin.inject('/metrics')).payload, 'udp_director_connections_refused_total{listener="public"} 1\n')
  const text = (await admin.inject('/metrics')).payload
  for (const [table, entries, capacity] of [['connections_public', 10, 10], ['connections_admin', 0, 10], ['requests_public', 0, 2000], ['callers_public', 0, 50_000], ['callers_admin', 1, 50_000], ['tokens', 0, 100_000], ['push_queue', 0, 10_000]] as const) {
    t.match(text, `udp_director_table_entries{process="control",table="${table}"} ${entries}\n`)
    t.match(text, `udp_director_table_capacity{process="control",table="${table}"} ${capacity}\n`)
  }
  for (const socket of sockets) socket.destroy()
  await eventually(() => count() === 0)
})

void t.test('a request behind an answer that nobody reads is over when its connection goes', async t => {
  const { open, features } = await startRig(t, { objects })
  const port = await listen(open)
  const underWay = (): number => features.tables.readings().find(({ table }) => table === 'requests_public')!.entries
  const socket = await dial(port)
  socket.pause()
  const document = 'GET /openapi.json HTTP/1.1\r\nhost: x\r\n\r\n'
  socket.write(document.repeat(12) + halfOfARequest)
  await eventually(() => underWay() > 0)
  socket.destroy()
  await eventually(() => underWay() === 0)
  t.equal((await ask(open)).status, 200)
})

void t.test('one connection has only a few requests under way', async t => {
  const { open, proxy } = await startRig(t, { objects })
  proxy.hook = () => ({ kind: 'silence' })
  const socket = await dial(await listen(open))
  let heard = ''
  socket.on('data', (data: Buffer) => { heard += data.toString() })
  const body = JSON.stringify(query)
  socket.write(`POST /query HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: ${body.length}\r\n\r\n${body}`.repeat(MAX_REQUESTS_PER_CONNECTION + 5))
  const ended = once(socket, 'close')
  await proxy.stop()
  await ended
  t.equal(heard.split('HTTP/1.1 ').length - 1, MAX_REQUESTS_PER_CONNECTION + 1)
  t.match(heard.slice(heard.lastIndexOf('HTTP/1.1 ')), /^HTTP\/1.1 429/)
})

void t.test('who keeps the director waiting gives way to who comes', async t => {
  const { open, clock, features } = await startRig(t, { objects, config: 'limits: {maxRequests: 4}' })
  const slow = await dial(await listen(open))
  slow.write(halfOfARequest)
  await eventually(() => features.tables.readings().some(({ table, entries }) => table === 'requests_public' && entries === 1))
  t.equal((await ask(open)).status, 429)
  const gone = once(slow, 'close')
  clock.advance(1000)
  t.equal((await ask(open)).status, 200)
  await gone
})

void t.test('names and pages: what a browser can be made to send is refused', async t => {
  const { open, admin } = await startRig(t, { objects, config: 'adminHosts: [director.example.com]' })
  const ask = async (app: TypedApp, headers: Record<string, string>, url = '/config'): Promise<readonly unknown[]> => {
    const answer = await app.inject({ url, headers })
    return [answer.statusCode, answer.statusCode === 200 ? undefined : answer.json<{ code: string }>().code]
  }
  const fine = [200, undefined]
  for (const host of ['127.0.0.1:9090', 'localhost', '[::1]:9090', 'director', 'director.games.svc:9090', 'director.example.com', 'DIRECTOR.example.com:9090']) t.strictSame(await ask(admin, { host }), fine, host)
  for (const host of ['example.com', 'rebound.example', 'director.example.com.evil.example', 'a b']) t.strictSame(await ask(admin, { host }), [403, 'HOST_NOT_ALLOWED'], host)
  t.strictSame(await ask(admin, { host: 'rebound.example' }, '/livez'), fine, 'health says nothing')
  t.strictSame(await ask(open, { host: 'anything.example' }, '/openapi.json'), fine, 'the public API is for any name, unless queryHosts says otherwise')
  const host = 'localhost:9090'
  for (const app of [open, admin]) {
    t.strictSame(await ask(app, { host, origin: 'http://localhost:9090' }, '/openapi.json'), fine, 'the same origin')
    for (const headers of [{ origin: 'http://evil.example' }, { origin: 'http://localhost:9091' }, { origin: 'null' }, { 'sec-fetch-site': 'cross-site' }, { 'sec-fetch-site': 'same-site', 'sec-fetch-mode': 'cors' }]) {
      t.strictSame(await ask(app, { host, ...headers }, '/openapi.json'), [403, 'CROSS_SITE_REQUEST'], JSON.stringify(headers))
    }
    t.strictSame(await ask(app, { host, 'sec-fetch-site': 'cross-site', 'sec-fetch-mode': 'navigate' }, '/openapi.json'), fine, 'a link that somebody follows')
  }
  t.strictSame(await ask(admin, { host, origin: 'https://director.example.com' }), fine, 'a page of a name that is configured')
  const closed = await startRig(t, { objects, config: 'queryHosts: ["*.games.example"]' })
  t.strictSame(await ask(closed.open, { host: 'eu.games.example' }, '/openapi.json'), fine)
  t.strictSame(await ask(closed.open, { host: 'games.example' }, '/openapi.json'), [403, 'HOST_NOT_ALLOWED'])
})

void t.test('what is not a request, and what no route has, are problems too', async t => {
  const { open, admin } = await startRig(t, { objects })
  const port = await listen(open)
  const say = async (text: string): Promise<string> => {
    const socket = await dial(port)
    let heard = ''
    socket.on('data', (data: Buffer) => { heard += data.toString() })
    socket.write(text)
    await once(socket, 'close')
    return heard
  }
  const cases: ReadonlyArray<readonly [text: string, status: number, code: string]> = [
    ['hello\r\n\r\n', 400, 'MALFORMED_REQUEST'],
    ['GET /livez HTTP/1.1\r\n\x00: x\r\n\r\n', 400, 'MALFORMED_REQUEST'],
    [`GET /livez HTTP/1.1\r\nhost: x\r\nx: ${'a'.repeat(20_000)}\r\n\r\n`, 431, 'HEADERS_TOO_LARGE'],
    ['CONNECT a:1 HTTP/1.1\r\nhost: a:1\r\n\r\n', 405, 'METHOD_NOT_ALLOWED'],
    ['POST /query HTTP/1.1\r\nhost: x\r\nexpect: nonsense\r\ncontent-length: 0\r\nconnection: close\r\n\r\n', 417, 'EXPECTATION_FAILED']
  ]
  for (const [text, status, code] of cases) {
    const heard = await say(text)
    t.match(heard, new RegExp(`^HTTP/1.1 ${status} `), code)
    t.match(heard, /content-type: application\/problem\+json/i, code)
    t.match(heard, `"code":"${code}"`, code)
  }
  const methods: ReadonlyArray<readonly [app: TypedApp, method: 'GET' | 'PUT' | 'DELETE' | 'PATCH' | 'TRACE', url: string, allow: string]> = [
    [open, 'GET', '/query', 'OPTIONS, POST'],
    [open, 'DELETE', '/livez', 'GET, HEAD, OPTIONS'],
    [open, 'TRACE', '/query', 'OPTIONS, POST'],
    [admin, 'PATCH', '/sessions/a', 'DELETE, GET, HEAD, OPTIONS'],
    [admin, 'GET', '/sessions/a/target', 'OPTIONS, PUT']
  ]
  for (const [app, method, url, allow] of methods) {
    const answer = await app.inject({ method: method as 'GET', url })
    t.match({ status: answer.statusCode, allow: answer.headers.allow, code: answer.json<{ code: string }>().code }, { status: 405, allow, code: 'METHOD_NOT_ALLOWED' }, `${method} ${url}`)
  }
  // What comes with it has no part in that.
  for (const [app, method, url] of [[open, 'QUERY', '/livez'], [open, 'PUT', '/query'], [admin, 'PATCH', '/sessions/a'], [admin, 'DELETE', '/tokens'], [open, 'POST', '/none']] as const) {
    for (const [type, payload] of [['application/json', '{'], ['text/plain', 'hello'], ['', 'hello'], ['nonsense', 'x'], ['application/json', 'x'.repeat(200_000)]] as const) {
      const { statusCode } = await app.inject({ method: method as 'PUT', url: `${url}?${'a=1&'.repeat(600)}`, payload, headers: type === '' ? {} : { 'content-type': type } })
      t.equal(statusCode, url === '/none' ? 404 : 405, `${method} ${url} with ${payload.slice(0, 10)} as ${type}`)
    }
  }
  const options = await open.inject({ method: 'OPTIONS', url: '/query' })
  t.match([options.statusCode, options.headers.allow], [204, 'OPTIONS, POST'])
  for (const client of ['not-an-ip', '1.2.3.4:99999', '1.2.3', '[::1', '::1:abc:']) {
    const answer = await admin.inject(`/sessions?client=${encodeURIComponent(client)}`)
    t.match([answer.statusCode, answer.json<{ code: string }>().code], [400, 'INVALID_REQUEST'], client)
  }
})

void t.test('a query costs its caller no more than its share, and nobody else waits for it', async t => {
  const many = Array.from({ length: 400 }, (_, number) => gameServer(`s${number}`, '10.0.0.1', { labels: Object.fromEntries(Array.from({ length: 60 }, (_unused, at) => [`l${at}`, 'x'])) }))
  const costly = { ...query, statusQuery: { jsonPath: '$[*][*][*]', expectedValue: 'nothing' } }
  const { open, admin, clock } = await startRig(t, { objects: many, config: 'limits: {maxQueryWork: 1000000, queryWorkPerSecond: 20000}' })
  t.match(await send(open, 'POST', '/query', {}, costly), { status: 404, code: 'NO_MATCHING_RESOURCE' })
  t.match(await send(open, 'POST', '/query', {}, costly), { status: 429, code: 'RATE_LIMITED', detail: 'limits.queryWorkPerSecond is reached: 20000 a second.' })
  t.match((await admin.inject('/metrics')).payload, 'udp_director_requests_refused_total{listener="public",reason="work"} 1\n')
  t.equal((await send(open, 'POST', '/query', { ip: '192.0.2.1' }, query)).status, 200)
  clock.advance(1000)
  t.equal((await ask(open)).status, 200)
  const strict = await startRig(t, { objects: many, config: 'limits: {maxQueryWork: 21000}' })
  t.match(await send(strict.open, 'POST', '/query', {}, costly), { status: 400, code: 'QUERY_TOO_COSTLY' })
  t.match(await send(strict.open, 'POST', '/query', {}, { ...query, labelSelector: Object.fromEntries(Array.from({ length: 600 }, (_, at) => [`k${at}`, 'v'])) }), { status: 400, code: 'BODY_TOO_COMPLEX' })
})
