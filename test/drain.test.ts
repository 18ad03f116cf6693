// The running pair while it drains: its sessions go on in both directions, nobody new comes in but with a token issued
// before, and it ends by itself when nothing is left, when its time is over, or at once on a second signal.
import t, { type Test } from 'tap'
import { Pair } from '#testkit/director/pair.js'
import { gameServerYaml } from '#testkit/objects/game-server.js'
import { forTest } from '#testkit/for-test.js'
import { openUdpPeer, type UdpPeer } from '#testkit/udp-peer.js'

interface Rig {
  readonly pair: Pair
  readonly server: UdpPeer
  readonly peer: () => Promise<UdpPeer>
  readonly token: () => Promise<string>
  readonly send: (from: UdpPeer, text: string) => Promise<void>
  /** A client whose session is established, by a token or on the default endpoint. */
  readonly player: (token?: string) => Promise<UdpPeer>
  /** Datagrams of this client reach the server, and its answers come back. */
  readonly plays: (client: UdpPeer) => Promise<void>
  readonly dropped: (reason: string) => Promise<number>
  readonly readyz: () => Promise<{ readonly status: number, readonly body: { readonly status: string, readonly drain: { readonly sessions?: number, readonly unredeemedTokens?: number, readonly secondsLeft: number } } }>
}

const query = { resourceType: 'gameserver', namespace: 'games' }

async function setUp (t: Test, config: string): Promise<Rig> {
  const peer = async (): Promise<UdpPeer> => await forTest(t, openUdpPeer())
  const server = await peer()
  server.onDatagram(({ bytes, address, port }) => { void server.send(`echo ${bytes.toString()}`, port, address) })
  const pair = await forTest(t, Pair.open({
    config: `${config}\nnamespaces: [games]\ndefaultEndpoint: {resourceType: gameserver, namespace: games}`,
    inventory: { 'd.yaml': gameServerYaml('d', { game: server.port, voice: server.port }) }
  }))
  const send: Rig['send'] = async (from, text) => { await from.send(text, pair.dataPorts['game']!) }
  let said = 0
  const plays: Rig['plays'] = async client => {
    const text = `word ${++said}`
    await send(client, text)
    t.equal((await client.next()).bytes.toString(), `echo ${text}`)
  }
  return {
    pair,
    server,
    peer,
    send,
    plays,
    token: async () => await pair.query(),
    player: async token => {
      const client = await peer()
      if (token !== undefined) await send(client, token)
      await plays(client)
      return client
    },
    dropped: async reason => await pair.sum('udp_director_packets_dropped_total', { reason, direction: 'to_target' }),
    readyz: async () => await pair.public('GET', '/readyz') as Awaited<ReturnType<Rig['readyz']>>
  }
}

const endSession = async ({ pair }: Rig, client: UdpPeer): Promise<void> => {
  const { body } = await pair.admin('GET', `/sessions?client=127.0.0.1:${client.port}`)
  const [session] = (body as { sessions: { id: string }[] }).sessions
  if ((await pair.admin('DELETE', `/sessions/${session!.id}`)).status !== 204) throw new Error('the session did not end')
}

// Without control, whose admin API is gone by then; how many there were.
async function endAll ({ rpc }: Pair): Promise<number> {
  let ended = 0
  for (let cursor: number | undefined = 0; cursor !== undefined;) {
    const page: Awaited<ReturnType<typeof rpc.call<'listSessions'>>> = await rpc.call('listSessions', { query: { cursor } })
    if (!page.ok) throw new Error(page.error.message)
    for (const { id } of page.value.sessions) await rpc.call('endSession', { params: { id } })
    ended += page.value.sessions.length
    cursor = page.value.nextCursor
  }
  return ended
}

for (const engine of ['dgram', 'auto']) {
  void t.test(`a pod that is stopped, engine ${engine}: control first, then the proxy, and nobody playing notices`, async t => {
    const rig = await setUp(t, `drainTimeoutSeconds: 600\nengine: ${engine}\nworkers: 2\nsessionTimeoutSeconds: 600`)
    const { pair, peer, token, send, player, plays, dropped, readyz } = rig
    const first = await player(await token())
    const [byDefault, early, late] = [await player(), await token(), await token()]

    pair.control.kill('SIGTERM')
    await pair.until(async () => (await readyz()).body.drain.sessions === 2)
    t.match(await readyz(), { status: 200, body: { status: 'draining', drain: { sessions: 2, unredeemedTokens: 2 } } })
    const seconds = (await readyz()).body.drain.secondsLeft
    t.ok(seconds <= 600 && seconds > 500, `${seconds} s left`)

    const refused = await pair.public('POST', '/query', query)
    t.match(refused, { status: 503, body: { code: 'DRAINING' } })
    t.equal(refused.headers.get('retry-after'), '1')
    t.equal(refused.headers.get('connection'), 'close')
    t.match(await pair.admin('POST', '/tokens', { address: '127.0.0.1', ports: { game: 1 } }), { status: 503, body: { code: 'DRAINING' } })

    const stranger = await peer()
    await send(stranger, 'hello')
    await pair.until(async () => await dropped('draining') === 1)
    const latecomer = await player(early)
    for (const client of [first, byDefault, latecomer, first]) await plays(client)
    await pair.until(async () => (await readyz()).body.drain.unredeemedTokens === 1)
    t.match((await pair.admin('GET', '/healthz')).body, { status: 'draining', proxy: { draining: true }, drain: { sessions: 3 } })
    const text = await pair.metrics()
    for (const line of ['draining{process="control"} 1', 'draining{process="proxy"} 1', 'drain_sessions_left 3', 'drain_tokens_left 1']) t.ok(text.includes(`udp_director_${line}\n`), line)

    // Control is killed, and the proxy asked to stop: it goes on by itself.
    pair.control.kill('SIGKILL')
    await pair.control.ended
    pair.proxy.kill('SIGTERM')
    await pair.proxy.line('Proxy stopping')
    await player(late)
    await plays(first)
    await send(stranger, 'hello again')
    await pair.until(async () => await dropped('draining') === 2)
    t.equal(await endAll(pair), 4)
    t.equal(await pair.proxy.ended, 0)
    t.match(pair.proxy.log.find(({ msg }) => msg === 'Proxy drained'), { outcome: 'empty', sessions: 0, unredeemedTokens: 0 })
    t.equal(pair.proxy.log.at(-1)!.msg, 'Proxy stopped')
  })
}

