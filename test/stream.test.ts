// A client in full flow: a reset in mid-stream, and the death of control, as the client sees them.
import t, { type Test } from 'tap'
import { Pair } from '#testkit/director/pair.js'
import { forTest } from '#testkit/for-test.js'
import { resetPacket } from '#testkit/objects/reset-packet.js'
import { openUdpPeer, type UdpPeer } from '#testkit/udp-peer.js'

const DATAGRAMS_PER_SECOND = 1000
const WINDOW = 100

async function peer (t: Test): Promise<UdpPeer> {
  return await forTest(t, openUdpPeer())
}

async function openPair (t: Test): Promise<Pair> {
  return await forTest(t, Pair.open())
}

async function grant (pair: Pair, server: UdpPeer): Promise<string> {
  return await pair.tokenFor({ ports: { game: server.port } })
}

/**
 * Sends numbered datagrams at a steady pace until stopped; tells how many. `arrived` counts those a server has got:
 * never more than `WINDOW` are on their way, so that a machine that stalls a process does not overflow a kernel buffer
 * and have its own loss blamed on the director.
 */
function startStream (client: UdpPeer, port: number, arrived: () => number): { readonly sent: () => number, readonly stop: () => Promise<number> } {
  // eslint-disable-next-line no-restricted-syntax -- a pace, which nothing is measured by
  const started = performance.now()
  let sent = 0
  let pending = Promise.resolve()
  // eslint-disable-next-line no-restricted-syntax -- as above
  const timer = setInterval(() => {
    // eslint-disable-next-line no-restricted-syntax -- as above
    const due = Math.floor((performance.now() - started) * DATAGRAMS_PER_SECOND / 1000)
    while (sent < due && sent - arrived() < WINDOW) pending = client.send(String(sent++), port)
  }, 1)
  return {
    sent: () => sent,
    stop: async () => {
      clearInterval(timer)
      await pending
      return sent
    }
  }
}

const numbers = (from: number, to: number): number[] => Array.from({ length: to - from }, (_, index) => from + index)
const heardBy = (server: UdpPeer): number[] => server.received.map(({ bytes }) => Number(bytes.toString()))

void t.test('a reset at 1,000 datagrams a second loses and reorders nothing, and A is not heard after B', async t => {
  const pair = await openPair(t)
  const [a, b, client] = [await peer(t), await peer(t), await peer(t)]
  for (const [name, server] of [['a', a], ['b', b]] as const) {
    server.onDatagram(({ bytes, port, address }) => { void server.send(`${name}${bytes.toString()}`, port, address) })
  }
  const port = pair.dataPorts['game']!
  await client.send(await grant(pair, a), port)
  const stream = startStream(client, port, () => a.received.length + b.received.length)
  const resets: number[] = []
  // There and back, several times: an odd number of moves ends at B.
  for (const server of [b, a, b, a, b]) {
    const token = await grant(pair, server)
    const before = stream.sent()
    await pair.until(() => stream.sent() >= before + 300)
    resets.push(stream.sent())
    await client.send(resetPacket(token), port)
  }
  const afterReset = stream.sent()
  await pair.until(() => stream.sent() >= afterReset + 300)
  const sent = await stream.stop()
  await pair.until(() => a.received.length + b.received.length >= sent)
  const edges = [0, ...resets, sent]
  const expected = (first: number): number[] => edges.slice(0, -1).flatMap((from, index) => index % 2 === first ? numbers(from, edges[index + 1]!) : [])
  t.same(heardBy(a), expected(0), 'A heard exactly its part, in order')
  t.same(heardBy(b), expected(1), 'B heard exactly its part, in order')

  // Replies: each server's in order; and between two moves one server's only, in blocks that alternate.
  await pair.until(async () => await pair.sum('udp_director_packets_received_total', { direction: 'to_client' }) >= sent)
  const staleReplies = async (): Promise<number> => await pair.sum('udp_director_packets_dropped_total', { reason: 'stale_target' })
  await pair.until(async () => client.received.length + await staleReplies() >= sent)
  const replies = client.received.map(({ bytes }) => bytes.toString())
  const blocks = replies.reduce<string[]>((names, reply) => names.at(-1) === reply[0] ? names : [...names, reply[0]!], [])
  t.same(blocks, ['a', 'b', 'a', 'b', 'a', 'b'], 'after the first reply of the new target none of the former one comes')
  t.same(replies.map(reply => Number(reply.slice(1))), replies.map(reply => Number(reply.slice(1))).sort((one, other) => one - other), 'replies are in order')
  t.equal(replies.length + await staleReplies(), sent, 'every reply was delivered, or dropped as stale')
})

void t.test('kill -9 of control under traffic: sessions lose nothing, it comes back, earlier tokens still work', async t => {
  const pair = await openPair(t)
  const [a, b, client, late] = [await peer(t), await peer(t), await peer(t), await peer(t)]
  const port = pair.dataPorts['game']!
  await client.send(await grant(pair, a), port)
  const [unused, forReset, revoked] = [await grant(pair, b), await grant(pair, b), await grant(pair, b)]
  const stream = startStream(client, port, () => a.received.length + b.received.length)
  await pair.until(() => stream.sent() > 200)
  pair.control.kill('SIGKILL')
  t.equal(await pair.control.ended, 'SIGKILL')
  const atDeath = stream.sent()
  await late.send(unused, port)
  await late.send('while control is dead', port)
  t.equal((await b.next()).bytes.toString(), 'while control is dead', 'a token is redeemed without control')
  await pair.restartControl()
  await pair.until(() => stream.sent() > atDeath + 200)
  await client.send(resetPacket(forReset), port)
  const atReset = stream.sent()
  await pair.until(() => stream.sent() > atReset + 200)
  const sent = await stream.stop()
  await pair.until(() => a.received.length + b.received.length >= sent + 1)
  t.same([...heardBy(a), ...heardBy(b).slice(1)], numbers(0, sent), 'nothing is lost and nothing is out of order')
  t.match((await pair.admin('GET', '/sessions')).body, { total: 2 })
  t.match((await pair.admin('GET', '/readyz')), { status: 200 })
  t.equal((await pair.admin('DELETE', `/tokens/${revoked}`)).status, 404, 'the new control has not heard of a token of its predecessor, and makes it void all the same')
  await late.send(resetPacket(revoked), port)
  await pair.until(async () => await pair.sum('udp_director_packets_dropped_total', { reason: 'token_unknown' }) === 1)
  t.match((await pair.public('POST', '/query', { resourceType: 'gameserver', namespace: 'games' })).status, 403, 'and answers queries')
})

void t.test('a dead proxy: queries are answered 503 at once, and again with tokens when it is back', async t => {
  const pair = await openPair(t)
  const server = await peer(t)
  await grant(pair, server)
  pair.proxy.kill('SIGKILL')
  await pair.proxy.ended
  await pair.until(async () => (await pair.admin('GET', '/readyz')).status === 503)
  const refused = await pair.admin('POST', '/tokens', { address: '127.0.0.1', ports: { game: server.port } })
  t.equal(refused.status, 503)
  t.equal(refused.headers.get('retry-after'), '1')
  t.match(refused.body, { code: 'PROXY_UNAVAILABLE', status: 503 })
  t.match(await pair.metrics(), /^udp_director_proxy_up 0$/m)
  await pair.restartProxy()
  const client = await peer(t)
  await client.send(await grant(pair, server), pair.dataPorts['game']!)
  await client.send('back', pair.dataPorts['game']!)
  t.equal((await server.next()).bytes.toString(), 'back')
})
