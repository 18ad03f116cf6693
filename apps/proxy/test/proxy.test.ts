import { chmod, mkdtemp, rename, rm, stat, writeFile } from 'node:fs/promises'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { pino, type Logger } from 'pino'
import { parseConfig } from '#config/load/load-config.js'
import type { RpcEvent, TokenGrant } from '#rpc/contract.js'
import { createRpcClient, type RpcClient } from '#rpc/client.js'
import { createFakeClock, type FakeClock } from '#testkit/fake-clock.js'
import { PATIENCE_MS, until } from '#testkit/patience.js'
import { openUdpPeer, type UdpPeer } from '#testkit/udp-peer.js'
import { controlPacket, magicFromHex } from '#wire/control-packet.js'
import { metrics } from '#telemetry/metrics-table.js'
import { systemClock } from '#core/system-clock.js'
import { SWEEP_PERIOD_MS, systemPlatform } from '../src/platform.js'
import { openProxy, type Proxy } from '../src/proxy.js'
import { SocketPathError } from '../src/unix-sockets/unix-socket.js'
import { tokenOf } from './core/core-driver.js'

interface Rig {
  readonly proxy: Proxy
  readonly client: RpcClient
  readonly clock: FakeClock
  readonly socketPath: string
  /** The log so far, parsed. */
  readonly log: { msg: string, level: number, [field: string]: unknown }[]
  readonly peer: () => Promise<UdpPeer>
  readonly grant: (name: string, port: number, address?: string) => TokenGrant
}

async function folder (t: Test): Promise<string> {
  const path = await mkdtemp(join(tmpdir(), 'proxy-test-'))
  t.teardown(async () => { await rm(path, { recursive: true }) })
  return path
}

function configOf (lines: string) {
  const loaded = parseConfig(`
bindAddress: 127.0.0.1
engine: dgram
dataPorts: [{name: game, port: 0}, {name: voice, port: 0}]
sessionTimeoutSeconds: 60
inventory: {provider: file, path: .}
${lines}`, 'test.yaml')
  if (!loaded.ok) throw new Error(JSON.stringify(loaded.error))
  return loaded.value.config
}

async function open (socketPath: string, clock: FakeClock, log: Logger, lines = ''): Promise<Proxy> {
  return await openProxy({ config: configOf(lines), log, platform: { ...systemPlatform({ socketPath, statePath: undefined }), clock } })
}

async function setUp (t: Test, lines = ''): Promise<Rig> {
  const clock = createFakeClock(1000)
  const log: Rig['log'] = []
  const socketPath = join(await folder(t), 'proxy.sock')
  const proxy = await open(socketPath, clock, pino({ level: 'debug' }, { write: line => { log.push(JSON.parse(line) as Rig['log'][number]) } }), lines)
  const client = createRpcClient({ socketPath, deadlineMs: PATIENCE_MS, maxInFlight: 20, clock: systemClock })
  t.teardown(async () => {
    await client.close()
    await proxy.close()
  })
  const peer = async (): Promise<UdpPeer> => {
    const opened = await openUdpPeer()
    t.teardown(opened.close)
    return opened
  }
  const grant = (name: string, port: number, address = '127.0.0.1'): TokenGrant =>
    ({ token: tokenOf(name), ttlMs: 3_600_000, target: { key: `key/${name}`, address, ports: { game: port, voice: port } } })
  return { proxy, client, clock, socketPath, log, peer, grant }
}

const magicBytes = magicFromHex('FFFFFFFF5245534554')
const control = (name: string): Uint8Array => controlPacket(magicBytes.ok ? magicBytes.value : new Uint8Array(), tokenOf(name))

void t.test('epochs: a snapshot first, nothing older afterwards', async t => {
  const { client, proxy } = await setUp(t)
  const hello = await client.call('hello', {})
  t.match(hello, { ok: true, value: { instanceId: proxy.instanceId, epoch: 0, engine: 'dgram', draining: false, dataPorts: [{ name: 'game', address: '127.0.0.1' }, { name: 'voice' }] } })
  const push = async (epoch: number) => await client.call('pushTokens', { body: { epoch, revoked: [], tokens: [] } })
  t.match(await push(5), { ok: false, error: { code: 'NOT_READY' } })
  const snapshot = async (epoch: number) => await client.call('putSnapshot', { body: { epoch, revoked: [], tokens: [], defaultTargets: [] } })
  t.match(await snapshot(5), { ok: true, value: { instanceId: proxy.instanceId, rejected: [] } })
  t.match(await push(5), { ok: true })
  t.match(await push(6), { ok: false, error: { code: 'NOT_READY' } })
  t.match(await snapshot(7), { ok: true })
  t.match(await push(5), { ok: false, error: { code: 'EPOCH_STALE', epoch: 7 } })
  t.match(await snapshot(5), { ok: false, error: { code: 'EPOCH_STALE', epoch: 7 } })
  t.match(await client.call('putDefaultTargets', { body: { epoch: 5, defaultTargets: [] } }), { ok: false, error: { code: 'EPOCH_STALE' } })
  t.match(await snapshot(7), { ok: true }, 'the same epoch may start over')
})

