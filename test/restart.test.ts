// The proxy killed and started again, on both engines and with several workers: clients and game servers go on as if
// nothing had happened. Whatever the state logs look like, the proxy starts.
import { readdir, readFile, stat, truncate, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import type { RpcReply, Session } from '#rpc/contract.js'
import { Pair } from '#testkit/director/pair.js'
import { gameServerYaml } from '#testkit/objects/game-server.js'
import { forTest } from '#testkit/for-test.js'
import { until } from '#testkit/patience.js'
import { openUdpPeer, type UdpPeer } from '#testkit/udp-peer.js'

const engines = {
  dgram: 'engine: dgram',
  batch: 'engine: batch\nworkers: 1',
  'batch with three workers': 'engine: batch\nworkers: 3'
} as const

interface Rig {
  readonly pair: Pair
  readonly servers: Readonly<Record<'a' | 'b', UdpPeer>>
  readonly peer: () => Promise<UdpPeer>
  readonly token: (map: string) => Promise<string>
  readonly send: (from: UdpPeer, bytes: string, port?: string) => Promise<void>
  readonly sessions: () => Promise<readonly Session[]>
  readonly sample: (name: string, labels?: Readonly<Record<string, string>>) => Promise<number>
}

async function setUp (t: Test, config: string): Promise<Rig> {
  const peer = async (): Promise<UdpPeer> => await forTest(t, openUdpPeer())
  const servers = { a: await peer(), b: await peer() }
  const yaml = (name: 'a' | 'b'): string => gameServerYaml(name, { game: servers[name].port, voice: servers[name].port }, { labels: { map: name } })
  const pair = await forTest(t, Pair.open({
    config: `namespaces: [games]\ndefaultEndpoint: {resourceType: gameserver, namespace: games, labelSelector: {map: a}}\n${config}`,
    inventory: { 'a.yaml': yaml('a'), 'b.yaml': yaml('b') }
  }))
  return {
    pair,
    servers,
    peer,
    token: async map => await pair.query({ labelSelector: { map } }),
    send: async (from, bytes, port = 'game') => { await from.send(bytes, pair.dataPorts[port]!) },
    sessions: async () => {
      const sessions: Session[] = []
      for (let cursor: number | undefined = 0; cursor !== undefined;) {
        const page: { ok: true, value: RpcReply<'listSessions'> } | { ok: false } = await pair.rpc.call('listSessions', { query: { cursor } })
        if (!page.ok) throw new Error('the proxy does not answer')
        sessions.push(...page.value.sessions)
        cursor = page.value.nextCursor
      }
      return sessions.sort((one, other) => one.client.localeCompare(other.client))
    },
    sample: async (name, labels) => await pair.sum(name, labels)
  }
}

// Counters are written from time to time, and only if one has changed: `tick` changes one. What the logs grow by may have been
// on its way already, twice at most, so the third time all counters of before are in them.
async function countersWritten ({ stateFolder }: Pair, tick: () => Promise<void>): Promise<void> {
  const bytes = async (): Promise<number> => {
    const logs = (await readdir(stateFolder)).filter(name => /^proxy\.state\.\d+\.\d+$/.test(name))
    return (await Promise.all(logs.map(async name => (await stat(join(stateFolder, name))).size))).reduce((sum, size) => sum + size, 0)
  }
  for (let round = 0; round < 3; round++) {
    const before = await bytes()
    await tick()
    await until(async () => await bytes() !== before, { what: 'counters in the state logs', mayFail: true })
  }
}

// What is written when it changes; the traffic of a session is not.
const lasting = ({ id, client, target, origin }: Session): object => ({ id, client, target, origin })

for (const [name, engine] of Object.entries(engines)) {
  void t.test(`killed and restarted: ${name}`, async t => {
    const { pair, servers, peer, token, send, sessions, sample } = await setUp(t, engine)
    const portOf = new Map<UdpPeer, number>()
    const clients: UdpPeer[] = []
    for (let index = 0; index < 12; index++) {
      const client = await peer()
      clients.push(client)
      if (index % 3 > 0) await send(client, await token('b'))
      await send(client, `first ${index}`)
      const { bytes, port } = await servers[index % 3 > 0 ? 'b' : 'a'].next()
      t.equal(bytes.toString(), `first ${index}`)
      portOf.set(client, port)
    }
    const voice = clients[1]!
    await send(voice, 'voice', 'voice')
    const { port: voicePort } = await servers.b.next()
    const [consumed, unredeemed] = [await token('b'), await token('b')]
    const redeemer = await peer()
    await send(redeemer, consumed)
    await pair.until(async () => (await sessions()).length === 13)
    const before = await sessions()
    const received = await sample('udp_director_packets_received_total', { direction: 'to_target' })
    const ports = pair.dataPorts
    await countersWritten(pair, async () => {
      await send(clients[0]!, 'tick')
      await servers.a.next()
    })

    pair.proxy.kill('SIGKILL')
    // Waits for its readers in the kernel, as anything does that arrives while nobody is there.
    await pair.restartProxy()

    t.same(pair.dataPorts, ports, 'data ports that the system chose are the same')
    t.same((await sessions()).map(lasting), before.map(lasting), 'every session is there')
    t.equal(await sample('udp_director_sessions_restored'), 13)
    t.ok(await sample('udp_director_packets_received_total', { direction: 'to_target' }) >= received, 'counters go on')
    t.ok(await sample('udp_director_state_bytes') > 0)

    // The game server speaks first, and to the port it knows.
    for (const [index, client] of clients.entries()) {
      const server = servers[index % 3 > 0 ? 'b' : 'a']
      await server.send(`news ${index}`, portOf.get(client)!)
      t.equal((await client.next()).bytes.toString(), `news ${index}`)
      await send(client, `second ${index}`)
      const { bytes, port } = await server.next()
      t.same([bytes.toString(), port], [`second ${index}`, portOf.get(client)])
    }
    await servers.b.send('spoken', voicePort)
    t.equal((await voice.next()).bytes.toString(), 'spoken', 'on the second data port as well')

    const thief = await peer()
    await send(thief, consumed)
    await send(thief, 'whose?')
    t.equal((await servers.a.next()).bytes.toString(), consumed, 'a redeemed token is nobody else\'s: data of a new client')
    t.equal((await servers.a.next()).bytes.toString(), 'whose?')
    await send(redeemer, consumed)
    await send(redeemer, 'mine')
    t.equal((await servers.b.next()).bytes.toString(), 'mine', 'its owner may repeat it')
    const late = await peer()
    await send(late, unredeemed)
    await send(late, 'late')
    t.equal((await servers.b.next()).bytes.toString(), 'late', 'one nobody had redeemed is good')
  })
}

void t.test('both processes killed', async t => {
  const { pair, servers, peer, token, send, sample } = await setUp(t, 'workers: 2\nbindClientIp: true')
  const [client, late] = [await peer(), await peer()]
  await send(client, await token('b'))
  await send(client, 'one')
  const { port } = await servers.b.next()
  const [unredeemed, redeemed] = [await token('b'), await token('b')]
  const redeemer = await peer()
  await send(redeemer, redeemed)
  await send(redeemer, 'redeemed')
  await servers.b.next()
  const bound = await pair.tokenFor({ ports: { game: servers.b.port }, clientIp: '192.0.2.1' })
  const refused = async (): Promise<number> => await sample('udp_director_packets_dropped_total', { reason: 'token_client' })
  await send(late, bound)
  await pair.until(async () => await refused() === 1)
  await countersWritten(pair, async () => {
    await send(redeemer, 'tick')
    await servers.b.next()
  })
  pair.control.kill('SIGKILL')
  pair.proxy.kill('SIGKILL')
  await pair.control.ended
  await pair.restartBoth()
  await send(late, bound)
  await pair.until(async () => await refused() === 2)
  await servers.b.send('still there?', port)
  t.equal((await client.next()).bytes.toString(), 'still there?')
  await send(late, unredeemed)
  await send(late, 'two')
  t.equal((await servers.b.next()).bytes.toString(), 'two', 'a token of the former control process')
  await send(late, redeemed)
  t.equal((await servers.b.next()).bytes.toString(), redeemed, 'a redeemed one is data, as for anybody else')
})

void t.test('another number of workers', async t => {
  const { pair, servers, peer, token, send, sessions } = await setUp(t, 'workers: 3')
  const clients: UdpPeer[] = []
  for (let index = 0; index < 10; index++) {
    const client = await peer()
    clients.push(client)
    await send(client, await token('b'))
    await send(client, `${index}`)
    await servers.b.next()
  }
  pair.proxy.kill('SIGKILL')
  pair.configure({ workers: 2 })
  await pair.restartProxy()
  t.equal((await sessions()).length, 10)
  for (const [index, client] of clients.entries()) {
    await send(client, `again ${index}`)
    t.equal((await servers.b.next()).bytes.toString(), `again ${index}`, 'found by the worker that the kernel gives it to')
  }
  t.equal(pair.proxy.log.filter(({ msg, moved }) => msg === 'State restored' && moved !== 0).length > 0, true, 'and said that ports changed')
})

const damages: ReadonlyArray<readonly [damage: string, apply: (file: string) => Promise<void>, message: string]> = [
  ['an empty file', async file => { await truncate(file, 0) }, 'State log set aside, what it held is lost'],
  ['of another version', async file => { await flip(file, 11) }, 'State log set aside, what it held is lost'],
  ['a bit flipped in the middle', async file => { await flip(file, Math.floor((await readFile(file)).length / 2)) }, 'State log set aside, what it held is lost'],
  ['cut off', async file => { await truncate(file, (await readFile(file)).length - 3) }, 'State log ends within a batch, the batches before it count']
]

async function flip (file: string, at: number): Promise<void> {
  const bytes = await readFile(file)
  bytes[at]! ^= 0x10
  await writeFile(file, bytes)
}

void t.test('a damaged state log is set aside and reported, and the proxy starts', async t => {
  const { pair, servers, peer, token, send, sample } = await setUp(t, 'workers: 1')
  for (const [damage, apply, message] of damages) {
    const client = await peer()
    await send(client, await token('b'))
    await send(client, damage)
    t.equal((await servers.b.next()).bytes.toString(), damage)
    pair.proxy.kill('SIGKILL')
    await pair.proxy.ended
    const file = (await readdir(pair.stateFolder)).find(name => /^proxy\.state\.0\.\d+$/.test(name))
    await apply(join(pair.stateFolder, file!))
    await pair.restartProxy()
    t.ok(pair.proxy.log.some(({ msg }) => msg === message), `${damage}: said`)
    t.equal(await sample('udp_director_state_faults_total', { operation: 'read' }), damage === 'cut off' ? 0 : 1)
    const left = (await readdir(pair.stateFolder)).filter(name => name.startsWith('proxy.state.'))
    t.equal(left.filter(name => /\.0\.\d+$/.test(name)).length, 1, 'one log is in use')
    const next = await peer()
    await send(next, await token('b'))
    await send(next, 'works')
    t.equal((await servers.b.next()).bytes.toString(), 'works')
  }
})
