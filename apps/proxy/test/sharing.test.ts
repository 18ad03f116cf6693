// The proxy where several directors share a store, on every engine and with several workers: what it asks control over the real calls,
// and what becomes of those who wait.
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { pino } from 'pino'
import { createRpcClient, type RpcClient } from '#rpc/client.js'
import type { RpcBody, RpcReply, TokenGrant } from '#rpc/contract.js'
import type { Binding } from '#rpc/replica-schemas.js'
import { systemClock } from '#core/system-clock.js'
import { AskingControl } from '#testkit/asking-control.js'
import { configFrom } from '#testkit/config-from.js'
import { sumOf } from '#testkit/director/samples.js'
import { forTest } from '#testkit/for-test.js'
import { openFolder } from '#testkit/folder.js'
import { markedToken } from '#testkit/objects/marked-token.js'
import { resetPacket } from '#testkit/objects/reset-packet.js'
import { PATIENCE_MS, until } from '#testkit/patience.js'
import { openUdpPeer, type UdpPeer } from '#testkit/udp-peer.js'
import { systemPlatform } from '../src/platform.js'
import { openProxy } from '../src/proxy.js'

const TTL_MS = 3_600_000

interface Rig {
  /** Done at the test's end in any case. */
  readonly close: () => Promise<void>
  readonly client: RpcClient
  readonly peer: () => Promise<UdpPeer>
  readonly sample: (name: string, labels?: Readonly<Record<string, string>>) => Promise<number>
  readonly game: number
  readonly voice: number
}

interface Place {
  readonly deadlineMs?: number
  /** Where what a proxy knows outlives it. */
  readonly folder?: string
  readonly ports?: { readonly game: number, readonly voice: number }
}

async function setUp (t: Test, lines: string, { deadlineMs = TTL_MS, folder, ports = { game: 0, voice: 0 } }: Place = {}): Promise<Rig> {
  const socketPath = join(folder ?? (await forTest(t, openFolder())).path, 'proxy.sock')
  const written = configFrom(`
bindAddress: 127.0.0.1
dataPorts: [{name: game, port: ${ports.game}}, {name: voice, port: ${ports.voice}}]
inventory: {provider: file, path: .}
sharedState: {urls: ["valkey://127.0.0.1:6379"]}
limits: {asksPerSecond: 100000, asksPerPrefix: 100000, amplificationFactor: 0, newSessionsPerSecond: 0}
blockedSourcePorts: []
${lines}`)
  // Longer than a file may say: on a busy machine nobody's time is over before a test says so.
  const config = { ...written, limits: { ...written.limits, storeDeadlineMs: deadlineMs } }
  const proxy = await openProxy({ config, log: pino({ level: 'silent' }), platform: systemPlatform({ socketPath, statePath: folder === undefined ? undefined : join(folder, 'proxy.state') }) })
  const client = createRpcClient({ socketPath, deadlineMs: PATIENCE_MS, maxInFlight: 50, clock: systemClock })
  let closing: Promise<void> | undefined
  const close = async (): Promise<void> => {
    closing ??= (async () => {
      await client.close()
      await proxy.close()
    })()
    await closing
  }
  t.teardown(close)
  return {
    close,
    client,
    peer: async () => await forTest(t, openUdpPeer()),
    sample: async (name, labels) => {
      const stats = await client.call('stats', {})
      if (!stats.ok) throw new Error(stats.error.message)
      return sumOf(stats.value.samples, name, labels)
    },
    game: proxy.dataPorts[0]!.port,
    voice: proxy.dataPorts[1]!.port
  }
}

function targetOf (server: UdpPeer): TokenGrant['target'] {
  return { key: `at/${server.port}`, address: '127.0.0.1', ports: { game: server.port, voice: server.port } }
}

function grantOf (name: string, server: UdpPeer): TokenGrant {
  return { token: markedToken(name), ttlMs: TTL_MS, target: targetOf(server) }
}

/** What a store would say: each token is redeemed by whoever comes first on each data port, and leads to `server`. */
function storeOf (server: UdpPeer): NonNullable<AskingControl['decide']> {
  const claims = new Map<string, string>()
  return ({ token, client, dataPort }) => {
    if (token === undefined) return { verdict: 'none' }
    const key = `${token} ${dataPort}`
    const owner = claims.get(key) ?? client
    claims.set(key, owner)
    return owner === client ? { verdict: 'live', grant: { token, ttlMs: TTL_MS, target: targetOf(server) } } : { verdict: 'refused', reason: 'consumed' }
  }
}