void t.test('tokens are usable when the push returns; what cannot be used is named', async t => {
  const { client, proxy, peer, grant, log } = await setUp(t, 'limits: {maxTokens: 3, maxTargets: 4}')
  const [server, player] = [await peer(), await peer()]
  const unusable = { key: 'no-port', address: '127.0.0.1', ports: { other: 1 } }
  const reply = await client.call('putSnapshot', { body: { epoch: 1, revoked: [], tokens: [grant('a', server.port), { ...grant('b', 1), consumed: ['game', 'nowhere'] }, grant('c', 1, 'not-an-address')], defaultTargets: [unusable] } })
  t.match(reply, { ok: true, value: { rejected: [{ token: tokenOf('c'), code: 'INVALID_TARGET' }] } })
  t.match(log.find(({ msg }) => msg === 'Default targets left out'), { level: 40, faults: { 'no-port': 'INVALID_TARGET' } })
  const game = proxy.dataPorts[0]!.port
  await player.send(tokenOf('a'), game)
  await player.send('hello', game)
  t.equal((await server.next()).bytes.toString(), 'hello')
  await player.send(control('b'), game)
  await until(() => log.some(({ msg }) => msg === 'Invalid token in control packet'))
  t.match(log.find(({ msg }) => msg === 'Invalid token in control packet'), { level: 40, client: `127.0.0.1:${player.port}`, reason: 'token_consumed', dataPort: 'game' })
  t.match(await client.call('pushTokens', { body: { epoch: 1, revoked: [tokenOf('b')], tokens: [grant('d', 5, '10.0.0.1'), grant('e', 6, '10.0.0.2'), grant('f', 7, '10.0.0.3')] } }),
    { ok: true, value: { rejected: [{ token: tokenOf('f'), code: 'TOKEN_TABLE_FULL' }] } }, 'a revoked one has made room for one')
})

