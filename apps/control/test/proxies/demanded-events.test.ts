// Kinds of events that a proxy is asked for only while somebody reads them, against a proxy on a real socket.
import pino from 'pino'
import t, { type Test } from 'tap'
import { createRpcClient } from '#rpc/client.js'
import { createFakeClock } from '#testkit/fake-clock.js'
import { startFakeProxy } from '#testkit/fake-proxy.js'
import { PATIENCE_MS, until } from '#testkit/patience.js'
import type { HubItem } from '../../src/events/event-buffer.js'
import { EventsHub } from '../../src/events/events-hub.js'
import type { HubKind } from '../../src/events/hub-kinds.js'
import { REOPEN_MS } from '../../src/proxies/demanded-events.js'
import { ProxyPeer } from '../../src/proxies/proxy-peer.js'
import { TokenRegistry } from '../../src/tokens/token-registry.js'

const ALWAYS = 'counts,redeemed'
const session = { type: 'session', change: 'established', sessionId: '0-1', client: '192.0.2.7:1', target: 'gameserver/ns/a' } as const
const gone = { type: 'target', change: 'gone', target: 'gameserver/ns/a', action: 'close', sessions: 1 } as const
const token = '01234567-0000-4000-8000-000000000000'

async function startRig (t: Test) {
  const proxy = await startFakeProxy()
  const clock = createFakeClock()
  const client = createRpcClient({ socketPath: proxy.socketPath, deadlineMs: PATIENCE_MS, maxInFlight: 8, clock })
  const registry = new TokenRegistry(clock, 1000)
  const events = new EventsHub(clock)
  const peer = new ProxyPeer({ client, clock, random: () => 0, log: pino({ level: 'silent' }), registry, events, limits: { maxPushQueue: 10, pushDeadlineMs: PATIENCE_MS } })
  t.teardown(async () => {
    await Promise.all([peer.close(), client.close()])
    registry.close()
    if (clock.pending() > 0) throw new Error('A timer is left.')
    await proxy.close()
  })
  const read = (...kinds: HubKind[]) => {
    const items: HubItem[] = []
    const reader = events.read({
      kinds,
      wake: () => { for (let item = reader.take(); item !== undefined; item = reader.take()) items.push(item) }
    })
    return { items, close: reader.close }
  }
  const reads = async (...streams: string[]): Promise<void> => { await until(() => proxy.kindsRead().sort().join(' ') === streams.sort().join(' '), { what: () => `${proxy.kindsRead().join(' ')} instead of ${streams.join(' ')}` }) }
  peer.start()
  await until(() => peer.isSynchronised)
  return { proxy, clock, peer, registry, read, reads }
}

void t.test('a kind is asked for with its first reader and no longer than its last, and the stream that control acts on stays', async t => {
  const { proxy, peer, read, reads } = await startRig(t)
  await reads(ALWAYS)
  const first = read('session', 'token_issued')
  await reads(ALWAYS, 'session')
  const second = read('session', 'target')
  await reads(ALWAYS, 'session', 'target')
  proxy.emit(session)
  proxy.emit(gone)
  await until(() => second.items.length === 2)
  const { type, ...data } = session
  t.match(first.items, [{ kind: 'session', data }])
  t.match(second.items.map(({ kind }) => kind).sort(), ['session', 'target'])
  first.close()
  second.close()
  await reads(ALWAYS)
  t.equal(peer.isSynchronised, true)
  t.strictSame(proxy.calls.map(({ name }) => name), ['hello', 'putSnapshot'], 'it never connected anew')
})

void t.test('redemptions are read where control hears them anyway, and hold no token', async t => {
  const { proxy, registry, read, reads } = await startRig(t)
  const { items } = read('token_redeemed')
  proxy.emit({ type: 'redeemed', token, dataPort: 'default', sessionId: '0-1' })
  proxy.emit({ type: 'skipped', kind: 'redeemed', lines: 3 })
  await until(() => items.length === 2)
  t.match(items, [
    { kind: 'token_redeemed', data: { tokenPrefix: '01234567', dataPort: 'default', sessionId: '0-1' } },
    { kind: 'missed', of: 'token_redeemed', count: 3, orMore: false }
  ])
  t.notMatch(JSON.stringify(items), token)
  t.equal(registry.size, 0)
  await reads(ALWAYS)
})

void t.test('what a proxy leaves out is told in its place; what is lost with a stream or with the proxy, too, and then it goes on', async t => {
  const { proxy, clock, peer, read, reads } = await startRig(t)
  const { items } = read('session')
  await reads(ALWAYS, 'session')
  proxy.emit(session)
  proxy.emit({ type: 'skipped', kind: 'session', lines: 7 })
  proxy.emit(session)
  await until(() => items.length === 3)
  t.match(items[1], { kind: 'missed', of: 'session', count: 7, orMore: false })

  proxy.cutStreams(kinds => kinds === 'session')
  await until(() => items.length === 4)
  t.match(items[3], { kind: 'missed', of: 'session', count: 0, orMore: true })
  t.equal(peer.isSynchronised, true, 'the link is another stream')
  await reads(ALWAYS)
  clock.advance(REOPEN_MS)
  await reads(ALWAYS, 'session')

  await proxy.restart()
  await until(() => items.length >= 5)
  t.match(items[4], { kind: 'missed', of: 'session', count: 0, orMore: true })
  await until(() => {
    clock.advance(10)
    return peer.isSynchronised && proxy.openStreams() === 2
  })
  const before = items.length
  proxy.emit(session)
  await until(() => items.length > before)
  t.match(items.at(-1), { kind: 'session' })
})

void t.test('who reads while no proxy is there is told once it comes, and a stream that waits to be opened again is given up with its reader', async t => {
  const { proxy, clock, peer, read, reads } = await startRig(t)
  await proxy.stop()
  await until(() => !peer.isSynchronised)
  const reader = read('target')
  await proxy.restart()
  await until(() => {
    clock.advance(10)
    return peer.isSynchronised
  })
  await reads(ALWAYS, 'target')
  proxy.cutStreams(kinds => kinds === 'target')
  await until(() => reader.items.length > 0)
  reader.close()
  clock.advance(REOPEN_MS)
  await reads(ALWAYS)
})
