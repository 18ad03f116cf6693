// The proxy on the batch engine with several workers: a client is always with the same one, a token is redeemed once
// whoever brings it, and what control asks is answered for all.
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { pino } from 'pino'
import type { Config } from '#config/schema.js'
import { configFrom } from '#testkit/config-from.js'
import { systemClock } from '#core/system-clock.js'
import { createRpcClient, type RpcClient } from '#rpc/client.js'
import type { RpcReply, Session, TokenGrant } from '#rpc/contract.js'
import type { Result } from '#core/result.js'
import { PATIENCE_MS, until } from '#testkit/patience.js'
import { hasIPv6, openUdpPeer, type UdpPeer } from '#testkit/udp-peer.js'
import { NoLibc, openLibc } from '../../src/engines/batch/system/libc.js'
import { systemPlatform } from '../../src/platform.js'
import { openProxy, type Proxy } from '../../src/proxy.js'
import type { ShardVoice } from '../../src/shards/journal/shard-voice.js'
import { systemEngines } from '../../src/shards/engine-kinds.js'
import { openShards, type OpenedShards } from '../../src/shards/open-shards.js'
import { tokenOf } from '../core/core-driver.js'

interface Rig {
  readonly proxy: Proxy
  readonly client: RpcClient
  readonly log: Record<string, unknown>[]
  readonly peer: (family?: 4 | 6) => Promise<UdpPeer>
  readonly grant: (name: string, server: UdpPeer) => TokenGrant
  readonly sample: (name: string, labels?: Readonly<Record<string, string>>) => Promise<number>
}

function configOf (lines: string): Config {
  return configFrom(`
bindAddress: "::"
dataPorts: [{name: game, port: 0}, {name: voice, port: 0}]
inventory: {provider: file, path: .}
${lines}`)
}

async function setUp (t: Test, lines: string): Promise<Rig> {
  const folder = await mkdtemp(join(tmpdir(), 'workers-'))
  const socketPath = join(folder, 'proxy.sock')
  const log: Rig['log'] = []
  const proxy = await openProxy({
    config: configOf(lines),
    log: pino({ level: 'debug' }, { write: line => { log.push(JSON.parse(line) as Record<string, unknown>) } }),
    platform: systemPlatform({ socketPath, statePath: undefined })
  })
  const client = createRpcClient({ socketPath, deadlineMs: PATIENCE_MS, maxInFlight: 20, clock: systemClock })
  t.teardown(async () => {
    await client.close()
    await proxy.close()
    await rm(folder, { recursive: true })
  })
  const peer = async (family: 4 | 6 = 4): Promise<UdpPeer> => {
    const opened = await openUdpPeer(family)
    t.teardown(opened.close)
    return opened
  }
  const grant = (name: string, { port }: UdpPeer): TokenGrant =>
    ({ token: tokenOf(name), ttlMs: 3_600_000, target: { key: `key/${name}`, address: '127.0.0.1', ports: { game: port, voice: port } } })
  const sample = async (name: string, labels: Readonly<Record<string, string>> = {}): Promise<number> => {
    const stats = await client.call('stats', {})
    if (!stats.ok) throw new Error(stats.error.message)
    return stats.value.samples
      .filter(candidate => candidate.name === name && Object.entries(labels).every(([label, value]) => candidate.labels[label] === value))
      .reduce((sum, { value }) => sum + value, 0)
  }
  return { proxy, client, log, peer, grant, sample }
}

const silent: ShardVoice = { log: () => {}, publish: () => {} }

/** Shards alone, of which nothing is kept. */
async function open (config: Config, voice = silent, libc = openLibc): Promise<OpenedShards> {
  return await openShards({
    config,
    clock: systemClock,
    random: Math.random,
    voice,
    engines: systemEngines(libc),
    ownAddresses: [],
    isTracing: false,
    former: undefined,
    run: 'run',
    openWriter: undefined,
    openStorage: undefined,
    onceShardsStart: () => {}
  })
}

