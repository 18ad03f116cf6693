// Two directors behind one store, with real datagrams: on a real server where there is one, and on the twin of it everywhere.
import pino from 'pino'
import t, { type Test } from 'tap'
import { parseConfig } from '#config/load/load-config.js'
import { ok } from '#core/result.js'
import { systemClock } from '#core/system-clock.js'
import { configText } from '#testkit/director/config-text.js'
import { Pair } from '#testkit/director/pair.js'
import { ProxyAlone } from '#testkit/director/proxy-alone.js'
import { forTest } from '#testkit/for-test.js'
import { openFolder } from '#testkit/folder.js'
import { until } from '#testkit/patience.js'
import { startServer, withServer } from '#testkit/store/store-server.js'
import { StoreTwin } from '#testkit/store/store-twin.js'
import { openUdpPeer, type UdpPeer } from '#testkit/udp-peer.js'
import { openControl } from '../apps/control/src/control.js'
import { machinePlatform } from '../apps/control/src/platform.js'

/** What a test needs of one of them. */
interface Director {
  readonly port: number
  readonly tokenFor: (server: UdpPeer) => Promise<string>
  readonly sum: (metric: string, labels?: Readonly<Record<string, string>>) => Promise<number>
}

// A busy machine must not be a reason that nobody is answered.
const settings = (urls: string): string => `sharedState: {urls: ["${urls}"]}\nlimits: {storeDeadlineMs: 10000, asksPerSecond: 1000000, asksPerPrefix: 1000000}`

async function pairs (t: Test): Promise<[Pair, Pair]> {
  const { port } = await startServer(t)
  const open = async (): Promise<Pair> => await forTest(t, Pair.open({ config: settings(`redis://127.0.0.1:${port}`) }))
  return await Promise.all([open(), open()])
}

function directorOf (pair: Pair): Director {
  return {
    port: pair.dataPorts['game']!,
    tokenFor: async server => await pair.tokenFor({ ports: { game: server.port } }),
    sum: async (metric, labels) => await pair.sum(metric, labels)
  }
}

// Controls in this process, on the twin.
async function onTwin (t: Test): Promise<Director[]> {
  const twin = new StoreTwin({ clock: systemClock, random: Math.random })
  return await Promise.all(['a', 'b'].map(async replica => {
    const text = settings('valkey://twin:6379')
    const proxy = await forTest(t, ProxyAlone.open({ settings: text }))
    const folder = await forTest(t, openFolder())
    folder.makeFolder('inventory')
    const parsed = parseConfig(configText({ settings: text }), `${folder.path}/config.yaml`)
    if (!parsed.ok) throw new Error(JSON.stringify(parsed.error))
    const control = await openControl({
      config: parsed.value.config,
      platform: {
        ...machinePlatform({ socketPath: proxy.socketPath, clock: systemClock, random: Math.random }),
        openStore: async ({ replica, events, deadlineMs }) => await Promise.resolve(ok(twin.open(replica, events, deadlineMs))),
        replicaName: () => replica
      },
      log: pino({ level: 'silent' })
    })
    if (!control.ok) throw new Error(control.error)
    t.teardown(async () => { await control.value.close() })
    const { adminPort } = control.value.ports
    const api = `http://127.0.0.1:${adminPort}`
    await until(async () => (await fetch(`${api}/readyz`)).status === 200, { mayFail: true })
    return {
      port: proxy.dataPorts['game']!,
      tokenFor: async server => {
        const answer = await fetch(`${api}/tokens`, { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify({ address: '127.0.0.1', ports: { game: server.port } }) })
        return (await answer.json() as { token: string }).token
      },
      sum: async (metric, labels) => await proxy.sum(metric, labels)
    }
  }))
}

const stores = {
  'a real server': { only: withServer, open: async (t: Test): Promise<Director[]> => (await pairs(t)).map(directorOf) },
  'the twin': { only: {}, open: onTwin }
} as const

for (const [name, { only, open }] of Object.entries(stores)) {
  void t.test(`on ${name}: a token works at the other director`, only, async t => {
    const [a, b] = await open(t) as [Director, Director]
    const [server, client] = [await forTest(t, openUdpPeer()), await forTest(t, openUdpPeer())]
    await client.send(await a.tokenFor(server), b.port)
    await client.send('hello', b.port)
    const heard = await server.next()
    t.equal(heard.bytes.toString(), 'hello', 'data waits for what becomes of the token')
    await server.send('welcome', heard.port, heard.address)
    t.equal((await client.next()).bytes.toString(), 'welcome')
    await client.send(await b.tokenFor(server), a.port)
    await client.send('and back', a.port)
    t.equal((await server.next()).bytes.toString(), 'and back')
  })

  void t.test(`on ${name}: one token at both directors at once has one winner`, only, async t => {
    const rounds = 100
    const directors = await open(t) as [Director, Director]
    const [a, b] = directors
    const server = await forTest(t, openUdpPeer())
    for (let round = 0; round < rounds; round++) {
      const token = await (round % 2 === 0 ? a : b).tokenFor(server)
      // They stay open: a port that is used again is the same client again.
      const clients = [await forTest(t, openUdpPeer()), await forTest(t, openUdpPeer())] as const
      await Promise.all(clients.map(async (client, at) => {
        const { port } = directors[at]!
        await client.send(token, port)
        await client.send(`round ${round}`, port)
      }))
    }
    const all = async (metric: string, labels?: Readonly<Record<string, string>>): Promise<number> => await a.sum(metric, labels) + await b.sum(metric, labels)
    // Where there is no default endpoint, the loser's token is a first datagram that leads nowhere, and so is what follows it.
    await until(async () => await all('udp_director_tokens_redeemed_total') + await all('udp_director_first_tokens_dead_total') === 2 * rounds)
    t.equal(await all('udp_director_tokens_redeemed_total'), rounds)
    t.equal(await all('udp_director_first_tokens_dead_total', { reason: 'token_consumed' }), rounds)
    await until(() => server.received.length >= rounds)
    t.same(server.received.map(({ bytes }) => bytes.toString()).sort(), Array.from({ length: rounds }, (_, round) => `round ${round}`).sort())
  })
}

void t.test('what was redeemed while control was away is known at the other director once it is back', withServer, async t => {
  const [a, b] = await pairs(t)
  const [server, client, thief] = [await forTest(t, openUdpPeer()), await forTest(t, openUdpPeer()), await forTest(t, openUdpPeer())]
  const token = await a.tokenFor({ ports: { game: server.port } })
  const elsewhere = await b.tokenFor({ ports: { game: server.port } })
  a.control.kill('SIGKILL')
  await a.control.ended
  // The proxy has noticed when it says that nobody knows of a token of another director.
  await a.until(async () => {
    await thief.send(elsewhere, a.dataPorts['game']!)
    return await a.sum('udp_director_packets_dropped_total', { reason: 'store_late' }) > 0
  })
  await client.send(token, a.dataPorts['game']!)
  await client.send('hello', a.dataPorts['game']!)
  await server.next()
  await a.restartControl()
  // Control reads what it missed in its own time.
  await b.until(async () => {
    await thief.send(token, b.dataPorts['game']!)
    return await b.sum('udp_director_first_tokens_dead_total', { reason: 'token_consumed' }) > 0
  })
  t.equal(await b.sum('udp_director_tokens_redeemed_total'), 0)
})
