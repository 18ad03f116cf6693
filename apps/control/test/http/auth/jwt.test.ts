import { createHmac } from 'node:crypto'
import { once } from 'node:events'
import { writeFile } from 'node:fs/promises'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { exportJWK, exportSPKI, generateKeyPair, SignJWT, UnsecuredJWT, type CryptoKey, type JWK, type JWTPayload } from 'jose'
import t, { type Test } from 'tap'
import type { Auth } from '#config/schema.js'
import { createFakeClock, FAKE_EPOCH_MS } from '#testkit/fake-clock.js'
import { openRemoteKeySet, REFRESH_MS, RETRY_MS } from '../../../src/http/auth/key-set.js'
import { createJwtAuthenticator } from '../../../src/http/auth/jwt-authenticator.js'
import { eventually, gameServer, startRig } from '#testkit/control-rig.js'
import { isLetIn, knock, makeFolder, MountedSecret, readUntil } from './rig.js'

const objects = [gameServer('a', '10.0.0.1')]
const nowSeconds = FAKE_EPOCH_MS / 1000
const refused = { status: 401, code: 'UNAUTHENTICATED' }
const claims = { iss: 'https://issuer.example', aud: 'udp-director', sub: 'matchmaker', exp: nowSeconds + 60 }
const yaml = (source: string): string => `queryAuth: {type: jwt, issuer: "https://issuer.example", audience: udp-director, ${source}}`

interface Signer {
  readonly jwk: JWK
  readonly key: CryptoKey
  readonly publicKey: CryptoKey
}

async function signer (kid: string, alg = 'ES256'): Promise<Signer> {
  const { privateKey, publicKey } = await generateKeyPair(alg, { extractable: true })
  return { jwk: { ...await exportJWK(publicKey), kid, alg }, key: privateKey, publicKey }
}

async function sign ({ jwk, key }: Signer, payload: JWTPayload = claims, header: { alg?: string, kid?: string } = {}): Promise<string> {
  return await new SignJWT(payload).setProtectedHeader({ alg: jwk.alg ?? '', kid: jwk.kid ?? '', ...header }).sign(key)
}

const setOf = (...signers: readonly Signer[]): string => JSON.stringify({ keys: signers.map(({ jwk }) => jwk) })

void t.test('tokens: signed by a known key, for us, by our issuer, in time', async t => {
  const folder = await makeFolder(t)
  const [es, rsa, ed, stranger] = await Promise.all([signer('es'), signer('rsa', 'RS256'), signer('ed', 'EdDSA'), signer('es')])
  await writeFile(`${folder}/jwks.json`, setOf(es, rsa, ed))
  const { open, clock, features, logged } = await startRig(t, { objects, config: yaml(`jwksFile: ${folder}/jwks.json`) })
  const answer = async (token: string): Promise<object> => await knock(open, `Bearer ${token}`)
  for (const by of [es, rsa, ed]) t.match(await answer(await sign(by)), { status: 200 }, by.jwk.kid ?? '')
  t.equal(features.registry.held('name:matchmaker'), 3, 'the subject is the caller')
  t.match(await answer(await sign(es, { ...claims, aud: ['other', 'udp-director'] })), { status: 200 }, 'one of several audiences')
  t.match(await answer(await sign(es, { ...claims, exp: nowSeconds - 5 })), { status: 200 }, 'clocks may be apart a little')

  const bad: ReadonlyArray<readonly [name: string, token: string]> = [
    ['expired', await sign(es, { ...claims, exp: nowSeconds - 11 })],
    ['not yet valid', await sign(es, { ...claims, nbf: nowSeconds + 11 })],
    ['without an end', await sign(es, { iss: claims.iss, aud: claims.aud, sub: claims.sub })],
    ['wrong audience', await sign(es, { ...claims, aud: 'other' })],
    ['no audience', await sign(es, { iss: claims.iss, sub: claims.sub, exp: claims.exp })],
    ['wrong issuer', await sign(es, { ...claims, iss: 'https://issuer.example/' })],
    ['no subject', await sign(es, { iss: claims.iss, aud: claims.aud, exp: claims.exp })],
    ['an empty subject', await sign(es, { ...claims, sub: '' })],
    ['a long subject', await sign(es, { ...claims, sub: 's'.repeat(256) })],
    ['unknown key', await sign(es, claims, { kid: 'other' })],
    ['another\'s key', await sign(stranger)],
    ['an algorithm that is not allowed', await sign(await signer('es', 'ES384'))],
    ['none', new UnsecuredJWT(claims).encode()],
    ['HS256', await new SignJWT(claims).setProtectedHeader({ alg: 'HS256', kid: 'rsa' }).sign(Buffer.alloc(32, 1))],
    ['HS256 with the public key for a secret', await forged(rsa)],
    ['cut short', (await sign(es)).slice(0, -4)],
    ['nonsense', 'a.b.c'],
    ['no JWT at all', 'matchmaker-0123456789']
  ]
  for (const [name, token] of bad) t.match(await answer(token), refused, name)
  clock.advance(71_000)
  t.match(await answer(await sign(es)), refused, 'it ends while the process runs')
  t.equal(JSON.stringify(logged).includes((await sign(es)).slice(0, 40)), false, 'no log has a token')
})