async function sessionsOf (client: RpcClient): Promise<Session[]> {
  const sessions: Session[] = []
  let cursor: number | undefined = 0
  while (cursor !== undefined) {
    const page: Result<RpcReply<'listSessions'>, unknown> = await client.call('listSessions', { query: { cursor, limit: 5 } })
    if (!page.ok) throw new Error('the proxy does not answer')
    sessions.push(...page.value.sessions)
    cursor = page.value.nextCursor
  }
  return sessions
}

const game = ({ dataPorts }: Proxy): number => dataPorts[0]!.port
const voice = ({ dataPorts }: Proxy): number => dataPorts[1]!.port

void t.test('clients are spread over the workers, and each one is with the same worker on every data port', async t => {
  const { proxy, client, peer, grant, sample } = await setUp(t, 'workers: 3')
  t.match({ engine: proxy.engine, workers: proxy.workers }, { engine: 'batch', workers: 3 })
  const server = await peer()
  server.onDatagram(({ bytes, address, port }) => { void server.send(bytes, port, address) })
  const other = await hasIPv6() ? 6 : 4
  const players = await Promise.all(Array.from({ length: 24 }, async (_, index) => await peer(index % 2 === 0 ? 4 : other)))
  await client.call('putSnapshot', { body: { epoch: 1, revoked: [], tokens: players.map((_, index) => grant(`t${index}`, server)), defaultTargets: [] } })
  for (const [index, player] of players.entries()) {
    await player.send(tokenOf(`t${index}`), game(proxy))
    // Without the session of the first port this would be dropped: there is no default endpoint.
    await player.send(`voice of ${index}`, voice(proxy))
    const reply = await player.next()
    t.equal(`${reply.bytes.toString()} from ${reply.port}`, `voice of ${index} from ${voice(proxy)}`)
  }
  const sessions = await sessionsOf(client)
  t.equal(sessions.length, 24)
  const shards = new Map<string, number>()
  for (const { id } of sessions) {
    const shard = id.includes('.') ? id.slice(0, id.indexOf('.')) : '0'
    shards.set(shard, (shards.get(shard) ?? 0) + 1)
  }
  // 24 clients that are hashed at random all miss one of three workers in about 2 of 10,000 runs.
  t.same([...shards.keys()].sort(), ['0', '1', '2'], `spread: ${JSON.stringify([...shards])}`)
  t.equal(await sample('udp_director_sessions_active'), 24)
  // The answer may be here before what it answers is counted.
  await until(async () => await sample('udp_director_packets_proxied_total', { direction: 'to_target', data_port: 'voice' }) === 24)

  // Operations find the shard that has the session.
  for (const { id, client: address } of sessions) t.match(await client.call('getSession', { params: { id } }), { ok: true, value: { id, client: address } })
  t.match(await client.call('endSession', { params: { id: sessions[0]!.id } }), { ok: true })
  t.match(await client.call('getSession', { params: { id: sessions[0]!.id } }), { ok: false, error: { code: 'NOT_FOUND' } })
  for (const id of ['9.0-1', 'x', '.', '-1.0-1', '1.5.0-1']) t.match(await client.call('getSession', { params: { id } }), { ok: false, error: { code: 'NOT_FOUND' } }, id)
  const gone = await client.call('leaveTargets', { body: { epoch: 1, gone: [{ key: sessions[1]!.target.key }] } })
  t.match(gone, { ok: true, value: { sessions: { [sessions[1]!.target.key]: 1 } } }, 'kept, and counted over all')
})

void t.test('of several clients that bring one token at once, exactly one has it; a retransmission is still its own', async t => {
  const { proxy, client, peer, grant, sample } = await setUp(t, 'workers: 3')
  const server = await peer()
  const players = await Promise.all(Array.from({ length: 8 }, async () => await peer()))
  const rounds = 40
  await client.call('putSnapshot', { body: { epoch: 1, revoked: [], tokens: Array.from({ length: rounds }, (_, round) => grant(`r${round}`, server)), defaultTargets: [] } })
  for (let round = 0; round < rounds; round++) {
    await Promise.all(players.map(async player => { await player.send(tokenOf(`r${round}`), game(proxy)) }))
  }
  // A client that has a session and brings a token of another gets it forwarded, as any data.
  await until(async () => await sample('udp_director_packets_consumed_total') + await sample('udp_director_packets_dropped_total') +
    await sample('udp_director_packets_proxied_total', { direction: 'to_target' }) === rounds * players.length, { what: 'every datagram is accounted for' })
  t.equal(await sample('udp_director_packets_received_total', { direction: 'to_target' }), rounds * players.length)
  t.equal(await sample('udp_director_tokens_redeemed_total'), rounds, 'each token once')
})