void t.test('sessions are listed, found, moved and ended', async t => {
  const { client, proxy, peer, grant, log, clock } = await setUp(t)
  const [first, second] = [await peer(), await peer()]
  const players = [await peer(), await peer(), await peer()]
  await client.call('putSnapshot', { body: { epoch: 1, revoked: [], tokens: players.map((_, index) => grant(`t${index}`, first.port)), defaultTargets: [] } })
  const game = proxy.dataPorts[0]!.port
  for (const [index, player] of players.entries()) {
    await player.send(tokenOf(`t${index}`), game)
    await player.send('x', game)
    await first.next()
  }
  clock.advance(500)
  const all = await client.call('listSessions', { query: {} })
  if (!all.ok) throw new Error(all.error.message)
  t.equal(all.value.total, 3)
  t.notOk('nextCursor' in all.value)
  t.match(all.value.sessions[0], { client: `127.0.0.1:${players[0]!.port}`, target: { key: 'key/t0', address: '127.0.0.1', ports: { game: first.port, voice: first.port } }, origin: 'token', ageMs: 500, idleMs: 500, datagramsToTarget: 1, bytesToTarget: 1 })
  const page = await client.call('listSessions', { query: { limit: 2 } })
  t.match(page, { ok: true, value: { sessions: { length: 2 }, nextCursor: 2 } })
  t.match(await client.call('listSessions', { query: { limit: 2, cursor: 2 } }), { ok: true, value: { sessions: { length: 1 } } })
  const count = async (query: object): Promise<number> => {
    const found = await client.call('listSessions', { query })
    return found.ok ? found.value.sessions.length : -1
  }
  t.equal(await count({ client: '127.0.0.1' }), 3)
  t.equal(await count({ client: '::ffff:127.0.0.1' }), 3, 'any spelling of the address')
  t.equal(await count({ client: `127.0.0.1:${players[1]!.port}` }), 1)
  t.equal(await count({ client: '127.0.0.2' }), 0)
  t.equal(await count({ target: 'key/t1' }), 1)
  t.equal(await count({ target: '127.0.0.1' }), 3)
  t.equal(await count({ target: `127.0.0.1:${first.port}` }), 3)
  t.equal(await count({ target: `127.0.0.1:${second.port}` }), 0)
  const { id } = all.value.sessions[1]!
  const target = { key: 'moved', address: '127.0.0.1', ports: { game: second.port } }
  t.match(await client.call('moveSession', { params: { id }, body: { target: { ...target, address: 'x:y' } } }), { ok: false, error: { code: 'INVALID_TARGET' } })
  t.match(await client.call('moveSession', { params: { id }, body: { target } }), { ok: true, value: { id, target, origin: 'operator' } })
  await players[1]!.send('moved', game)
  t.equal((await second.next()).bytes.toString(), 'moved')
  t.match(await client.call('getSession', { params: { id } }), { ok: true, value: { id, target } })
  t.match(await client.call('endSession', { params: { id } }), { ok: true, value: {} })
  for (const call of ['getSession', 'endSession'] as const) t.match(await client.call(call, { params: { id } }), { ok: false, error: { code: 'NOT_FOUND' } }, call)
  t.match(await client.call('moveSession', { params: { id }, body: { target } }), { ok: false, error: { code: 'NOT_FOUND' } })
  clock.advance(60_001)
  t.equal(await count({}), 0, 'idle sessions are not shown any more')
  clock.advance(SWEEP_PERIOD_MS)
  const said = (sentence: string) => log.filter(({ msg }) => msg === sentence)
  await until(() => said('Cleaned up timed-out sessions').length > 0)
  t.equal(said('Session established').length, 3)
  t.match(said('Session established')[0], { level: 30, client: `127.0.0.1:${players[0]!.port}`, target: `127.0.0.1:${first.port}`, targetKey: 'key/t0' })
  t.match(said('Session moved'), [{ sessionId: id, target: `127.0.0.1:${second.port}` }])
  t.match(said('Session ended'), [{ sessionId: id }])
  t.equal(said('Session timed out').length, 2)
  t.match(said('Cleaned up timed-out sessions'), [{ level: 30, ended: 2, active: 0 }])
})

void t.test('events: who is there, counts, redemptions and changes', async t => {
  const { client, proxy, peer, grant, clock } = await setUp(t)
  const [server, player] = [await peer(), await peer()]
  const events: RpcEvent[] = []
  const ending = new AbortController()
  const ended = client.events(event => { events.push(event) }, ending.signal)
  await until(() => events.length >= 2)
  t.same(events.splice(0), [{ type: 'hello', instanceId: proxy.instanceId }, { type: 'counts', sessions: {} }])
  await client.call('putSnapshot', { body: { epoch: 1, revoked: [], tokens: [grant('a', server.port), grant('b', server.port)], defaultTargets: [] } })
  const voice = proxy.dataPorts[1]!.port
  await player.send(tokenOf('a'), voice)
  await until(() => events.length >= 2)
  await player.send(control('b'), voice)
  await until(() => events.length >= 4)
  clock.advance(100)
  await until(() => events.length >= 5)
  t.match(events, [
    { type: 'redeemed', token: tokenOf('a'), dataPort: 'voice', sessionId: '0-1' },
    { type: 'session', change: 'established', sessionId: '0-1', client: `127.0.0.1:${player.port}`, target: 'key/a' },
    { type: 'redeemed', token: tokenOf('b'), dataPort: 'voice' },
    { type: 'session', change: 'reset', sessionId: '0-1', target: 'key/b' },
    { type: 'counts', sessions: { 'key/a': 0, 'key/b': 1 } }
  ])
  ending.abort()
  t.match(await ended, { code: 'UNREACHABLE' })
})

void t.test('stats: every metric of the proxy, with the labels of the table', async t => {
  const { client } = await setUp(t)
  const stats = await client.call('stats', {})
  if (!stats.ok) throw new Error(stats.error.message)
  const table: Record<string, { from: string, labels: readonly string[] }> = metrics
  for (const { name, labels } of stats.value.samples) {
    t.same(Object.keys(labels).sort(), [...table[name]!.labels].sort(), name)
  }
  const expected = Object.entries(table).filter(([name, { from }]) => from !== 'control' && name !== 'udp_director_receive_drops_total').map(([name]) => name)
  t.same(new Set(stats.value.samples.map(({ name }) => name)), new Set(expected))
})

