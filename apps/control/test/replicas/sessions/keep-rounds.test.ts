import t from 'tap'
import { MAX_WAITING_CLIENTS } from '../../../src/replicas/sessions/binding-writer.js'
import { KEEP_PERIOD_MS } from '../../../src/replicas/sessions/keep-rounds.js'
import { settled, target, threeReplicas } from './replicas-here.js'

const client = '192.0.2.1:4711'
const [x, y, z] = [target('x'), target('y'), target('z')]

void t.test('a store that was emptied has the bindings again within a minute', async t => {
  const { a, b, twin, pass } = await threeReplicas()
  a.proxy.token(client, x)
  await pass(100)
  twin.empty()
  for (let second = 0; second < KEEP_PERIOD_MS / 1000; second += 5) {
    a.proxy.data(client)
    await pass(5000)
  }
  b.proxy.data(client)
  await pass(50)
  t.strictSame(b.proxy.forwarded, [x.key])
})

void t.test('a store that comes back empty has them at once, also those that changed meanwhile', async t => {
  const { a, b, twin, pass } = await threeReplicas()
  const other = '192.0.2.2:4711'
  a.proxy.token(client, x)
  a.proxy.token(other, x)
  await pass(100)
  twin.goDown()
  await pass(1000)
  a.proxy.token(other, y)
  await pass(1000)
  twin.empty()
  twin.comeUp()
  await pass(500)
  b.proxy.data(client)
  b.proxy.data(other)
  await pass(50)
  t.strictSame(b.proxy.forwarded, [x.key, y.key])
})

void t.test('more changes than are remembered while the store is down are found by the next list', async t => {
  const { a, twin, pass } = await threeReplicas()
  twin.goDown()
  await pass(10)
  const clients = Array.from({ length: MAX_WAITING_CLIENTS + 50 }, (_, at) => `192.0.2.${at >> 12}:${at & 4095}`)
  for (const each of clients) a.proxy.token(each, x)
  await pass(100)
  twin.comeUp()
  await pass(2000)
  t.equal(clients.filter(each => twin.data.text(`ud1:s:${each}`) === undefined).length, 0)
  t.ok(twin.data.text(`ud1:s:${clients.at(-1)!}`)!.startsWith('17'), 'bound, not only kept: others are told')
})

void t.test('keep does not overwrite what another replica bound since', async t => {
  const { a, b, twin, pass } = await threeReplicas()
  a.proxy.token(client, x)
  await pass(100)
  // The message that A's copy has moved is lost.
  twin.setWeather({ lostMessages: 1 })
  b.proxy.token(client, y)
  await pass(100)
  twin.setWeather({})
  t.equal(a.proxy.at(client), x.key)
  a.proxy.data(client)
  await pass(KEEP_PERIOD_MS * 1.5)
  const found = await settled(pass, b.store.find(client))
  t.equal(found.ok && found.value?.target.key, y.key)
  t.equal(a.proxy.at(client), y.key, 'and A follows what is newer')
})

void t.test('what changes while a list is under way is not written from the list', async t => {
  const { a, b, pass } = await threeReplicas()
  const [changed, ended, quiet] = ['192.0.2.1:1', '192.0.2.1:2', '192.0.2.1:3']
  for (const each of [changed, ended, quiet]) a.proxy.token(each, x)
  await pass(100)
  a.proxy.listMs = 200
  a.part.onProxyUp?.()
  await pass(100)
  a.proxy.token(changed, y)
  a.proxy.end(ended)
  await pass(1000)
  for (const [each, key] of [[changed, y.key], [ended, undefined], [quiet, x.key]] as const) {
    const found = await settled(pass, b.store.find(each))
    t.equal(found.ok && found.value?.target.key, key)
  }
})

void t.test('what others moved while a list is under way is not written back from the list', async t => {
  const { a, b, pass } = await threeReplicas()
  a.proxy.token(client, x)
  await pass(100)
  a.proxy.listMs = 200
  a.part.onProxyUp?.()
  await pass(100)
  b.proxy.token(client, y)
  await pass(1000)
  const found = await settled(pass, b.store.find(client))
  t.equal(found.ok && found.value?.target.key, y.key, 'the list has the former target, and the sequence that is known is that of the move')
})

void t.test('a control process that restarts: sessions that changed meanwhile win, those that others moved do not', async t => {
  const { a, b, pass, open } = await threeReplicas()
  const [changed, moved, quiet] = ['192.0.2.1:1', '192.0.2.1:2', '192.0.2.1:3']
  for (const each of [changed, moved, quiet]) a.proxy.token(each, x)
  await pass(100)
  a.proxy.isSynchronised = false
  await a.close()
  a.proxy.token(changed, y, 'home')
  b.proxy.token(moved, z, 'away')
  await pass(1000)
  a.proxy.isSynchronised = true
  const again = open('a#2', { proxy: a.proxy })
  await pass(1000)
  t.strictSame([changed, moved, quiet].map(each => a.proxy.at(each)), [y.key, z.key, x.key])
  for (const [each, key] of [[changed, y.key], [moved, z.key], [quiet, x.key]] as const) {
    const found = await settled(pass, again.store.find(each))
    t.equal(found.ok && found.value?.target.key, key)
    t.ok(found.ok && found.value?.replicas.includes('a#2'), 'and those who move it tell the new life')
  }
})

void t.test('a proxy that was away: what changed meanwhile is told, and what others told is done', async t => {
  const { a, b, pass } = await threeReplicas()
  const [here, there] = ['192.0.2.1:1', '192.0.2.1:2']
  for (const each of [here, there]) a.proxy.token(each, x)
  await pass(100)
  a.proxy.isSynchronised = false
  a.proxy.token(here, y)
  b.proxy.token(there, z)
  await pass(1000)
  t.equal(a.proxy.at(there), x.key)
  a.proxy.isSynchronised = true
  a.part.onProxyUp?.()
  await pass(100)
  t.equal(a.proxy.at(there), z.key)
  b.proxy.data(here)
  await pass(100)
  t.strictSame(b.proxy.forwarded, [y.key])
})

void t.test('a list that is older than what the proxy was told is not written', async t => {
  const { a, b, pass } = await threeReplicas()
  a.proxy.token(client, x)
  await pass(100)
  a.proxy.listMs = 200
  a.part.onProxyUp?.()
  await pass(100)
  b.proxy.token(client, y)
  await pass(1000)
  const found = await settled(pass, b.store.find(client))
  t.equal(found.ok && found.value?.target.key, y.key)
  t.strictSame([a.proxy.at(client), b.proxy.at(client)], [y.key, y.key])
})

void t.test('a session that is elsewhere than its sequence says is not written, but moved to where the store has it', async t => {
  const { a, b, pass } = await threeReplicas()
  a.proxy.token(client, x)
  await pass(100)
  a.proxy.sessions.get(client)!.target = z
  for (let ms = 0; ms < KEEP_PERIOD_MS * 1.5; ms += 10_000) {
    a.proxy.data(client)
    await pass(10_000)
  }
  const found = await settled(pass, b.store.find(client))
  t.equal(found.ok && found.value?.target.key, x.key)
  t.equal(a.proxy.at(client), x.key)
})
