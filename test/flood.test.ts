// First datagrams from many addresses, far beyond the bounds, while clients with tokens go on: these lose nothing, the
// bounds hold, and every datagram that was shed is counted with its reason.
import { randomUUID } from 'node:crypto'
import t from 'tap'
import { Pair } from '#testkit/director/pair.js'
import { gameServerYaml } from '#testkit/objects/game-server.js'
import { forTest } from '#testkit/for-test.js'
import { openUdpPeer, openUdpSocket, type UdpPeer } from '#testkit/udp-peer.js'

const CLIENTS = 8
const STRANGERS = 500
/** Of each stranger. */
const DATAGRAMS = 2
/** Strangers at a time: what they send at once fits into any receive buffer. */
const GROUP = 25

interface Case {
  readonly config: string
  readonly hasDefault: boolean
  readonly payload: () => string
  /** Sessions that strangers get. */
  readonly defaultSessions: number
  /** Why all of the others' datagrams are dropped. */
  readonly reason: string
}

const batch = 'engine: batch\nworkers: 1'
const plain = { payload: () => 'hello', hasDefault: true } as const
const cases: Readonly<Record<string, Case>> = {
  'the session table is full': { ...plain, config: `${batch}\nlimits: {maxSessions: 100}`, defaultSessions: 100 - CLIENTS, reason: 'session_limit' },
  // The last eighth is for sessions with a token.
  'no upstream socket is left': { ...plain, config: `${batch}\nlimits: {maxUpstreamSockets: 16}`, defaultSessions: 14, reason: 'upstream_limit' },
  'there is no default endpoint': { ...plain, config: batch, hasDefault: false, defaultSessions: 0, reason: 'no_session' },
  'tokens are guessed': { config: `${batch}\nonInvalidToken: drop`, hasDefault: true, payload: randomUUID, defaultSessions: 0, reason: 'token_forged' }
}

/**
 * Sends its datagrams from an address of its own. Whoever comes from a local address with one of the director's ports is the
 * director to it (`source_port`), so all strangers use the port of a socket that is open here, on the data ports' address.
 */
async function stranger (number: number, from: number, payload: () => string, port: number): Promise<void> {
  const socket = await openUdpSocket(`127.99.${number >> 8}.${number & 0xff}`, from)
  for (let sent = 0; sent < DATAGRAMS; sent++) await new Promise<void>(resolve => { socket.send(payload(), port, '127.0.0.1', () => { resolve() }) })
  await new Promise<void>(resolve => { socket.close(resolve) })
}

for (const [name, { config, hasDefault, payload, defaultSessions, reason }] of Object.entries(cases)) {
  void t.test(`a flood: ${name}`, async t => {
    const opened = await Promise.all(Array.from({ length: CLIENTS + 3 }, async () => await forTest(t, openUdpPeer())))
    const [server, defaultServer, late, ...clients] = opened as [UdpPeer, UdpPeer, UdpPeer, ...UdpPeer[]]
    server.onDatagram(({ bytes, port, address }) => { void server.send(bytes, port, address) })
    const pair = await forTest(t, Pair.open({
      config: `namespaces: [games]\n${config}${hasDefault ? '\ndefaultEndpoint: {resourceType: gameserver, namespace: games}' : ''}`,
      inventory: hasDefault ? { 'a.yaml': gameServerYaml('a', { game: defaultServer.port, voice: defaultServer.port }) } : {}
    }))
    const port = pair.dataPorts['game']!
    const total = async (metric: string, labels: Readonly<Record<string, string>> = {}): Promise<number> => await pair.sum(`udp_director_${metric}`, labels)
    const toTarget = { direction: 'to_target' }
    const verdicts = async (): Promise<number> => await total('packets_proxied_total', toTarget) + await total('packets_consumed_total') + await total('packets_dropped_total', toTarget)
    const token = async (): Promise<string> => await pair.tokenFor({ ports: { game: server.port } })
    for (const client of clients) await client.send(await token(), port)
    await pair.until(async () => await total('sessions_active') === CLIENTS)
    // The servers of the clients and the default endpoint.
    await pair.until(async () => await total('targets_active') === (hasDefault ? 2 : 1))

    let sent = CLIENTS
    let round = 0
    for (let first = 0; first < STRANGERS; first += GROUP, round++) {
      const group = Array.from({ length: GROUP }, async (_, index) => { await stranger(first + index, late.port, payload, port) })
      await Promise.all([...group, ...clients.map(async client => { await client.send(`news ${round}`, port) })])
      sent += GROUP * DATAGRAMS + CLIENTS
      // A kernel buffer that overflows would be nobody's fault but this test's. Received is not done yet: of a batch that the
      // worker is at, some have no verdict.
      await pair.until(async () => await verdicts() + await total('receive_drops_total') === sent)
      const sessions = await total('sessions_active')
      if (sessions > CLIENTS + defaultSessions) t.fail(`${sessions} sessions`)
    }

    const flood = STRANGERS * DATAGRAMS
    await pair.until(() => server.received.length === CLIENTS * round && clients.every(({ received }) => received.length === round))
    const news = Array.from({ length: round }, (_, number) => `news ${number}`)
    for (const client of clients) t.same(client.received.map(({ bytes }) => bytes.toString()), news, 'a client with a token loses nothing, there and back')
    t.equal(await total('sessions_active'), CLIENTS + defaultSessions, 'strangers have what the bound leaves them')
    t.equal(await total('table_entries', { table: 'default_sessions' }), defaultSessions)
    await pair.until(() => defaultServer.received.length === defaultSessions * DATAGRAMS)
    t.equal(await total('packets_dropped_total', { ...toTarget, reason }), flood - defaultSessions * DATAGRAMS, 'what was shed is counted with its reason')
    t.equal(await total('packets_dropped_total', toTarget), flood - defaultSessions * DATAGRAMS, 'and with no other')
    t.equal(await total('packets_proxied_total', toTarget), CLIENTS * round + defaultSessions * DATAGRAMS)
    t.equal(await total('packets_consumed_total'), CLIENTS)
    t.equal(await total('receive_drops_total'), 0)

    await late.send(await token(), port)
    await late.send('and me', port)
    t.equal((await late.next()).bytes.toString(), 'and me', 'who comes with a token is let in even now')
  })
}
