// What every engine must do with datagrams that wait for an answer: all of them leave, in their order, and not before what they
// depend on is written. The core decides; here are real sockets, and the hosts that ship.
import type { Test } from 'tap'
import type { Answer, Asked } from '#rpc/replica-schemas.js'
import { controlPacket } from '#wire/control-packet.js'
import type { CoreChanges } from '#testkit/core-options.js'
import { markedToken, TOKEN_KEY } from '#testkit/objects/marked-token.js'
import { until } from '#testkit/patience.js'
import { hasIPv6, type UdpPeer } from '#testkit/udp-peer.js'
import { Direction } from '../../src/core/ledger/counters.js'
import { DropReason } from '../../src/core/ledger/drop-reason.js'
import type { EngineOptions } from '../../src/engines/engine.js'
import { magic } from '../core/core-driver.js'
import { openRig, savedSessions, settled, type Rig } from './conformance.js'
import type { OpenHere } from './open-here.js'

/** Strangers are not asked about. */
const notFollowing = { sharing: { follow: false, firstAskId: 0, askIdStep: 1 } } as const

const NEVER_MS = 3_600_000

interface SharedRig extends Rig {
  /** What was asked so far. */
  readonly asked: readonly Asked[]
  /** Waits until so many were asked, and returns the last of them. */
  readonly nextAsked: (count: number) => Promise<Asked>
  readonly answer: (...answers: Answer[]) => Promise<void>
  /** An answer to `ask` that its token leads to these servers. */
  readonly live: (ask: Asked, servers: readonly UdpPeer[], address?: string) => Answer
}

/** A shard that shares a store, with control listening; nobody's time is over unless a test says when. */
export async function openShared (t: Test, open: OpenHere, bindAddress = '127.0.0.1', { limits, ...changes }: CoreChanges = {}, engine: Partial<EngineOptions> = {}): Promise<SharedRig> {
  const rig = await openRig(t, open, bindAddress, { sharing: { follow: true, firstAskId: 0, askIdStep: 1 }, ...changes, limits: { storeDeadlineMs: NEVER_MS, ...limits } }, engine)
  const asked = (): Asked[] => rig.events.filter(event => event.type === 'asked')
  await rig.call('setEventKinds', ['asked', 'binding'])
  await rig.call('setTokenKeys', [TOKEN_KEY])
  await rig.call('openAsks', true)
  return {
    ...rig,
    get asked () { return asked() },
    nextAsked: async count => {
      await until(() => asked().length >= count, { what: () => `${asked().length} of ${count} asks` })
      return asked()[count - 1]!
    },
    answer: async (...answers) => { await rig.call('answerAsks', answers) },
    live: ({ id, token = '' }, servers, address = '127.0.0.1') => ({ id, verdict: 'live', grant: { token, ttlMs: NEVER_MS, target: targetOf(servers, address) } })
  }
}

function targetOf (servers: readonly UdpPeer[], address = '127.0.0.1'): { key: string, address: string, ports: Record<string, number> } {
  const [game, voice] = servers
  return { key: `at ${game!.port}`, address, ports: { game: game!.port, ...voice === undefined ? {} : { voice: voice.port } } }
}

async function textsOf (server: UdpPeer, count: number): Promise<string[]> {
  const texts: string[] = []
  while (texts.length < count) texts.push((await server.next()).bytes.toString())
  return texts
}

const numbered = (count: number, from = 0): string[] => Array.from({ length: count }, (_, number) => `data ${from + number}`)

/** @param open an engine to whose sends the system says that its queue is full */
export async function heldWhileFull (t: Test, open: OpenHere, engine: Partial<EngineOptions> = {}): Promise<void> {
  const { core, port, peer, nextAsked, answer, live } = await openShared(t, open, '127.0.0.1', {}, engine)
  const [server, client] = [await peer(), await peer()]
  for (const bytes of [markedToken('full'), ...numbered(3)]) await client.send(bytes, port(0))
  const ask = await nextAsked(1)
  await until(() => core.asks.heldCount === 4)
  await answer(live(ask, [server]))
  await settled(core, Direction.toTarget, 4)
  t.equal(core.state.counters.dropped[DropReason.sendQueueFull], 3)
  t.equal(core.asks.heldCount, 0)
  t.equal(core.state.sessions.size, 1, 'the session is there, and what comes next may find room')
}