// RFC 8725 §2.1: the public key, in the form a server would have at hand, as a shared secret.
async function forged ({ publicKey }: Signer): Promise<string> {
  const part = (value: object): string => Buffer.from(JSON.stringify(value)).toString('base64url')
  const signed = `${part({ alg: 'HS256', kid: 'rsa' })}.${part(claims)}`
  return `${signed}.${createHmac('sha256', await exportSPKI(publicKey)).update(signed).digest('base64url')}`
}

void t.test('tokens: keys from a file that changes', async t => {
  const secret = new MountedSecret(await makeFolder(t))
  const [former, latter] = [await signer('1'), await signer('2')]
  const file = await secret.put('jwks.json', setOf(former))
  const rig = await startRig(t, { objects, config: yaml(`jwksFile: ${file}`) })
  const isIn = async (by: Signer): Promise<boolean> => await isLetIn(rig.open, await sign(by))
  t.strictSame([await isIn(former), await isIn(latter)], [true, false])
  await secret.put('jwks.json', setOf(latter))
  await readUntil(rig, 'Keys read again', 1)
  t.strictSame([await isIn(former), await isIn(latter)], [false, true])
  await secret.put('jwks.json', '{"keys": []}')
  await readUntil(rig, 'Keys cannot be read, the last good ones stay', 1)
  t.strictSame([await isIn(former), await isIn(latter)], [false, true])
})

/** An issuer that publishes `body`, or is away while it is undefined. */
async function startIssuer (t: Test, published: { body: string | undefined }): Promise<{ readonly url: URL, readonly requests: () => number }> {
  let requests = 0
  const server = createServer((_request, response) => {
    requests++
    if (published.body === undefined) response.writeHead(500).end()
    else response.writeHead(200, { 'content-type': 'application/json' }).end(published.body)
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.teardown(() => {
    server.closeAllConnections()
    server.close()
  })
  return { url: new URL(`http://127.0.0.1:${(server.address() as AddressInfo).port}/jwks`), requests: () => requests }
}

void t.test('tokens: keys of the issuer are fetched at once, and kept when it goes away', async t => {
  const [former, latter] = [await signer('1'), await signer('2')]
  const published: { body: string | undefined } = { body: undefined }
  const { url, requests } = await startIssuer(t, published)
  const { open, admin, clock, logged } = await startRig(t, { objects, config: yaml(`jwksUrl: "${url.href}"`) })
  const faults = (): number => logged.filter(({ msg }) => msg === 'Keys of the issuer cannot be fetched, the last good ones stay').length
  const late = { ...claims, exp: nowSeconds + 3600 }
  const isIn = async (by: Signer): Promise<boolean> => await isLetIn(open, await sign(by, late))
  await eventually(() => faults() === 1 && clock.pending() > 0)
  t.match(await knock(open, `Bearer ${await sign(former, late)}`), { status: 503, code: 'KEYS_UNAVAILABLE', challenge: undefined }, 'its bearer is not to blame')
  t.match(await knock(open, undefined), refused)

  published.body = setOf(former)
  const before = requests()
  clock.advance(RETRY_MS)
  await eventually(() => logged.some(({ msg }) => msg === 'Keys of the issuer fetched again'))
  t.ok(requests() > before)
  t.equal(await isIn(former), true)
  t.equal(await isIn(latter), false, 'unknown, and asked for too lately to ask again')

  published.body = setOf(latter)
  const seen = requests()
  clock.advance(REFRESH_MS)
  await eventually(() => requests() > seen)
  while (!await isIn(latter)) clock.advance(1)
  t.equal(await isIn(former), false, 'a key that is withdrawn')

  published.body = undefined
  clock.advance(REFRESH_MS)
  await eventually(() => faults() === 2)
  t.equal(await isIn(latter), true, 'the issuer is away')
  t.match((await admin.inject('/metrics')).payload, /udp_director_key_reads_total\{listener="public",outcome="fault"\} 2\n/)
})

void t.test('tokens: a key that is not known is asked for, at most once in a while', async t => {
  const [former, latter, third] = [await signer('1'), await signer('2'), await signer('3')]
  const published: { body: string | undefined } = { body: setOf(former) }
  const { url, requests } = await startIssuer(t, published)
  const clock = createFakeClock()
  const auth: Auth = { type: 'jwt', issuer: claims.iss, audience: claims.aud, jwksUrl: url.href, algorithms: ['ES256'], clockToleranceSeconds: 0 }
  const log = { info: () => undefined, error: () => undefined } as never
  const open = (cooldownMs: number): ReturnType<typeof createJwtAuthenticator> => createJwtAuthenticator(auth, openRemoteKeySet({ url, clock, log, onRead: () => undefined, cooldownMs }), clock)
  const eager = open(0)
  const patient = open(3_600_000)
  t.teardown(async () => { await Promise.all([eager.close(), patient.close()]) })
  const verdict = async ({ verify }: typeof eager, by: Signer): Promise<boolean> => (await verify(`Bearer ${await sign(by)}`)).ok
  t.strictSame([await verdict(eager, former), await verdict(patient, former)], [true, true])
  published.body = setOf(latter)
  t.strictSame([await verdict(eager, latter), await verdict(eager, former)], [true, false], 'rotated without waiting')
  const before = requests()
  for (let time = 0; time < 10; time++) t.equal(await verdict(patient, third), false)
  t.equal(requests(), before, 'names that nobody has make no flood of requests')
})
