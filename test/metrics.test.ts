// Every metric of the table moves: what an operator graphs is alive. Names come from the table, so a new metric without
// something here that moves it fails.
import { mkdir, readdir, rename, rm, truncate, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { request } from 'node:http'
import { connect } from 'node:net'
import t, { type Test } from 'tap'
import { ok } from '#core/result.js'
import { EVENTS_PATH } from '#rpc/contract.js'
import { metrics } from '#telemetry/metrics-table.js'
import { ask, startRig } from '#testkit/control-rig.js'
import { startKubeApi } from '#testkit/kube-api/start-kube-api.js'
import { AskingControl } from '#testkit/asking-control.js'
import { Pair } from '#testkit/director/pair.js'
import { ProxyAlone } from '#testkit/director/proxy-alone.js'
import { forTest } from '#testkit/for-test.js'
import { openFolder } from '#testkit/folder.js'
import { gameServerYaml } from '#testkit/objects/game-server.js'
import { resetPacket } from '#testkit/objects/reset-packet.js'
import { until } from '#testkit/patience.js'
import { StoreTwin } from '#testkit/store/store-twin.js'
import { openUdpPeer, type UdpPeer } from '#testkit/udp-peer.js'
import type { Token } from '#wire/token.js'
import { randomUUID } from 'node:crypto'

const moved = new Set<string>()

async function peer (t: Test): Promise<UdpPeer> {
  return await forTest(t, openUdpPeer())
}

/** Metric names whose text differs between two scrapes. */
class Watch {
  readonly #pair: Pick<Pair, 'metrics'>
  #last = new Map<string, string>()

  constructor (pair: Pick<Pair, 'metrics'>) {
    this.#pair = pair
  }

  async look (): Promise<string> {
    const text = await this.#pair.metrics()
    const now = new Map<string, string>()
    for (const line of text.split('\n').filter(line => line !== '' && !line.startsWith('#'))) {
      const at = line.lastIndexOf(' ')
      now.set(line.slice(0, at), line.slice(at + 1))
    }
    for (const [series, value] of now) {
      // A series with labels appears when it first counts something.
      const former = this.#last.get(series) ?? (this.#last.size > 0 ? '0' : value)
      if (former !== value) moved.add(series.replace(/\{.*/, '').replace(/_(bucket|sum|count)$/, ''))
    }
    this.#last = now
    return text
  }
}

const query = { resourceType: 'gameserver', namespace: 'games' }

void t.test('a director at work moves them', async t => {
  const server = await peer(t)
  const yaml = gameServerYaml('d', { game: server.port, voice: server.port })
  const pair = await forTest(t, Pair.open({
    config: `
sessionTimeoutSeconds: 1
namespaces: [games]
defaultEndpoint: {resourceType: gameserver, namespace: games}
limits: {warningsPerSecond: 1, maxTokens: 10000, receiveBufferBytes: 262144}`,
    inventory: { 'd.yaml': yaml }
  }))
  const watch = new Watch(pair)
  await watch.look()
  const port = pair.dataPorts['game']!
  const client = await peer(t)

  // Queries that succeed and fail; a token that is redeemed, one that is revoked.
  const { body } = await pair.public('POST', '/query', query)
  await pair.public('POST', '/query', { ...query, labelSelector: { no: 'such' } })
  await client.send((body as { token: string }).token, port)
  await client.send('data', port)
  const heard = await server.next()
  await server.send('reply', heard.port, heard.address)
  await client.next()
  const issue = async (): Promise<string> => await pair.tokenFor({ ports: { game: server.port }, ttlSeconds: 1 })
  await pair.admin('DELETE', `/tokens/${await issue()}`)
  await watch.look()

  // A reset, as often as it takes to come before the session times out; warnings beyond their limit; the time-out.
  await pair.until(async () => {
    await client.send('still here', port)
    await client.send(resetPacket(await issue()), port)
    return /udp_director_sessions_reset_total\{origin="token"\} [1-9]/.test(await watch.look())
  })
  for (let number = 0; number < 5; number++) await client.send(resetPacket(randomUUID()), port)
  await pair.until(async () => (await watch.look()).includes('udp_director_packets_dropped_total{direction="to_target",reason="token_forged"} 5'))
  // A token that nobody issued as a first datagram; it may go on to the default endpoint.
  await (await peer(t)).send(randomUUID(), port)
  await pair.until(async () => (await watch.look()).includes('udp_director_first_tokens_dead_total{reason="token_forged"} 1'))
  // By the proxy's own clock.
  await pair.until(async () => ((await pair.admin('GET', '/sessions')).body as { sessions: { idleSeconds: number }[] }).sessions.every(({ idleSeconds }) => idleSeconds > 1))
  const before = server.received.length
  await client.send('after the time-out', port)
  await pair.until(() => server.received.slice(before).some(({ bytes }) => bytes.toString() === 'after the time-out'))
  await watch.look()

  // A server that is gone while a session is on it.
  const other = join(pair.folder, 'inventory', 'gone.yaml')
  const gone = await peer(t)
  await writeFile(other, gameServerYaml('gone', { game: gone.port, voice: gone.port }, { labels: { only: 'this' } }))
  const isThere = async (): Promise<string | undefined> => ((await pair.public('POST', '/query', { ...query, labelSelector: { only: 'this' } })).body as { token?: string }).token
  await pair.until(async () => await isThere() !== undefined)
  await client.send((await isThere())!, port)
  await client.send('hello', port)
  await gone.next()
  await rm(other)
  await pair.until(async () => {
    await client.send('still there', port)
    return (await watch.look()).includes('udp_director_targets_gone_total{action="keep"} 1')
  })

  // The inventory breaks, is repaired, and changes.
  const file = join(pair.folder, 'inventory', 'd.yaml')
  await writeFile(file, `${yaml}\n  broken: [`)
  await pair.until(async () => (await watch.look()).includes('udp_director_inventory_reloads_total{outcome="fault"} 1'))
  t.match((await pair.public('POST', '/query', query)).status, 200, 'the last good content serves')
  await writeFile(file, yaml + gameServerYaml('e', { game: server.port, voice: server.port }))
  await pair.until(async () => /udp_director_default_targets 2/.test(await watch.look()))

  // More than the receive buffer holds, while the proxy does not run.
  pair.proxy.kill('SIGSTOP')
  await Promise.all(Array.from({ length: 200 }, async () => { await client.send(Buffer.alloc(9000), port) }))
  pair.proxy.kill('SIGCONT')
  await pair.until(async () => /udp_director_receive_drops_total{data_port="game"} [1-9]/.test(await watch.look()))

  // A reader of events that does not read.
  const stuck = request({ socketPath: join(pair.folder, 'proxy.sock'), path: EVENTS_PATH })
  stuck.on('error', () => {})
  const isCut = new Promise(resolve => { stuck.on('response', response => { response.pause().on('close', resolve).on('error', resolve) }) })
  stuck.end()
  const hello = await pair.rpc.call('hello', {})
  const epoch = hello.ok ? hello.value.epoch : 0
  const targets = ['one', 'two'].map(name => ({ key: `key/${name.repeat(150)}`, address: '127.0.0.1', ports: { game: server.port } }))
  const push = async (count: number, ttlMs: number): Promise<Token[]> => {
    const tokens = Array.from({ length: count }, () => randomUUID() as string as Token)
    await pair.rpc.call('pushTokens', { body: { epoch, revoked: [], tokens: tokens.map((token, index) => ({ token, ttlMs, target: targets[index % 2]! })) } })
    return tokens
  }
  const value = async (wanted: string): Promise<number> => await pair.sum(wanted)
  // Each token moves the session and makes two lines, most of a kilobyte; 4 MiB may wait, and what the kernel takes.
  for (let round = 0; round < 90 && await value('udp_director_events_dropped_total') === 0; round++) {
    for (const token of await push(100, 60_000)) await client.send(resetPacket(token), port)
  }
  stuck.destroy()
  await isCut
  await watch.look()

  // Tokens nobody redeems, until the table forgets them to make room.
  while (await value('udp_director_tokens_expired_total') === 0) await push(1000, 1)
  await watch.look()

  // The proxy goes and comes.
  pair.proxy.kill('SIGKILL')
  await pair.until(async () => (await watch.look()).includes('udp_director_proxy_up 0'))
  await pair.restartProxy()
  await watch.look()
})

void t.test('a cluster that talks nonsense moves those of its watches', async t => {
  const api = await startKubeApi()
  t.teardown(async () => { await api.close() })
  const kubeconfig = (await forTest(t, openFolder())).write('config', api.kubeconfig())
  const pair = await forTest(t, Pair.open({ config: `namespaces: [games]\ninventory: {provider: kubernetes, kubeconfig: ${kubeconfig}}` }))
  const watch = new Watch(pair)
  await watch.look()
  await api.watching()
  const metric = (name: string): string => `udp_director_inventory_${name} 1`

  api.store.create('gameservers', { metadata: { name: 'a', namespace: 'games' } })
  await pair.until(async () => (await watch.look()).includes(metric('events_total{outcome="applied"}')))
  api.watches()[0]!.raw('nonsense\n')
  await pair.until(async () => (await watch.look()).includes(metric('reloads_total{outcome="ok"}').replace(/1$/, '2')))
  const text = await watch.look()
  for (const name of ['bad_events_total{reason="bad_json"}', 'watch_ends_total{end="corrupt"}', 'relists_total{reason="corrupt"}', 'objects{resource_type="gameserver"}']) {
    t.ok(text.includes(metric(name)), name)
  }
})

void t.test('callers that are refused move those of the guards', async t => {
  const keysFile = (await forTest(t, openFolder())).write('keys', 'one-key-0123456789')
  const pair = await forTest(t, Pair.open({ config: `namespaces: [games]\nqueryAuth: {type: keys, keysFile: ${keysFile}}\nlimits: {maxConnections: 10}` }))
  const watch = new Watch(pair)
  await watch.look()
  t.equal((await pair.public('POST', '/query', query)).status, 401)
  await writeFile(keysFile, 'another-key-0123456789')
  await pair.until(async () => (await watch.look()).includes('udp_director_key_reads_total{listener="public",outcome="ok"} 2'))
  const sockets = Array.from({ length: 12 }, () => connect(pair.queryPort, '127.0.0.1').on('error', () => {}))
  t.teardown(() => { for (const socket of sockets) socket.destroy() })
  await pair.until(async () => /connections_refused_total\{listener="public"\} [1-9]/.test(await watch.look()))
})

void t.test('a director that drains', async t => {
  const server = await peer(t)
  const pair = await forTest(t, Pair.open({
    config: 'drainTimeoutSeconds: 600\nnamespaces: [games]\ndefaultEndpoint: {resourceType: gameserver, namespace: games}',
    inventory: { 'd.yaml': gameServerYaml('d', { game: server.port, voice: server.port }) }
  }))
  const watch = new Watch(pair)
  await watch.look()
  await (await peer(t)).send('hello', pair.dataPorts['game']!)
  await server.next()
  t.equal((await pair.public('POST', '/query', query)).status, 200)
  pair.control.kill('SIGTERM')
  await pair.until(async () => (await watch.look()).includes('udp_director_drain_sessions_left 1'))
  const text = await watch.look()
  for (const line of ['draining{process="control"} 1', 'draining{process="proxy"} 1', 'drain_tokens_left 1']) t.ok(text.includes(`udp_director_${line}\n`), line)
})

void t.test('a proxy that shares a store moves those of asks and of other replicas', async t => {
  const server = await peer(t)
  const proxy = await forTest(t, ProxyAlone.open({ dataPorts: { game: 0 }, settings: 'sharedState: {urls: ["valkey://127.0.0.1:6379"]}\nlimits: {storeDeadlineMs: 10000}' }))
  const control = await forTest(t, AskingControl.open(proxy.rpc, { epoch: 2 }))
  const client = await peer(t)
  const name = `127.0.0.1:${client.port}`
  await client.send('hello', proxy.dataPorts['game']!)
  const { id } = await control.nextAsked(1)
  t.equal(await proxy.sum('udp_director_held_datagrams'), 1)
  await control.answer({ id, verdict: 'followed', session: { client: name, target: { key: 'k', address: '127.0.0.1', ports: { game: server.port } }, idleMs: 0 } })
  await server.next()
  await proxy.rpc.call('tellElsewhere', { body: { epoch: 2, clients: [{ client: name, change: 'seen' }] } })
  t.equal(await proxy.sum('udp_director_asks_total', { of: 'follow', outcome: 'followed' }), 1)
  t.equal(await proxy.sum('udp_director_sessions_followed_total'), 1)
  t.equal(await proxy.sum('udp_director_sessions_seen_elsewhere_total'), 1)
  t.equal(await proxy.sum('udp_director_held_datagrams'), 0)
  for (const metric of ['asks_total', 'held_datagrams', 'sessions_followed_total', 'sessions_seen_elsewhere_total']) moved.add(`udp_director_${metric}`)
})

void t.test('a proxy that runs out of file descriptors says so, and serves whom it has', async t => {
  const server = await peer(t)
  const proxy = await forTest(t, ProxyAlone.open({
    maxOpenFiles: 200,
    dataPorts: { game: 0 },
    settings: 'limits: {newSessionsPerSecond: 0}',
    defaultTargets: [{ key: 'd', address: '127.0.0.1', ports: { game: server.port } }]
  }))
  const port = proxy.dataPorts['game']!
  const clients = await Promise.all(Array.from({ length: 250 }, async () => await peer(t)))
  for (const client of clients) await client.send('hello', port)
  let errors = 0
  await until(async () => {
    errors = await proxy.sum('udp_director_socket_errors_total')
    return errors > 0 && server.received.length + errors >= clients.length
  })
  moved.add('udp_director_socket_errors_total')
  await until(async () => await proxy.sum('udp_director_packets_dropped_total', { reason: 'send_failed' }) === errors, { what: 'each is a datagram that could not be sent' })
  t.equal(server.received.length + errors, clients.length, 'and the others arrived')
  await clients[0]!.send('still there?', port)
  await until(() => server.received.at(-1)!.bytes.toString() === 'still there?')
  t.pass('an established client goes on')
})

void t.test('a proxy that is killed finds its sessions again, or says that it cannot', async t => {
  const pair = await forTest(t, Pair.open())
  const watch = new Watch(pair)
  const server = await peer(t)
  const client = await peer(t)
  await client.send(await pair.tokenFor({ ports: { game: server.port } }), pair.dataPorts['game']!)
  await client.send('hello', pair.dataPorts['game']!)
  await server.next()
  await watch.look()
  pair.proxy.kill('SIGKILL')
  await pair.restartProxy()
  await pair.until(async () => (await watch.look()).includes('udp_director_sessions_restored 1'))
  pair.proxy.kill('SIGKILL')
  await pair.proxy.ended
  const log = (await readdir(pair.stateFolder)).find(name => /^proxy\.state\.0\.\d+$/.test(name))!
  await truncate(join(pair.stateFolder, log))
  await pair.restartProxy()
  await pair.until(async () => (await watch.look()).includes('udp_director_state_faults_total{operation="read"} 1'))
})

void t.test('a proxy whose state folder goes away says so until it is back', async t => {
  const { path: folder } = await forTest(t, openFolder())
  const [place, elsewhere] = [join(folder, 'state'), join(folder, 'elsewhere')]
  await mkdir(place)
  const pair = await forTest(t, Pair.open({ statePath: join(place, 'proxy.state') }))
  const watch = new Watch(pair)
  await pair.until(async () => (await watch.look()).includes('\nudp_director_state_behind 0\n'))
  await rename(place, elsewhere)
  await pair.until(async () => (await watch.look()).includes('\nudp_director_state_behind 1\n'))
  await rename(elsewhere, place)
  await pair.until(async () => (await watch.look()).includes('\nudp_director_state_behind 0\n'))
})

void t.test('a director that shares a store', async t => {
  let twin: StoreTwin | undefined
  const rig = await startRig(t, {
    openStore: clock => {
      const opened = twin = new StoreTwin({ clock, random: () => 0 })
      return async ({ replica, events, deadlineMs }) => await Promise.resolve(ok(opened.open(replica, events, deadlineMs)))
    }
  })
  const watch = new Watch({ metrics: async () => (await ask(rig.admin, 'GET', '/metrics')).text })
  await watch.look()
  const record = (fields: object): string => {
    const token = randomUUID()
    twin!.data.set(`ud1:t:{${token}}`, `- ${JSON.stringify({ v: 1, h: 'b', t: { key: 'k', address: '10.0.0.1', ports: { default: 80 } }, ...fields })}`, 60_000)
    return token
  }
  const tokens = [record({}), record({ v: 2 }), record({ t: { key: 'k', address: '169.254.169.254', ports: { default: 80 } } })]
  for (const [id, token] of tokens.entries()) rig.proxy.emit({ type: 'asked', id, client: '192.0.2.7:1', dataPort: 'default', token })
  await until(() => {
    rig.clock.advance(0)
    return rig.proxy.answers.length === tokens.length
  })
  const other = twin!.open('b', { onUp: () => undefined, onDown: () => undefined, onMessage: () => undefined, onNewerRecord: () => undefined, onCall: () => undefined }, 1000)
  t.teardown(async () => { await other.close() })
  other.start()
  await until(() => {
    rig.clock.advance(0)
    return other.status === 'up'
  })
  other.send(undefined, { type: 'counts', replica: 'b', sessions: {}, isAll: true })
  await until(async () => {
    rig.clock.advance(0)
    return (await watch.look()).includes('udp_director_replicas 2\n')
  })
  const text = await watch.look()
  for (const line of ['store_up 1', 'redeemed_elsewhere_total 1', 'store_newer_records_total 1', 'store_targets_refused_total 1', 'store_requests_total{op="claim",outcome="ok"} 3']) t.ok(text.includes(`udp_director_${line}\n`), line)
  twin!.goDown()
  t.match(await watch.look(), /udp_director_store_up 0\n[\s\S]*udp_director_replicas 1\n/)
})

void t.test('none is left out', t => {
  t.same(Object.keys(metrics).filter(name => !moved.has(name)), [], 'every metric of the table moved')
  t.end()
})
