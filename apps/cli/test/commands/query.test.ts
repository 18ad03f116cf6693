import { once } from 'node:events'
import { createServer, type IncomingMessage } from 'node:http'
import type { AddressInfo } from 'node:net'
import t from 'tap'
import { claimPort } from '#testkit/ports.js'
import { parseCommandLine } from '../../src/command-line/parse-command-line.js'
import type { QueryInvocation } from '../../src/command-line/query-options.js'
import { query } from '../../src/commands/query.js'
import { ask } from '../../src/query/ask.js'

interface Reply {
  readonly status: number
  readonly type?: string
  readonly body: string
  readonly headers?: Record<string, string>
}

let reply: Reply = { status: 500, body: '' }
const requests: Array<{ readonly method: string | undefined, readonly url: string | undefined, readonly authorization: string | undefined, readonly body: unknown }> = []

const server = createServer((request, response) => {
  void bodyOf(request).then(body => {
    requests.push({ method: request.method, url: request.url, authorization: request.headers.authorization, body: JSON.parse(body) })
    response.writeHead(reply.status, { 'content-type': reply.type ?? 'application/json', ...reply.headers }).end(reply.body)
  })
})

async function bodyOf (request: IncomingMessage): Promise<string> {
  let body = ''
  for await (const chunk of request) body += String(chunk)
  return body
}

async function run (...options: string[]): Promise<{ code: number, out: string, err: string }> {
  const { port } = server.address() as AddressInfo
  return await runAt(`http://127.0.0.1:${port}`, ...options)
}

async function runAt (url: string, ...options: string[]): Promise<{ code: number, out: string, err: string }> {
  const parsed = parseCommandLine(['query', '--url', url, '--type', 'gameserver', '--namespace', 'games', ...options])
  if (!parsed.ok) throw new Error(parsed.error.message)
  let [out, err] = ['', '']
  const code = await query(parsed.value as QueryInvocation, {
    out: text => { out += text; return undefined },
    err: text => { err += text }
  })
  return { code, out, err }
}

const answer = { token: '3e5d8a52-1f6b-4c0e-9a77-0c2f4b8d6e10', ttlSeconds: 30 }
const problem = { type: 'urn:x', title: 'No object matches the query', status: 404, code: 'NO_MATCHING_RESOURCE', detail: 'None of 3.' }

t.before(async () => {
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
})

t.teardown(() => { server.closeAllConnections(); server.close() })

void t.test('a key is read from a file, which may be the director\'s own, and shown to nobody', async t => {
  reply = { status: 200, body: JSON.stringify(answer) }
  const folder = t.testdir({ key: 'a-key-0123456789\r\nmore\n', named: '# who may ask\n\n match-maker: a-named-key.1=\nother: b\n', bad: 'two words\n', empty: '', idle: '\n# nothing\n', windows: Buffer.from('\ufeffa-key-0123456789', 'utf16le') })
  requests.length = 0
  for (const name of ['key', 'named']) await run('--key-file', `${folder}/${name}`)
  await run()
  t.same(requests.map(({ authorization }) => authorization), ['Bearer a-key-0123456789', 'Bearer a-named-key.1=', undefined])
  t.same(await run('--key-file', `${folder}/nowhere`), { code: 78, out: '', err: `${folder}/nowhere cannot be read: ENOENT.\n` })
  t.same(await run('--key-file', `${folder}/bad`), { code: 78, out: '', err: `${folder}/bad: line 1 is neither a key nor \`name: key\`.\n` })
  t.same(await run('--key-file', `${folder}/windows`), { code: 78, out: '', err: `${folder}/windows is UTF-16 text; save it as UTF-8.\n` })
  for (const name of ['empty', 'idle']) t.same(await run('--key-file', `${folder}/${name}`), { code: 78, out: '', err: `${folder}/${name} has no key.\n` })
  const asJson = await run('--json', '--key-file', `${folder}/empty`)
  t.same([asJson.err, JSON.parse(asJson.out)], ['', { code: 'KEY_FILE_UNUSABLE', detail: `${folder}/empty has no key.`, exitCode: 78 }])
  t.equal(requests.length, 3, 'and nothing is sent without')
})