void t.test('a token is redeemed once for each data port, by whatever worker', async t => {
  const { proxy, client, peer, grant, sample } = await setUp(t, 'workers: 3')
  const server = await peer()
  await client.call('putSnapshot', { body: { epoch: 1, revoked: [], tokens: [grant('a', server), { ...grant('b', server), consumed: ['game'] }], defaultTargets: [] } })
  const [first, second, thief] = [await peer(), await peer(), await peer()]
  await first.send(tokenOf('a'), game(proxy))
  await second.send(tokenOf('a'), voice(proxy))
  await until(async () => await sample('udp_director_tokens_redeemed_total') === 2)
  await thief.send(tokenOf('a'), voice(proxy))
  await thief.send(tokenOf('b'), game(proxy))
  await until(async () => await sample('udp_director_packets_dropped_total') === 2)
  t.equal(await sample('udp_director_sessions_active'), 2)
  // The same token granted again, as a snapshot after a reconnect does, does not come to life again.
  await client.call('putSnapshot', { body: { epoch: 2, revoked: [], tokens: [grant('a', server)], defaultTargets: [] } })
  await thief.send(tokenOf('a'), game(proxy))
  await until(async () => await sample('udp_director_packets_dropped_total') === 3)
  await client.call('pushTokens', { body: { epoch: 2, revoked: [], tokens: [grant('c', server)] } })
  await client.call('pushTokens', { body: { epoch: 2, revoked: [tokenOf('c')], tokens: [] } })
  await thief.send(tokenOf('c'), game(proxy))
  await until(async () => await sample('udp_director_packets_dropped_total') === 4)
  t.equal(await sample('udp_director_sessions_active'), 2)
})

void t.test('what the kernel drops because nobody reads in time is counted', async t => {
  const { proxy, client, peer, sample, log } = await setUp(t, 'workers: 1\nlimits: {receiveBufferBytes: 4096}')
  const server = await peer()
  await client.call('putSnapshot', { body: { epoch: 1, revoked: [], tokens: [], defaultTargets: [{ key: 'd', address: '127.0.0.1', ports: { game: server.port } }] } })
  t.ok(proxy.dataPorts[0]!.receiveBufferBytes < 20_000, `${proxy.dataPorts[0]!.receiveBufferBytes} bytes`)
  // Longer than the whole buffer: the kernel takes the first into an empty one, and then no second.
  const players = await Promise.all(Array.from({ length: 4 }, async () => await peer()))
  let sent = 0
  await until(async () => {
    await Promise.all(players.map(async player => { for (let number = 0; number < 20; number++) await player.send(Buffer.alloc(9000), game(proxy)) }))
    sent += players.length * 20
    return await sample('udp_director_receive_drops_total', { data_port: 'game' }) > 0
  })
  await until(async () => await sample('udp_director_receive_drops_total') + await sample('udp_director_packets_received_total', { direction: 'to_target' }) === sent)
  t.pass(`${sent} sent = received + dropped by the kernel`)
  t.same(log.filter(({ level }) => Number(level) > 40), [])
})

void t.test('where the system has no such calls, auto takes dgram and says why, and batch refuses', async t => {
  const said: string[] = []
  const voice = { log: (_: string, fields: object, message: string) => { said.push(`${message} ${JSON.stringify(fields)}`) }, publish: () => {} }
  const libc = async () => await Promise.reject(new NoLibc('the moon is not made of cheese'))
  const opened = await open(configOf('engine: auto'), voice, libc)
  t.equal(opened.engine, 'dgram')
  t.same(said, ['Engine is not available, using another one {"reason":"the moon is not made of cheese","engine":"dgram"}'])
  await opened.shards.close()
  await t.rejects(open(configOf('engine: batch'), voice, libc), new NoLibc('the moon is not made of cheese'))
  const real = await openLibc()
  const noSpread = { ...real, setsockopt: (...args: Parameters<typeof real.setsockopt>) => args[2] === 51 ? -1 : real.setsockopt(...args) }
  const narrowed = await open(configOf('workers: 3'), voice, async () => await Promise.resolve(noSpread))
  t.equal(narrowed.shards.count, 1)
  t.equal(said.at(-1), 'The kernel cannot spread clients over workers {"workers":1,"wanted":3}')
  await narrowed.shards.close()
})