void t.test('control ends by itself with the last session; its successor ends the drain', async t => {
  const rig = await setUp(t, 'drainTimeoutSeconds: 600\nsessionTimeoutSeconds: 600')
  const { pair, player, plays, readyz } = rig
  const [one, other] = [await player(), await player()]
  pair.control.kill('SIGTERM')
  await pair.until(async () => (await readyz()).body.drain.sessions === 2)
  await endSession(rig, one)
  await pair.until(async () => (await readyz()).body.drain.sessions === 1)
  await plays(other)
  await endSession(rig, other)
  t.equal(await pair.control.ended, 0)
  t.match(pair.control.log.filter(({ msg }) => msg.startsWith('Control drain')), [{ drainTimeoutSeconds: 600 }, { msg: 'Control drained', outcome: 'empty', sessions: 0 }])
  t.equal(pair.control.log.at(-1)!.msg, 'Control stopped')

  const hello = await pair.rpc.call('hello', {})
  t.match(hello, { ok: true, value: { draining: true } }, 'nobody has said otherwise yet')
  await pair.restartControl()
  await plays(await player())
  t.match((await pair.admin('GET', '/healthz')).body, { status: 'ok', proxy: { draining: false } })
  t.ok(pair.proxy.log.some(({ msg }) => msg === 'Default endpoint takes new sessions again'))
})

void t.test('a session that is idle for too long is not waited for', async t => {
  const { pair, player } = await setUp(t, 'drainTimeoutSeconds: 600\nsessionTimeoutSeconds: 1')
  await player()
  pair.control.kill('SIGTERM')
  t.equal(await pair.control.ended, 0)
  t.match(pair.control.log.find(({ msg }) => msg === 'Control drained'), { outcome: 'empty' })
})

void t.test('when the time is over both end, and control\'s time is the proxy\'s', async t => {
  const { pair, player } = await setUp(t, 'drainTimeoutSeconds: 2\nsessionTimeoutSeconds: 600')
  await player()
  pair.control.kill('SIGTERM')
  t.equal(await pair.control.ended, 0)
  t.match(pair.control.log.find(({ msg }) => msg === 'Control drained'), { outcome: 'timeout', sessions: 1 })
  pair.proxy.kill('SIGTERM')
  t.equal(await pair.proxy.ended, 0)
  t.match(pair.proxy.log.find(({ msg }) => msg === 'Proxy drained'), { outcome: 'timeout' })
})

void t.test('a second signal ends each at once, with 1', async t => {
  const { pair, player, readyz } = await setUp(t, 'drainTimeoutSeconds: 600\nsessionTimeoutSeconds: 600')
  await player()
  pair.control.kill('SIGTERM')
  await pair.until(async () => (await readyz()).body.status === 'draining')
  pair.control.kill('SIGINT')
  t.equal(await pair.control.ended, 1)
  t.match(pair.control.stderr(), /^control: SIGINT came again, ending now\.\n$/)
  pair.proxy.kill('SIGINT')
  await pair.proxy.line('Proxy stopping')
  pair.proxy.kill('SIGTERM')
  t.equal(await pair.proxy.ended, 1)
  t.match(pair.proxy.stderr(), /^proxy: SIGTERM came again, ending now\.\n$/)
})

void t.test('a proxy that dies during the drain comes back into it', async t => {
  const { pair, player, token, plays, peer, send, dropped, readyz } = await setUp(t, 'drainTimeoutSeconds: 600\ntokenTtlSeconds: 600')
  await player()
  const early = await token()
  pair.control.kill('SIGTERM')
  await pair.until(async () => (await readyz()).body.drain.sessions === 1)
  pair.proxy.kill('SIGKILL')
  await pair.proxy.ended
  t.match(await readyz(), { status: 200, body: { status: 'draining', drain: { sessions: 1 } } }, 'as last heard')
  await pair.restartProxy()
  t.match(await pair.proxy.line('Default endpoint takes no new sessions'), { byControl: true })
  await pair.until(async () => {
    await send(await peer(), 'hello')
    return await dropped('draining') > 0
  })
  await plays(await player(early))
})