void t.test('calls that do not fit the contract are refused', async t => {
  const { client } = await setUp(t)
  const bad = async (body: object) => await client.call('pushTokens', { body: body as never })
  t.match(await bad({ epoch: 1, revoked: [], tokens: [], extra: 1 }), { ok: false, error: { code: 'INVALID', message: '/extra: Unexpected property' } })
  t.match(await bad({ epoch: '1', revoked: [], tokens: [] }), { ok: false, error: { code: 'INVALID' } })
  t.match(await client.call('listSessions', { query: { limit: 5000 } }), { ok: false, error: { code: 'INVALID' } })
})

void t.test('log lines are limited, and what was left out is counted and told, for each cause', async t => {
  const { client, proxy, peer, log, clock } = await setUp(t, 'limits: {sessionLinesPerSecond: 1, warningsPerSecond: 1}\nblockedSourcePorts: []')
  const server = await peer()
  await client.call('putSnapshot', { body: { epoch: 1, revoked: [], tokens: [], defaultTargets: [{ key: 'd', address: '127.0.0.1', ports: { game: server.port } }] } })
  for (let number = 0; number < 3; number++) {
    await (await peer()).send('x', proxy.dataPorts[0]!.port)
    await server.next()
  }
  t.equal(log.filter(({ msg }) => msg === 'Session established').length, 1)
  const stats = await client.call('stats', {})
  t.equal(stats.ok ? stats.value.samples.find(({ name }) => name === 'udp_director_log_lines_suppressed_total')?.value : undefined, 2)
  const player = await peer()
  for (let number = 0; number < 5; number++) await player.send(control(`unknown-${number}`), proxy.dataPorts[0]!.port)
  await client.call('putSnapshot', { body: { epoch: 2, revoked: [], tokens: [], defaultTargets: [] } })
  for (let number = 0; number < 4; number++) await player.send('x', proxy.dataPorts[0]!.port)
  const left = async (): Promise<number> => {
    const { samples } = await client.call('stats', {}).then(answer => answer.ok ? answer.value : { samples: [] })
    return samples.find(({ name }) => name === 'udp_director_log_lines_suppressed_total')?.value ?? 0
  }
  while (await left() < 2 + 4 + 3) await new Promise(resolve => { setImmediate(resolve) })
  const told = (): unknown[] => log.filter(({ msg }) => msg === 'Log lines left out').map(({ sentence, cause, leftOut }) => [sentence, cause, leftOut])
  t.same(told(), [], 'not more than once a second')
  clock.advance(1000)
  await left()
  t.same(told(), [['Session established', undefined, 2], ['Datagram of a client dropped', 'no_session', 3], ['Invalid token', 'token_unknown', 4]])
  clock.advance(1000)
  await left()
  t.equal(told().length, 3, 'once')
})

void t.test('the Unix socket: mode, a stale file, a living neighbour, a file that is not a socket, no directory', async t => {
  const { socketPath, clock } = await setUp(t)
  const silent = pino({ level: 'silent' })
  t.equal((await stat(socketPath)).mode & 0o777, 0o660)
  const failure = async (path: string): Promise<unknown> => await open(path, clock, silent).then(async proxy => { await proxy.close() }, (error: unknown) => error)
  t.match(await failure(socketPath), new SocketPathError(`another process answers on ${socketPath}`))
  const other = join(await folder(t), 'other')
  await writeFile(other, 'precious')
  t.match(await failure(other), new SocketPathError(`${other} exists and is not a socket`))
  t.ok((await stat(other)).isFile(), 'it is left alone')
  t.match(await failure(join(other, 'x')), new SocketPathError(`cannot listen on ${join(other, 'x')}: there is no directory ${other}`))
  t.match(await failure('/nowhere/all.sock'), new SocketPathError('cannot listen on /nowhere/all.sock: there is no directory /nowhere'))
  // A file whose process died: made by a server that is closed without removing it.
  const stale = join(await folder(t), 'stale.sock')
  const server = createServer()
  await new Promise<void>(resolve => { server.listen(stale, resolve) })
  await chmod(stale, 0o600)
  await rename(stale, `${stale}.kept`)
  await new Promise<void>(resolve => { server.close(() => { resolve() }) })
  await rename(`${stale}.kept`, stale)
  t.equal(await failure(stale), undefined, 'it starts')
})