async function allBindings (client: RpcClient, query: { limit?: number, activeWithinMs?: number } = {}): Promise<Binding[]> {
  const bindings: Binding[] = []
  for (let cursor: number | undefined = 0; cursor !== undefined;) {
    const page: { ok: boolean, value?: RpcReply<'listBindings'> } = await client.call('listBindings', { query: { cursor, ...query } })
    if (page.value === undefined) throw new Error('no page')
    bindings.push(...page.value.bindings)
    cursor = page.value.nextCursor
  }
  return bindings
}

const addressOf = ({ port }: UdpPeer): string => `127.0.0.1:${port}`

for (const engine of ['engine: dgram', '{engine: batch, workers: 1}', '{engine: batch, workers: 3}']) {
  const lines = engine.replaceAll(/[{}]/g, '').replace(', ', '\n')

  void t.test(`${engine}: tokens that were made elsewhere are redeemed here, and what comes behind them arrives in its order`, async t => {
    const { client, peer, game, voice, sample } = await setUp(t, lines)
    const server = await peer()
    const control = await AskingControl.open(client, { epoch: 1, decide: storeOf(server) })
    const players = await Promise.all(Array.from({ length: 12 }, async () => await peer()))
    server.onDatagram(({ bytes, address, port }) => { void server.send(bytes, port, address) })
    await Promise.all(players.map(async (player, number) => {
      await player.send(markedToken(`token ${number}`), game)
      for (let datagram = 0; datagram < 8; datagram++) await player.send(`${datagram}`, game)
    }))
    for (const player of players) {
      for (let datagram = 0; datagram < 8; datagram++) t.equal((await player.next()).bytes.toString(), `${datagram}`)
    }
    t.equal(new Set(control.asked.map(({ id }) => id)).size, 12, 'one ask each')
    // The same token on the other data port, by another socket.
    const other = await peer()
    await other.send(markedToken('token 0'), voice)
    await other.send('hello', voice)
    t.equal((await other.next()).bytes.toString(), 'hello')
    // Somebody else's, in a session of their own: data, which their server gets.
    await other.send(markedToken('token 1'), game)
    t.equal((await other.next()).bytes.toString(), markedToken('token 1'))
    for (const player of players) t.match(await control.nextBinding(addressOf(player), 'established'), { target: targetOf(server), consumed: ['game'] })
    const bindings = await allBindings(client, { limit: 5 })
    t.same(bindings.map(({ client }) => client).sort(), [...players, other].map(addressOf).sort())
    const binding = bindings.find(({ client }) => client === addressOf(other))!
    t.equal(binding.token, markedToken('token 0'))
    t.ok(binding.consumed?.includes('voice'))
    t.equal(await sample('udp_director_asks_total', { of: 'token', outcome: 'live' }), 13)
    t.equal(await sample('udp_director_asks_total', { outcome: 'live' }), 13)
    await until(async () => await sample('udp_director_held_datagrams') === 0)
    // Ours by its mark or not: what nobody of ours made is asked about by nobody.
    await (await peer()).send(resetPacket(markedToken('forged', 'ff'.repeat(16))), game)
    await until(async () => await sample('udp_director_packets_dropped_total', { reason: 'token_forged' }) === 1)
    t.match(await client.call('putTokenKeys', { body: { epoch: 1, keys: ['ff'.repeat(16)] } }), { ok: true })
    await (await peer()).send(resetPacket(markedToken('forged', 'ff'.repeat(16))), game)
    await until(() => control.asked.some(({ token }) => token === markedToken('forged', 'ff'.repeat(16))))
  })

  void t.test(`${engine}: one token and many clients at the same moment: one has it, on each data port`, async t => {
    const { client, peer, game, voice, sample } = await setUp(t, lines)
    const server = await peer()
    await AskingControl.open(client, { epoch: 1, decide: storeOf(server) })
    const players = await Promise.all(Array.from({ length: 8 }, async () => await peer()))
    for (let round = 0; round < 5; round++) {
      await Promise.all(players.map(async (player, number) => { await player.send(resetPacket(markedToken(`round ${round}`)), number % 2 === 0 ? game : voice) }))
    }
    await until(async () => await sample('udp_director_asks_total') === 40)
    await until(async () => await sample('udp_director_packets_consumed_total') + await sample('udp_director_packets_dropped_total') === 40)
    t.equal(await sample('udp_director_tokens_redeemed_total', { data_port: 'game' }), 5)
    t.equal(await sample('udp_director_tokens_redeemed_total', { data_port: 'voice' }), 5)
  })

  void t.test(`${engine}: control goes away while clients wait, and comes back`, async t => {
    const { client, peer, game, sample } = await setUp(t, lines)
    const server = await peer()
    const lobby = await peer()
    const homes = Array.from({ length: 10 }, (_, number) => grantOf(`home ${number}`, server))
    const defaultTargets: RpcBody<'putSnapshot'>['defaultTargets'] = [targetOf(lobby)]
    const control = await AskingControl.open(client, { epoch: 1, tokens: homes, defaultTargets })
    const strangers = await Promise.all(Array.from({ length: 10 }, async () => await peer()))
    const owners = await Promise.all(homes.map(async () => await peer()))
    const others = await Promise.all(homes.map(async () => await peer()))
    for (const stranger of strangers) await stranger.send('hello', game)
    for (const [number, owner] of owners.entries()) {
      await owner.send(markedToken(`home ${number}`), game)
      await owner.send('data', game)
    }
    for (const [number, other] of others.entries()) await other.send(markedToken(`away ${number}`), game)
    await control.nextAsked(30)
    await until(async () => await sample('udp_director_held_datagrams') === 40)
    await control.close()
    for (let number = 0; number < 10; number++) t.equal((await server.next()).bytes.toString(), 'data', 'tokens of this director are redeemed')
    for (let number = 0; number < 10; number++) t.equal((await lobby.next()).bytes.toString(), 'hello', 'strangers go to the default endpoint')
    await until(async () => await sample('udp_director_packets_dropped_total', { reason: 'store_late' }) === 10)
    t.equal(await sample('udp_director_asks_total', { outcome: 'unheard' }), 30)
    // Nobody is asked now, and each token is used up for everybody else.
    for (const [number, other] of others.entries()) await other.send(resetPacket(markedToken(`home ${number}`)), game)
    await until(async () => await sample('udp_director_packets_dropped_total', { reason: 'token_consumed' }) === 10)
    t.equal(lobby.received.length, 10, 'a token of ours is never taken for data')
    const next = await AskingControl.open(client, { epoch: 2, defaultTargets, decide: storeOf(server) })
    for (const [number, other] of others.entries()) {
      await other.send(markedToken(`away ${number}`), game)
      await other.send('data', game)
    }
    for (let number = 0; number < 10; number++) t.equal((await server.next()).bytes.toString(), 'data')
    t.equal(next.asked.length, 10)
    t.equal(await sample('udp_director_held_datagrams'), 0)
  })

  void t.test(`${engine}: a token that an answer has redeemed is used up in every shard, also when nobody can be asked`, async t => {
    const { client, peer, game, sample } = await setUp(t, lines)
    const server = await peer()
    const tokens = Array.from({ length: 10 }, (_, number) => grantOf(`home ${number}`, server))
    const control = await AskingControl.open(client, { epoch: 1, tokens, decide: storeOf(server) })
    for (const { token } of tokens) {
      const owner = await peer()
      await owner.send(token, game)
      await control.nextBinding(addressOf(owner), 'established')
    }
    await control.close()
    const thieves = await Promise.all(Array.from({ length: 6 }, async () => await peer()))
    for (const { token } of tokens) for (const thief of thieves) await thief.send(resetPacket(token), game)
    await until(async () => await sample('udp_director_packets_dropped_total', { reason: 'token_consumed' }) === 60)
    t.equal(await sample('udp_director_tokens_redeemed_total'), 10)
  })

  void t.test(`${engine}: the next life of the proxy knows what answers gave: sessions, and what is used up`, async t => {
    const { path: folder } = await forTest(t, openFolder())
    const first = await setUp(t, lines, { folder })
    const { peer, game, voice } = first
    const server = await peer()
    const redeems = storeOf(server)
    const control = await AskingControl.open(first.client, { epoch: 1, decide: asked => asked.token === undefined ? { verdict: 'followed', session: { client: asked.client, target: targetOf(server), idleMs: 0 } } : redeems(asked) })
    const [owners, followers] = await Promise.all([1, 2].map(async () => await Promise.all(Array.from({ length: 6 }, async () => await peer()))))
    for (const [number, owner] of owners!.entries()) await owner.send(markedToken(`token ${number}`), game)
    for (const player of [...owners!, ...followers!]) {
      await player.send('before', game)
      t.equal((await server.next()).bytes.toString(), 'before')
    }
    await control.close()
    await first.close()
    const next = await setUp(t, lines, { folder, ports: { game, voice } })
    for (const player of [...owners!, ...followers!]) {
      await player.send('after', game)
      t.equal((await server.next()).bytes.toString(), 'after')
    }
    const origins = (await next.client.call('listSessions', { query: {} }).then(reply => reply.ok ? reply.value.sessions : [])).map(({ origin }) => origin)
    t.same(origins.sort(), [...owners!.map(() => 'token'), ...followers!.map(() => 'followed')].sort())
    const thieves = await Promise.all(Array.from({ length: 4 }, async () => await peer()))
    for (const thief of thieves) for (const number of owners!.keys()) await thief.send(resetPacket(markedToken(`token ${number}`)), game)
    await until(async () => await next.sample('udp_director_packets_dropped_total', { reason: 'token_consumed' }) === 24)
  })

  void t.test(`${engine}: no answer in time, and one that comes afterwards`, async t => {
    const { client, peer, game, sample } = await setUp(t, lines, { deadlineMs: 50 })
    const [server, lobby, player] = [await peer(), await peer(), await peer()]
    const control = await AskingControl.open(client, { epoch: 1, defaultTargets: [targetOf(lobby)], decide: ({ token }) => token === undefined ? { verdict: 'none' } : undefined })
    await player.send(markedToken('slow'), game)
    await player.send('behind', game)
    const { id, token = '' } = await control.nextAsked(1)
    // What was behind it goes on.
    t.equal((await lobby.next()).bytes.toString(), 'behind')
    await until(async () => await sample('udp_director_asks_total', { outcome: 'unanswered' }) === 1)
    t.equal(await control.answer({ id, verdict: 'live', grant: { token, ttlMs: TTL_MS, target: targetOf(server) } }), true, 'passed over')
    t.equal(await sample('udp_director_sessions_created_total', { origin: 'token' }), 0)
    // As a client does that hears nothing.
    control.decide = storeOf(server)
    await player.send(markedToken('slow'), game)
    await player.send('data', game)
    t.equal((await server.next()).bytes.toString(), 'data')
  })

  void t.test(`${engine}: clients that come from another replica, and those that have gone to one`, async t => {
    const { client, peer, game, sample } = await setUp(t, lines)
    const [server, next] = [await peer(), await peer()]
    const control = await AskingControl.open(client, { epoch: 1, decide: asked => ({ verdict: 'followed', session: { client: asked.client, target: targetOf(server), token: markedToken(asked.client), tokenTtlMs: 1000, idleMs: 0 } }) })
    const players = await Promise.all(Array.from({ length: 6 }, async () => await peer()))
    for (const player of players) await player.send('hello', game)
    for (let number = 0; number < 6; number++) t.equal((await server.next()).bytes.toString(), 'hello')
    for (const player of players) await control.nextBinding(addressOf(player), 'followed')
    t.equal(await sample('udp_director_sessions_followed_total'), 6)
    t.equal(await sample('udp_director_sessions_created_total', { origin: 'followed' }), 6)
    const [stays, moved, ended, seen] = players
    const tell = async (clients: RpcBody<'tellElsewhere'>['clients']): Promise<void> => { t.match(await client.call('tellElsewhere', { body: { epoch: 1, clients } }), { ok: true }) }
    await tell([
      { client: addressOf(moved!), change: 'moved', target: targetOf(next) },
      { client: addressOf(ended!), change: 'ended' },
      { client: addressOf(seen!), change: 'seen' },
      { client: '192.0.2.1:1', change: 'seen' },
      { client: 'nobody', change: 'ended' }
    ])
    await moved!.send('moved', game)
    t.equal((await next.next()).bytes.toString(), 'moved')
    await stays!.send('stays', game)
    t.equal((await server.next()).bytes.toString(), 'stays')
    t.equal(await sample('udp_director_sessions_ended_total', { cause: 'elsewhere' }), 1)
    t.equal(await sample('udp_director_sessions_seen_elsewhere_total'), 1)
    const bindings = new Map((await allBindings(client)).map(binding => [binding.client, binding]))
    t.equal(bindings.size, 5)
    t.ok(bindings.get(addressOf(seen!))!.idleMs > 200_000, 'it ends in half a minute, unless its client comes back')
    t.match(bindings.get(addressOf(moved!)), { target: targetOf(next) })
    t.equal(control.bindings.filter(({ change }) => change !== 'followed').length, 0, 'what others told is not told to them')
    t.match(await client.call('tellElsewhere', { body: { epoch: 0, clients: [] } }), { ok: false, error: { code: 'EPOCH_STALE' } })
    t.match(await client.call('answerAsks', { body: { epoch: 2, answers: [] } }), { ok: false, error: { code: 'NOT_READY' } })
    t.match(await client.call('putTokenKeys', { body: { epoch: 0, keys: ['0'.repeat(32)] } }), { ok: false, error: { code: 'EPOCH_STALE' } })
  })
}
