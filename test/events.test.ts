// Events of the proxy on their way to readers in control: the proxy's own event stream, control's own link and hub, a real Unix socket.
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import pino from 'pino'
import t, { type Test } from 'tap'
import { createRpcClient } from '#rpc/client.js'
import { createFakeClock } from '#testkit/fake-clock.js'
import { PATIENCE_MS, until } from '#testkit/patience.js'
import type { Token } from '#wire/token.js'
import { EventsHub, KEPT_PER_KIND } from '../apps/control/src/events/events-hub.js'
import { ProxyPeer } from '../apps/control/src/proxies/proxy-peer.js'
import { TokenRegistry } from '../apps/control/src/tokens/token-registry.js'
import { COUNTS_PERIOD_MS } from '../apps/proxy/src/rpc/event-stream.js'
import { ProxySide } from './proxy-side.js'

const target = { key: 'gameserver/ns/a', address: '192.0.2.1', ports: { default: 1 } }
const token = '00000000-0000-4000-8000-000000000001' as Token
const session = { type: 'session', change: 'expired', sessionId: '0-1', client: '192.0.2.7:1', target: target.key } as const
const always = 'counts,redeemed'

async function setUp (t: Test) {
  const folder = await mkdtemp(join(tmpdir(), 'events-'))
  const clock = createFakeClock()
  const proxy = new ProxySide(join(folder, 'proxy.sock'), clock)
  await proxy.start()
  const client = createRpcClient({ socketPath: proxy.socketPath, deadlineMs: PATIENCE_MS, maxInFlight: 8, clock })
  const registry = new TokenRegistry(clock, 100)
  const hub = new EventsHub(clock)
  const peer = new ProxyPeer({ client, clock, random: () => 0, log: pino({ level: 'silent' }), registry, events: hub, limits: { maxPushQueue: 10, pushDeadlineMs: PATIENCE_MS } })
  t.teardown(async () => {
    await Promise.all([peer.close(), client.close()])
    registry.close()
    await proxy.stop()
    await rm(folder, { recursive: true })
  })
  peer.start()
  await until(() => peer.isSynchronised)
  const instanceId = peer.status().proxy?.instanceId
  return {
    hub,
    proxy,
    wants: async (kinds: string) => { await until(() => proxy.wanted.at(-1) === kinds, { what: () => `${proxy.wanted.join(' ')} instead of ${kinds}` }) },
    /** What control acts on still comes, over the connection that it has had from the beginning. */
    actsOn: async () => {
      const before = proxy.wanted.length
      registry.add(token, target, 60_000)
      proxy.events!.publish({ type: 'redeemed', token, dataPort: 'default', sessionId: '0-1' })
      const sessions = peer.counts.of(target.key) + 1
      proxy.counts.apply(0, { [target.key]: sessions })
      await until(() => {
        clock.advance(COUNTS_PERIOD_MS)
        return peer.counts.of(target.key) === sessions && registry.pending(target.key) === 0
      })
      registry.delete(token)
      return peer.isSynchronised && peer.status().proxy?.instanceId === instanceId && proxy.wanted.length === before
    }
  }
}

void t.test('a proxy makes a kind of event while it is read in the hub, and no longer', async t => {
  const { hub, proxy, wants, actsOn } = await setUp(t)
  const reader = hub.read({ kinds: ['session', 'token_issued'], wake: () => undefined })
  await wants(`${always},session`)
  const other = hub.read({ kinds: ['session'], wake: () => undefined })
  reader.close()
  t.ok(await actsOn())
  other.close()
  await wants(always)
  t.ok(await actsOn())
  t.strictSame(proxy.wanted, [always, `${always},session`, always])
})

void t.test('a flood of sessions costs their readers events, which are all accounted for, and nobody else anything', async t => {
  const { hub, proxy, wants, actsOn } = await setUp(t)
  const slow = hub.read({ kinds: ['session', 'token_redeemed'], wake: () => undefined })
  await wants(`${always},session`)
  let [published, first, events, missed, redeemed] = [0, Infinity, 0, 0, 0]
  const publish = (): void => { proxy.events!.publish({ ...session, sessionId: String(++published) }) }
  const takeAll = (): void => {
    for (let item = slow.take(); item !== undefined; item = slow.take()) {
      if (item.kind === 'missed') missed += item.count
      else if (item.kind === 'session') {
        events++
        first = Math.min(first, Number(item.data.sessionId))
      } else redeemed++
    }
  }
  await until(() => {
    publish()
    takeAll()
    return events > 0
  })
  for (let event = 0; event < 50_000; event++) publish()
  t.ok(await actsOn(), 'while nobody takes what comes')
  const left = proxy.events!.skipped.get('session')!
  t.ok(left > 0, `${left} left out by the proxy already`)
  const all = published - first + 1
  await until(() => {
    takeAll()
    return events + missed >= all
  }, { what: () => `${events} and ${missed} of ${all}` })
  t.equal(events + missed, all, `${events} came, ${missed} did not`)
  t.ok(events > KEPT_PER_KIND && missed > left)
  t.equal(redeemed, 1, 'what is not of that kind is there')
})

void t.test('a reader that leaves in the middle of a flood ends it', async t => {
  const { hub, proxy, wants, actsOn } = await setUp(t)
  const reader = hub.read({
    kinds: ['session'],
    wake: () => { reader.close() }
  })
  await wants(`${always},session`)
  await until(() => {
    for (let event = 0; event < 1000; event++) proxy.events!.publish(session)
    return proxy.wanted.at(-1) === always
  })
  t.equal(hub.isRead('session'), false)
  t.ok(await actsOn())
})
