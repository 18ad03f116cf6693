import { execFileSync } from 'node:child_process'
import { rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import t from 'tap'
import { parseConfig } from '#config/load/load-config.js'
import { createFakeClock } from '#testkit/fake-clock.js'
import { openAuthenticators } from '../../../src/http/auth/open-authenticators.js'
import { gameServer, startRig } from '#testkit/control-rig.js'
import { isLetIn, knock, makeFolder, MountedSecret, readUntil } from './rig.js'

const objects = [gameServer('a', '10.0.0.1')]
const [matchmaker, operator, next] = ['matchmaker-0123456789', 'operator-0123456789', 'next-0123456789abc'] as const
const bare = 'Bearer realm="udp-director"'
const refused = { status: 401, code: 'UNAUTHENTICATED', challenge: `${bare}, error="invalid_token"` }
const ok = { status: 200, code: undefined }

void t.test('keys: what is open stays open, everything else asks for one', async t => {
  const folder = await makeFolder(t)
  await writeFile(join(folder, 'query'), `matchmaker: ${matchmaker}\n`)
  await writeFile(join(folder, 'admin'), `${operator}\n`)
  const { open, admin, features, logged } = await startRig(t, {
    objects,
    config: `queryAuth: {type: keys, keysFile: ${folder}/query}\nadminAuth: {type: keys, keysFile: ${folder}/admin}`
  })
  for (const path of ['/livez', '/readyz', '/healthz', '/openapi.json']) t.match(await knock(open, undefined, path), ok, path)
  // The page shows what is in the repository; the key goes into its dialog.
  for (const path of ['/livez', '/readyz', '/healthz', '/docs/']) t.match(await knock(admin, undefined, path), ok, path)
  t.same(await knock(open, undefined), { status: 401, code: 'UNAUTHENTICATED', challenge: bare })
  for (const path of ['/metrics', '/config', '/targets', '/sessions', '/tokens', '/openapi.json', '/nonsense']) {
    t.same(await knock(admin, undefined, path), { status: 401, code: 'UNAUTHENTICATED', challenge: bare }, path)
    t.same(await knock(admin, `Bearer ${matchmaker}`, path), refused, `${path}, with the key of the other listener`)
  }
  for (const path of ['/metrics', '/config', '/openapi.json']) t.match(await knock(admin, `Bearer ${operator}`, path), ok, path)
  for (const authorization of [`Bearer ${matchmaker}`, `bearer ${matchmaker}`, `BEARER  ${matchmaker}`]) t.match(await knock(open, authorization), ok)
  for (const authorization of ['Bearer', 'Bearer ', matchmaker, `Basic ${matchmaker}`, `Bearer ${matchmaker} x`, `Bearer matchmaker:${matchmaker}`, `Bearer ${matchmaker}x`, `Bearer ${matchmaker.slice(0, -1)}`]) {
    t.same(await knock(open, authorization), refused, authorization)
  }
  t.equal(features.registry.held('name:matchmaker'), 3, 'the key is the caller')
  const lines = JSON.stringify(logged)
  for (const key of [matchmaker, operator]) t.equal(lines.includes(key), false, 'no log has a key')
  const config = await admin.inject({ url: '/config', headers: { authorization: `Bearer ${operator}` } })
  t.match(config.json<object>(), { queryAuth: { type: 'keys', keysFile: join(folder, 'query') } })
  t.equal(config.payload.includes(matchmaker), false)
  const { payload } = await admin.inject({ url: '/metrics', headers: { authorization: `Bearer ${operator}` } })
  for (const [series, value] of [['failed_total{listener="public",reason="missing"}', 1], ['failed_total{listener="public",reason="malformed"}', 6], ['failed_total{listener="public",reason="refused"}', 2]] as const) {
    t.match(payload, `udp_director_authentications_${series} ${value}\n`)
  }
  t.match(payload, 'udp_director_queries_failed_total{code="UNAUTHENTICATED"} 9\n')
})

void t.test('keys: a caller is counted by its name, wherever it is; who guesses by address', async t => {
  const folder = await makeFolder(t)
  await writeFile(join(folder, 'keys'), `a: ${matchmaker}\nb: ${operator}\na: ${next}\n`)
  const { open, clock } = await startRig(t, { objects, config: `queryAuth: {type: keys, keysFile: ${folder}/keys}\nlimits: {queriesPerSecond: 2}` })
  const statuses = async (...keys: string[]): Promise<number[]> => {
    const seen: number[] = []
    for (const key of keys) seen.push((await knock(open, `Bearer ${key}`)).status)
    return seen
  }
  t.strictSame(await statuses(matchmaker, next, matchmaker, operator), [200, 200, 429, 200], 'two keys of one name are one caller')
  t.strictSame(await statuses('guess-0123456789-1', 'guess-0123456789-2', 'guess-0123456789-3', operator), [401, 401, 429, 200], 'those that guess stop nobody else')
  clock.advance(1000)
  t.strictSame(await statuses('guess-0123456789-1', matchmaker), [401, 200])
})

void t.test('keys: read again when the Secret changes; the last good ones stay while it is broken', async t => {
  const folder = await makeFolder(t)
  const secret = new MountedSecret(folder)
  const file = await secret.put('keys', `a: ${matchmaker}`)
  const rig = await startRig(t, { objects, config: `queryAuth: {type: keys, keysFile: ${file}}` })
  const { open, admin, logged } = rig
  const isIn = async (key: string): Promise<boolean> => await isLetIn(open, key)
  t.strictSame([await isIn(matchmaker), await isIn(next)], [true, false])

  await secret.put('keys', `a: ${matchmaker}\na: ${next}`)
  await readUntil(rig, 'Keys read again', 1)
  t.strictSame([await isIn(matchmaker), await isIn(next)], [true, true], 'the old and the new one')
  await secret.put('keys', `a: ${next}`)
  await readUntil(rig, 'Keys read again', 2)
  t.strictSame([await isIn(matchmaker), await isIn(next)], [false, true])

  const broken = 'Keys cannot be read, the last good ones stay'
  const faults: ReadonlyArray<readonly [content: string, fault: string]> = [
    ['', 'it has no keys'],
    [`${next}\nshort`, 'line 2 has a key of less than 16 characters'],
    ['x'.repeat(1_048_577), 'it is larger than 1048576 bytes'],
    [`${next}\n\0`, 'it has a NUL byte in line 2; it is not UTF-8 text']
  ]
  for (const [at, [content, fault]] of faults.entries()) {
    await secret.put('keys', content)
    await readUntil(rig, broken, at + 1)
    t.match(logged.at(-1), { level: 50, path: file, fault })
    t.strictSame([await isIn(matchmaker), await isIn(next)], [false, true], fault)
  }
  await rm(file)
  await readUntil(rig, broken, faults.length + 1)
  t.match(logged.at(-1), { fault: 'it cannot be read: ENOENT' })
  t.equal(await isIn(next), true)
  await writeFile(file, next)
  await readUntil(rig, 'Keys read again', 3)
  t.equal(await isIn(next), true)
  await writeFile(file, operator)
  await readUntil(rig, 'Keys read again', 4)
  t.strictSame([await isIn(next), await isIn(operator)], [false, true], 'a plain file that is written over')
  const { payload } = await admin.inject('/metrics')
  t.match(payload, 'udp_director_key_reads_total{listener="public",outcome="ok"} 5\n')
  t.match(payload, 'udp_director_key_reads_total{listener="public",outcome="fault"} 5\n')
  t.equal(JSON.stringify(logged).includes(next), false)
})

void t.test('files that cannot be used from the start keep the process from starting', async t => {
  const folder = await makeFolder(t)
  const clock = createFakeClock()
  const said: unknown[] = []
  const open = async (yaml: string): Promise<unknown> => {
    const parsed = parseConfig(`inventory: {provider: file, path: .}\n${yaml}`, join(folder, 'config.yaml'))
    if (!parsed.ok) throw new Error(JSON.stringify(parsed.error))
    const log = { info: () => undefined, error: (line: unknown) => { said.push(line) } } as never
    return await openAuthenticators(parsed.value.config, { clock, log, onKeysRead: () => undefined })
  }
  await writeFile(join(folder, 'empty'), '')
  await writeFile(join(folder, 'good'), matchmaker)
  await writeFile(join(folder, 'private.json'), '{"keys": [{"kty": "OKP", "crv": "Ed25519", "x": "", "d": "secret"}]}')
  t.strictSame(await open('queryAuth: {type: keys, keysFile: nowhere}'), { ok: false, error: `queryAuth.keysFile: ${folder}/nowhere cannot be used: it cannot be read: ENOENT.` })
  t.strictSame(await open('queryAuth: {type: keys, keysFile: .}'), { ok: false, error: `queryAuth.keysFile: ${folder} cannot be used: it is a directory.` })
  t.strictSame(await open('queryAuth: {type: keys, keysFile: good}\nadminAuth: {type: keys, keysFile: empty}'), { ok: false, error: `adminAuth.keysFile: ${folder}/empty cannot be used: it has no keys.` })
  const jwt = 'type: jwt, issuer: i, audience: a, jwksFile'
  await writeFile(join(folder, 'windows'), Buffer.from(`\ufeff${matchmaker}`, 'utf16le'))
  t.strictSame(await open('queryAuth: {type: keys, keysFile: windows}'), { ok: false, error: `queryAuth.keysFile: ${folder}/windows cannot be used: it is UTF-16 text; save it as UTF-8.` })
  t.strictSame(await open(`adminAuth: {${jwt}: windows}`), { ok: false, error: `adminAuth.jwksFile: ${folder}/windows cannot be used: it is UTF-16 text; save it as UTF-8.` })
  if (process.platform !== 'win32') {
    execFileSync('mkfifo', [join(folder, 'pipe')])
    t.match(await open('queryAuth: {type: keys, keysFile: pipe}'), { error: /pipe cannot be used: it is not a regular file, but a pipe, a socket or a device\.$/ })
  }
  t.strictSame(await open(`adminAuth: {${jwt}: good}`), { ok: false, error: `adminAuth.jwksFile: ${folder}/good cannot be used: it is not JSON.` })
  t.strictSame(await open(`adminAuth: {${jwt}: private.json}`), { ok: false, error: `adminAuth.jwksFile: ${folder}/private.json cannot be used: it holds a private or a shared key: only public ones belong there.` })
  t.equal(clock.pending(), 0, 'and nothing is followed any more')
  t.strictSame(said, [])
})
