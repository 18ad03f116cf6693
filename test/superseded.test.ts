// Several control processes on one proxy, one after the other: the newest has it, and those before it take over once it is gone.
// The links are those of control, the calls and the events those of the proxy, on a real Unix socket; the clock is the test's.
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import pino from 'pino'
import t, { type Test } from 'tap'
import { createRpcClient } from '#rpc/client.js'
import { createFakeClock } from '#testkit/fake-clock.js'
import { PATIENCE_MS, until } from '#testkit/patience.js'
import type { Token } from '#wire/token.js'
import { EventsHub } from '../apps/control/src/events/events-hub.js'
import { ProxyPeer } from '../apps/control/src/proxies/proxy-peer.js'
import { TokenRegistry } from '../apps/control/src/tokens/token-registry.js'
import { ProxySide } from './proxy-side.js'

const silent = pino({ level: 'silent' })

async function setUp (t: Test, isOlder = false) {
  const folder = await mkdtemp(join(tmpdir(), 'superseded-'))
  const clock = createFakeClock()
  const proxy = new ProxySide(join(folder, 'proxy.sock'), clock, isOlder)
  await proxy.start()
  const closings: (() => Promise<void>)[] = []
  let number = 0
  t.teardown(async () => {
    await Promise.all(closings.map(async close => { await close() }))
    await proxy.stop()
    await rm(folder, { recursive: true })
  })
  return {
    proxy,
    clock,
    /** Another control process, once it has the proxy. */
    control: async () => {
      const client = createRpcClient({ socketPath: proxy.socketPath, deadlineMs: PATIENCE_MS, maxInFlight: 8, clock })
      const registry = new TokenRegistry(clock, 100)
      // Not in step with the others.
      const share = (number++ * 0.37) % 1
      const link = new ProxyPeer({ client, clock, random: () => share, log: silent, registry, events: new EventsHub(clock), limits: { maxPushQueue: 10, pushDeadlineMs: PATIENCE_MS } })
      const close = async (): Promise<void> => {
        await Promise.all([link.close(), client.close()])
        registry.close()
      }
      closings.push(close)
      link.start()
      await until(() => link.isSynchronised)
      return { link, close }
    },
    /** While time passes. */
    inTime: async (holds: () => boolean) => {
      await until(() => {
        clock.advance(50)
        return holds()
      }, { what: holds.toString() })
    },
    /** For as long as a superseded one looks, several times over. */
    goOn: async () => {
      const end = clock.now() + 10_000
      await until(() => {
        clock.advance(50)
        return clock.now() >= end
      })
    }
  }
}

const statesOf = (...controls: readonly { readonly link: ProxyPeer }[]): string[] => controls.map(({ link }) => link.status().state)

void t.test('three, one after the other: the newest has the proxy; when it is gone one of those before takes over, and then the last', async t => {
  const { control, inTime, goOn } = await setUp(t)
  const first = await control()
  const second = await control()
  await inTime(() => first.link.status().state === 'superseded')
  const third = await control()
  await inTime(() => second.link.status().state === 'superseded')
  await goOn()
  t.same(statesOf(first, second, third), ['superseded', 'superseded', 'synchronised'], 'no flapping')
  await third.close()
  await inTime(() => first.link.isSynchronised || second.link.isSynchronised)
  await goOn()
  t.same(statesOf(first, second).sort(), ['superseded', 'synchronised'], 'one of them, and it stays')
  const [has, waits] = first.link.isSynchronised ? [first, second] : [second, first]
  await has.close()
  await inTime(() => waits.link.isSynchronised)
  t.pass('the last takes over')
})

void t.test('the proxy restarts while one is superseded: the newer one connects again, and the older one waits until it is gone', async t => {
  const { proxy, control, inTime, goOn } = await setUp(t)
  const older = await control()
  const newer = await control()
  await inTime(() => older.link.status().state === 'superseded')
  const before = newer.link.status().proxy?.instanceId
  await proxy.stop()
  await inTime(() => !newer.link.isSynchronised)
  await proxy.start()
  await inTime(() => newer.link.isSynchronised)
  t.not(newer.link.status().proxy?.instanceId, before)
  await goOn()
  t.same(statesOf(older, newer), ['superseded', 'synchronised'])
  // Both go, and only the proxy comes back: it knows of nobody then.
  await newer.close()
  await proxy.stop()
  await goOn()
  t.same(statesOf(older), ['superseded'], 'nobody to take over from')
  await proxy.start()
  await inTime(() => older.link.isSynchronised)
  t.pass('it takes over a proxy that nobody has told anything')
})

void t.test('an older proxy does not say who is there: it works, a newer one is left to it, and after a restart it is taken over', async t => {
  const { proxy, control, inTime, goOn } = await setUp(t, true)
  const older = await control()
  const newer = await control()
  // Such a proxy tells it with the next call.
  const grant = { token: '00000000-0000-4000-8000-000000000001' as Token, ttlMs: 1000, target: { key: 'gameserver/ns/a', address: '192.0.2.1', ports: { default: 1 } } }
  t.match(await older.link.push(grant), { ok: false })
  t.match(await newer.link.push(grant), { ok: true })
  t.same(statesOf(older, newer), ['superseded', 'synchronised'])
  await newer.close()
  await goOn()
  t.same(statesOf(older), ['superseded'], 'nobody can tell that it is gone')
  await proxy.stop()
  await proxy.start()
  await inTime(() => older.link.isSynchronised)
  t.pass('no newer one has come in time')
})