void t.test('a port that is taken is told as such by every engine', async t => {
  const { proxy } = await setUp(t, 'workers: 2')
  const config = configOf('')
  const taken = { ...config, dataPorts: [{ ...config.dataPorts[0]!, port: game(proxy) }] }
  await t.rejects(open(taken),
    { code: 'EADDRINUSE', message: `data port "game": cannot bind UDP :: port ${game(proxy)} (EADDRINUSE)` })
})

void t.test('no other proxy is let into a data port that is in use, whatever either of them is like', async t => {
  const dual = await hasIPv6() ? ['::'] : []
  const ways = [...dual, '0.0.0.0', '127.0.0.1', ['127.0.0.2', '127.0.0.1']].flatMap(dataBindAddress => {
    const isEverywhere = dataBindAddress === '::' || dataBindAddress === '0.0.0.0'
    return ['workers: 3', ...isEverywhere ? ['engine: dgram', 'workers: 1'] : []].map(way => ({ ...configOf(way), dataBindAddress }))
  })
  for (const one of ways) {
    const first = await open(one)
    const [game, voice] = first.dataPorts
    for (const other of ways) {
      for (const ports of [[game!.port, 0], [0, voice!.port]]) {
        const dataPorts = other.dataPorts.map((spec, index) => ({ ...spec, port: ports[index]! }))
        await t.rejects(open({ ...other, dataPorts }), { code: 'EADDRINUSE' },
          `${one.engine} ${one.workers} on ${String(one.dataBindAddress)}, then ${other.engine} ${other.workers} on ${String(other.dataBindAddress)}`)
      }
    }
    await first.shards.close()
    const next = await open({ ...one, dataPorts: one.dataPorts.map((spec, index) => ({ ...spec, port: [game!.port, voice!.port][index]! })) })
    await next.shards.close()
  }
})

void t.test('of proxies that start on one data port at the same moment, one has it', async t => {
  const probe = await openUdpPeer()
  await probe.close()
  const config = configOf('workers: 3')
  const starting = Array.from({ length: 4 }, async () => await open({ ...config, dataPorts: [{ ...config.dataPorts[0]!, port: probe.port }] }))
  const opened = (await Promise.allSettled(starting)).map(outcome => {
    if (outcome.status === 'fulfilled') return outcome.value.shards
    t.match(outcome.reason as Error, { code: 'EADDRINUSE' })
    return undefined
  }).filter(shards => shards !== undefined)
  t.equal(opened.length, 1)
  for (const shards of opened) await shards.close()
})

void t.test('clients keep their workers when another proxy tries to have their port', async t => {
  const { proxy, client, peer, grant } = await setUp(t, 'workers: 3')
  const server = await peer()
  server.onDatagram(({ bytes, address, port }) => { void server.send(bytes, port, address) })
  const players = await Promise.all(Array.from({ length: 16 }, async () => await peer()))
  await client.call('putSnapshot', { body: { epoch: 1, revoked: [], tokens: players.map((_, index) => grant(`t${index}`, server)), defaultTargets: [] } })
  for (const [index, player] of players.entries()) {
    await player.send(tokenOf(`t${index}`), game(proxy))
    await player.send('before', game(proxy))
    t.equal((await player.next()).bytes.toString(), 'before')
  }
  const four = configOf('workers: 4')
  const config = { ...four, dataPorts: [{ ...four.dataPorts[0]!, port: game(proxy) }] }
  await t.rejects(open(config), { code: 'EADDRINUSE' })
  for (const player of players) {
    await player.send('after', game(proxy))
    t.equal((await player.next()).bytes.toString(), 'after')
  }
})