void t.test('the token alone is on stdout, so that TOKEN=$(…) works', async t => {
  reply = { status: 200, body: JSON.stringify(answer) }
  t.same(await run('--label', 'map=de_dust2'), { code: 0, out: `${answer.token}\n`, err: '' })
  t.same(requests.at(-1), { method: 'POST', url: '/query', body: { resourceType: 'gameserver', namespace: 'games', labelSelector: { map: 'de_dust2' } } })
})

void t.test('--json prints the whole answer', async t => {
  reply = { status: 200, body: JSON.stringify(answer) }
  const { code, out } = await run('--json')
  t.equal(code, 0)
  t.same(JSON.parse(out), answer)
})

void t.test('a problem is told on stderr, with everything that helps', async t => {
  reply = { status: 404, type: 'application/problem+json', body: JSON.stringify(problem) }
  t.same(await run(), { code: 3, out: '', err: 'NO_MATCHING_RESOURCE (404): No object matches the query.\n  None of 3.\n' })
  reply = {
    status: 503,
    headers: { 'retry-after': '2' },
    body: JSON.stringify({ ...problem, errors: [{ path: '/namespace', message: 'is too long' }], position: 4 })
  }
  t.match((await run()).err, /\(503\).*\n {2}None of 3\.\n {2}\/namespace: is too long\n {2}At position 4\.\n {2}Try again in 2 s\.\n$/)
})

void t.test('with --json a failure is JSON too, with what the director said', async t => {
  reply = { status: 429, type: 'application/problem+json', headers: { 'retry-after': '5' }, body: JSON.stringify({ ...problem, status: 429, code: 'TOO_MANY_TOKENS' }) }
  const { code, out, err } = await run('--json')
  t.same([code, err, JSON.parse(out)], [75, '', { ...problem, status: 429, code: 'TOO_MANY_TOKENS', retryAfterSeconds: 5, exitCode: 75 }])
})

void t.test('the exit code tells why there is no token', async t => {
  const codes: ReadonlyArray<readonly [status: number, code: string, exit: number]> = [
    [404, 'NO_MATCHING_RESOURCE', 3], [503, 'NO_CAPACITY', 3],
    [400, 'INVALID_REQUEST', 77], [401, 'UNAUTHENTICATED', 77], [403, 'NAMESPACE_NOT_ALLOWED', 77], [404, 'UNKNOWN_RESOURCE_TYPE', 77], [404, 'NOT_FOUND', 77],
    [429, 'RATE_LIMITED', 75], [503, 'DRAINING', 75], [500, 'INTERNAL', 75], [418, 'SOMETHING_NEW', 77]
  ]
  for (const [status, code, exit] of codes) {
    reply = { status, type: 'application/problem+json', body: JSON.stringify({ ...problem, status, code }) }
    for (const options of [[], ['--json']]) t.equal((await run(...options)).code, exit, `${status} ${code}`)
  }
})

void t.test('a port that fetch refuses is a port like any other', async t => {
  const { code, err } = await runAt('http://127.0.0.1:6667')
  t.equal(code, 69)
  t.notMatch(err, /bad port/)
  t.match(err, /^http:\/\/127\.0\.0\.1:6667\/query (?:cannot be reached: [A-Z]+\.|does not answer like)/)
})

void t.test('a server that does not answer is given up', async t => {
  const silent = createServer(() => undefined)
  silent.listen(0, '127.0.0.1')
  await once(silent, 'listening')
  const url = new URL(`http://127.0.0.1:${(silent.address() as AddressInfo).port}/query`)
  t.same(await ask(url, { resourceType: 'a', namespace: 'b' }, {}, 100), { ok: false, error: 'no answer within 0.1 s' })
  silent.closeAllConnections()
  silent.close()
})

void t.test('another server, or none, is told apart from a director', async t => {
  for (const strange of [{ status: 404, type: 'text/html', body: '<html>' }, { status: 200, body: '{}' }, { status: 200, body: 'null' }]) {
    reply = strange
    const { code, out, err } = await run()
    t.equal(code, 69)
    t.equal(out, '')
    t.match(err, new RegExp(`does not answer like a UDP Director: status ${strange.status}, `))
  }
  const { port } = await claimPort()
  const { code, err } = await runAt(`http://127.0.0.1:${port}`)
  t.equal(code, 69)
  t.equal(err, `http://127.0.0.1:${port}/query cannot be reached: ECONNREFUSED. Is the director running there?\n`)
})