export function heldConformance (t: Test, open: OpenHere): void {
  for (const [bindAddress, clientFamily, targetFamily] of [['127.0.0.1', 4, 4], ['::', 6, 6], ['::', 6, 4], ['::', 4, 6]] as const) {
    void t.test(`bound to ${bindAddress}, an IPv${clientFamily} client whose token is asked about, and an IPv${targetFamily} target: what was sent behind the token arrives, in its order`, async t => {
      if ((clientFamily === 6 || targetFamily === 6) && !await hasIPv6()) {
        t.comment('this machine has no IPv6: not run')
        return
      }
      const { core, port, peer, nextAsked, answer, live, storage } = await openShared(t, open, bindAddress)
      const [server, client] = [await peer(targetFamily), await peer(clientFamily)]
      const token = markedToken('elsewhere')
      for (const bytes of [token, ...numbered(5)]) await client.send(bytes, port(0))
      const ask = await nextAsked(1)
      t.match(ask, { type: 'asked', client: `${clientFamily === 4 ? '127.0.0.1' : '[::1]'}:${client.port}`, dataPort: 'game', token })
      await until(() => core.asks.heldCount === 6)
      t.equal(server.received.length, 0)
      t.equal(core.state.counters.inFlight(Direction.toTarget), 6, 'held is in flight')
      await answer(live(ask, [server], targetFamily === 4 ? '127.0.0.1' : '::1'))
      const heard = await server.next()
      t.equal(savedSessions(storage), 1, 'a kill after the target has heard from the client finds the session')
      t.same([heard.bytes.toString(), ...await textsOf(server, 4)], numbered(5))
      await client.send('after', port(0))
      t.same(await textsOf(server, 1), ['after'])
      await server.send('reply', heard.port, heard.address)
      t.equal((await client.next()).bytes.toString(), 'reply')
      await settled(core, Direction.toTarget, 7)
      t.equal(core.asks.heldCount, 0)
    })
  }

  void t.test('a reset by a token that is asked about: nothing sent behind it reaches the former server', async t => {
    const { core, port, peer, nextAsked, answer, live } = await openShared(t, open)
    const [former, next, client] = [await peer(), await peer(), await peer()]
    await client.send(markedToken('first'), port(0))
    await answer(live(await nextAsked(1), [former]))
    await client.send('before', port(0))
    t.same(await textsOf(former, 1), ['before'])
    await client.send(controlPacket(magic, markedToken('second')), port(0))
    for (const bytes of numbered(3)) await client.send(bytes, port(0))
    const ask = await nextAsked(2)
    await until(() => core.asks.heldCount === 4)
    await answer(live(ask, [next]))
    t.same(await textsOf(next, 3), numbered(3))
    t.equal(former.received.length, 1)
  })

  void t.test('what the answer changed is written before any of what was held leaves', async t => {
    let writes = 0
    const { core, port, peer, nextAsked, answer, live } = await openShared(t, open, '127.0.0.1', {}, { beforeSend: () => { writes++ } })
    const [server, client] = [await peer(), await peer()]
    for (const bytes of [markedToken('written'), ...numbered(2)]) await client.send(bytes, port(0))
    const ask = await nextAsked(1)
    await until(() => core.asks.heldCount === 3)
    const before = writes
    await answer(live(ask, [server]))
    t.same(await textsOf(server, 2), numbered(2))
    t.ok(writes > before, 'the engine says so before it sends')
  })

  void t.test('what is sent while the answer comes overtakes nothing', async t => {
    const { core, port, peer, nextAsked, answer, live } = await openShared(t, open, '127.0.0.1', { limits: { maxSessions: 1000 } })
    const server = await peer()
    for (let round = 1; round <= 10; round++) {
      const client = await peer()
      await client.send(markedToken(`round ${round}`), port(0))
      const ask = await nextAsked(round)
      const sending = (async () => { for (const bytes of numbered(40)) await client.send(bytes, port(0)) })()
      await until(() => core.asks.heldCount > round)
      await answer(live(ask, [server]))
      await sending
      const texts = await textsOf(server, 15)
      await client.send('last', port(0))
      while (texts.at(-1) !== 'last') texts.push(...await textsOf(server, 1))
      // Of those behind the sixteenth that was held, some may be dropped.
      t.same(texts.slice(0, -1), numbered(40).filter(text => texts.includes(text)), `round ${round}`)
    }
    await settled(core, Direction.toTarget, 10 * 42)
  })

  void t.test('more than an engine sends in one go, and of every size: each arrives', async t => {
    const { core, port, peer, nextAsked, answer, live } = await openShared(t, open)
    const server = await peer()
    const clients = await Promise.all(Array.from({ length: 20 }, async () => await peer()))
    for (const [index, client] of clients.entries()) {
      await client.send(markedToken(`client ${index}`), port(0))
      await nextAsked(index + 1)
      for (let number = 0; number < 15; number++) await client.send(Buffer.alloc(number * 90 + 4, (index * 15 + number) % 240), port(0))
      await until(() => core.asks.heldCount === (index + 1) * 16)
    }
    const asks = await Promise.all(clients.map(async (_, index) => await nextAsked(index + 1)))
    await answer(...asks.map(ask => live(ask, [server])))
    const places = new Map(asks.map(() => [0, 0]))
    for (let count = 0; count < 300; count++) {
      const { bytes, port: from } = await server.next()
      const number = places.get(from) ?? 0
      places.set(from, number + 1)
      t.equal(bytes.length, number * 90 + 4)
      if (bytes.some(byte => byte !== bytes[0]) || bytes[0]! % 15 !== number) t.fail(`datagram ${number} from port ${from} has other bytes`)
    }
    await settled(core, Direction.toTarget, 320)
  })

  void t.test('both data ports of one client: one order, each to its own port of the server', async t => {
    const { core, port, peer, nextAsked, answer, live } = await openShared(t, open)
    const [game, voice, client] = [await peer(), await peer(), await peer()]
    const order: string[] = []
    for (const server of [game, voice]) server.onDatagram(({ bytes }) => { order.push(bytes.toString()) })
    await client.send(markedToken('both'), port(0))
    const ask = await nextAsked(1)
    for (const [number, bytes] of numbered(6).entries()) {
      await client.send(bytes, port(number % 2))
      await until(() => core.asks.heldCount === number + 2)
    }
    await answer(live(ask, [game, voice]))
    await until(() => order.length === 6)
    t.same(game.received.map(({ bytes }) => bytes.toString()), ['data 0', 'data 2', 'data 4'])
    t.same(voice.received.map(({ bytes }) => bytes.toString()), ['data 1', 'data 3', 'data 5'])
  })

  void t.test('a token that is refused, and its data, go to the default endpoint in their order', async t => {
    const { core, port, peer, nextAsked, answer } = await openShared(t, open, '127.0.0.1', notFollowing)
    const [server, client] = [await peer(), await peer()]
    core.operations.setDefaultTargets([{ key: 'lobby', address: '127.0.0.1', ports: [server.port, 0] }])
    const token = markedToken('used up')
    for (const bytes of [token, ...numbered(2)]) await client.send(bytes, port(0))
    const { id } = await nextAsked(1)
    await until(() => core.asks.heldCount === 3)
    await answer({ id, verdict: 'refused', reason: 'consumed' })
    t.same(await textsOf(server, 3), [token, ...numbered(2)])
    await settled(core, Direction.toTarget, 3)
  })

  void t.test('a stranger\'s data is asked about and goes on with the session that it has elsewhere', async t => {
    const { core, port, peer, nextAsked, answer, events } = await openShared(t, open)
    const [server, client] = [await peer(), await peer()]
    for (const bytes of numbered(3)) await client.send(bytes, port(0))
    const ask = await nextAsked(1)
    t.notOk('token' in ask)
    await until(() => core.asks.heldCount === 3)
    const session = { client: ask.client, target: targetOf([server]), idleMs: 5 }
    await answer({ id: ask.id, verdict: 'followed', session })
    t.same(await textsOf(server, 3), numbered(3))
    t.match(events.at(-1), { type: 'binding', change: 'followed', binding: { client: ask.client, target: session.target } })
    t.equal(core.operations.viewOf(0, 0).origin, 'followed')
  })

  void t.test('an answer that says that nobody knows, and none at all: only what was asked about is dropped', async t => {
    const { core, port, peer, nextAsked, answer } = await openShared(t, open, '127.0.0.1', notFollowing)
    const [server, client] = [await peer(), await peer()]
    core.operations.setDefaultTargets([{ key: 'lobby', address: '127.0.0.1', ports: [server.port, 0] }])
    for (const bytes of [markedToken('late'), ...numbered(2)]) await client.send(bytes, port(0))
    const { id } = await nextAsked(1)
    await until(() => core.asks.heldCount === 3)
    await answer({ id, verdict: 'late' }, { id, verdict: 'late' })
    t.same(await textsOf(server, 2), numbered(2))
    await settled(core, Direction.toTarget, 3)
    t.equal(core.state.counters.dropped[DropReason.storeLate], 1)
  })

  void t.test('when their time is over, those who wait go on though nothing comes in', async t => {
    const { core, port, peer, nextAsked } = await openShared(t, open, '127.0.0.1', { ...notFollowing, limits: { storeDeadlineMs: 30 } })
    const [server, client] = [await peer(), await peer()]
    core.operations.setDefaultTargets([{ key: 'lobby', address: '127.0.0.1', ports: [server.port, 0] }])
    for (const round of [1, 2]) {
      await client.send(markedToken(`round ${round}`), port(0))
      await nextAsked(round)
      await until(() => core.state.counters.dropped[DropReason.storeLate] === round)
      t.equal(core.asks.heldCount, 0)
    }
    t.equal(server.received.length, 0)
  })

  void t.test('when control goes away, everybody who waits goes on at once, however many they are', async t => {
    const { core, port, peer, nextAsked, call } = await openShared(t, open)
    const server = await peer()
    core.operations.setDefaultTargets([{ key: 'lobby', address: '127.0.0.1', ports: [server.port, 0] }])
    const clients = await Promise.all(Array.from({ length: 40 }, async () => await peer()))
    for (const client of clients) await client.send('hello', port(0))
    await nextAsked(40)
    await call('openAsks', false)
    t.same(await textsOf(server, 40), Array.from({ length: 40 }, () => 'hello'))
    await clients[0]!.send(markedToken('unknown'), port(0))
    await until(() => core.state.counters.dropped[DropReason.storeLate] === 1)
    await settled(core, Direction.toTarget, 41)
  })

  void t.test('a drain that begins while a stranger waits', async t => {
    const { core, port, peer, nextAsked, answer, call } = await openShared(t, open)
    const [server, client] = [await peer(), await peer()]
    core.operations.setDefaultTargets([{ key: 'lobby', address: '127.0.0.1', ports: [server.port, 0] }])
    await client.send('hello', port(0))
    const { id } = await nextAsked(1)
    await call('setDraining', true)
    await answer({ id, verdict: 'none' })
    await settled(core, Direction.toTarget, 1)
    t.equal(core.state.counters.dropped[DropReason.draining], 1)
    t.equal(server.received.length, 0)
  })

  void t.test('a target that no datagram can be sent to costs what was held and nothing else', async t => {
    const { core, port, peer, nextAsked, answer } = await openShared(t, open, '127.0.0.1', notFollowing)
    const client = await peer()
    for (const bytes of [markedToken('nowhere'), 'data']) await client.send(bytes, port(0))
    const ask = await nextAsked(1)
    await until(() => core.asks.heldCount === 2)
    await answer({ id: ask.id, verdict: 'live', grant: { token: ask.token!, ttlMs: 1000, target: { key: 'k', address: '224.0.0.1', ports: { game: 1 } } } })
    await settled(core, Direction.toTarget, 2)
    t.equal(core.asks.heldCount, 0)
  })

  void t.test('closed while somebody waits', async t => {
    const { core, port, peer, nextAsked, errors, close } = await openShared(t, open)
    const client = await peer()
    await client.send(markedToken('waits'), port(0))
    await nextAsked(1)
    await close()
    t.equal(core.asks.heldCount, 1)
    t.same(errors, [])
  })
}
