import t from 'tap'
import type { RpcEvent } from '#rpc/contract.js'
import { advertisedAs } from '../../../src/advertise/advertised.js'
import { healthOf } from '../../../src/http/routes/health-report.js'
import { ask, eventually, gameServer, goOnline, startRig } from '#testkit/control-rig.js'

const objects = [gameServer('a', '10.0.0.1')]
const lost = 'The proxy does not answer (made by the client).'

void t.test('alive whatever is missing; ready once the inventory and the proxy are', async t => {
  const rig = await startRig(t, { objects, isOffline: true })
  const { open, admin, inventoryStatus, features, proxy } = rig
  inventoryStatus.synced = false
  for (const app of [open, admin]) {
    t.match(await ask(app, 'GET', '/livez'), { status: 200, body: { status: 'ok' } })
    t.strictSame(await ask(app, 'GET', '/readyz').then(({ status, body }) => [status, body]), [503, {
      status: 'not_ready',
      missing: [{ component: 'inventory', reason: 'Not every source has been read yet.' }, { component: 'proxy', reason: 'Not connected yet.' }]
    }])
  }
  inventoryStatus.synced = true
  await goOnline(rig)
  for (const app of [open, admin]) t.match(await ask(app, 'GET', '/readyz'), { status: 200, body: { status: 'ready', missing: [] } })
  await proxy.stop()
  await eventually(() => !features.link.isSynchronised)
  t.strictSame((await ask(open, 'GET', '/readyz')).body, { status: 'not_ready', missing: [{ component: 'proxy', reason: lost }] })
  t.equal((await ask(open, 'GET', '/livez')).status, 200)
})

void t.test('ready once the address that clients send to is known, and degraded if it cannot be read later', async t => {
  const known: { address: string | undefined, fault: string | undefined } = { address: undefined, fault: 'There is no Service a of namespace b.' }
  const advertised = advertisedAs({ current: () => ({ ...known }), close: async () => { await Promise.resolve() } }, {})
  const { open, admin } = await startRig(t, { objects, advertised })
  const missing = (reason: string) => ({ status: 'not_ready', missing: [{ component: 'advertise', reason }] })
  t.match(await ask(admin, 'GET', '/readyz'), { status: 503, body: missing(known.fault!) })
  t.match(await ask(admin, 'GET', '/healthz'), { status: 503, body: { ...missing(known.fault!), advertise: { fault: known.fault } } })
  t.match(await ask(open, 'GET', '/readyz'), { status: 503, body: missing('The admin listener says what.') })
  known.address = '203.0.113.7'
  t.match(await ask(admin, 'GET', '/readyz'), { status: 200, body: { status: 'ready', missing: [] } })
  t.match(await ask(admin, 'GET', '/healthz'), { status: 200, body: { status: 'degraded', advertise: { address: '203.0.113.7', fault: known.fault } } })
  t.match(await ask(open, 'GET', '/healthz'), { body: { advertise: { address: '203.0.113.7', fault: 'The admin listener says what.' } } })
  known.fault = undefined
  t.strictSame(await ask(open, 'GET', '/healthz').then(({ body }) => body as Record<string, unknown>).then(({ status, advertise }) => [status, advertise]), ['ok', { address: '203.0.113.7' }])
})

void t.test('superseded and stopping say so', async t => {
  const { open, admin, proxy, features } = await startRig(t, { objects })
  proxy.epoch = Number.MAX_SAFE_INTEGER
  await ask(admin, 'POST', '/tokens', { resourceType: 'gameserver', namespace: 'game-servers', name: 'a' })
  features.lifecycle.isStopping = true
  t.strictSame((await ask(open, 'GET', '/readyz')).body, {
    status: 'not_ready',
    missing: [{ component: 'process', reason: 'Shutting down.' }, { component: 'proxy', reason: 'A newer control process has taken over.' }]
  })
})

void t.test('healthz tells every component, and the operator what is wrong with the inventory', async t => {
  const { open, admin, inventoryStatus, proxy } = await startRig(t, { objects, config: 'defaultEndpoint: { resourceType: gameserver, namespace: game-servers }' })
  const healthy = {
    status: 'ok',
    missing: [],
    inventory: { status: 'ok', ageSeconds: 1.5, objects: { gameserver: 1 }, faults: [] },
    proxy: { status: 'synchronised', instanceId: proxy.instanceId, engine: 'dgram', draining: false, state: 'off' },
    tokens: { live: 0 },
    defaultEndpoint: { configured: true, targets: 1 }
  }
  t.strictSame(await ask(open, 'GET', '/healthz').then(({ status, body }) => [status, body]), [200, healthy])
  inventoryStatus.faults = ['/srv/inventory/broken.yaml:1:1: not YAML']
  const degraded = { ...healthy, status: 'degraded' }
  t.strictSame(await ask(open, 'GET', '/healthz').then(({ status, body }) => [status, body]),
    [200, { ...degraded, inventory: { ...healthy.inventory, status: 'stale', faults: ['The admin listener says what.'] } }])
  t.strictSame((await ask(admin, 'GET', '/healthz')).body, { ...degraded, inventory: { ...healthy.inventory, status: 'stale', faults: inventoryStatus.faults } })
})

void t.test('healthz is degraded while a restart of the proxy would lose what is new', async t => {
  const { open, proxy } = await startRig(t, { objects })
  const health = async (): Promise<unknown> => {
    const { status, body } = await ask(open, 'GET', '/healthz')
    const { status: word, proxy: { state } } = body as { status: string, proxy: { state: string } }
    return [status, word, state].join()
  }
  const tells = async (event: RpcEvent, wanted: string): Promise<void> => {
    proxy.emit(event)
    for (let found = await health(); found !== wanted; found = await health()) await new Promise(resolve => { setImmediate(resolve) })
    t.equal(await health(), wanted)
  }
  await tells({ type: 'state', status: 'failed' }, '200,degraded,failed')
  await tells({ type: 'state', status: 'written' }, '200,ok,written')
  await tells({ type: 'state', status: 'late' }, '200,degraded,late')
  // A stream that begins has not said yet what it is like.
  await tells({ type: 'hello', instanceId: proxy.instanceId }, '200,ok,off')
})

void t.test('a shared store that is up and refuses calls is told by its reason', async t => {
  const { features } = await startRig(t, { objects })
  const reading = { status: 'up' as const, reason: 'The store refuses calls: OOM.', ageMs: 5000, directors: 2 }
  const replicas = { replica: 'a-1', reading: () => reading }
  t.match(healthOf({ ...features, replicas }, true), { status: 'degraded', store: { status: 'up', reason: reading.reason } })
  t.match(healthOf({ ...features, replicas }, false), { status: 'degraded', store: { reason: 'The admin listener says what.' } })
  t.match(healthOf({ ...features, replicas: { ...replicas, reading: () => ({ ...reading, reason: undefined }) } }, true), { status: 'ok', store: { status: 'up' } })
})

void t.test('healthz is 503 when queries cannot be answered', async t => {
  const { open } = await startRig(t, { isOffline: true })
  t.match(await ask(open, 'GET', '/healthz'), { status: 503, body: { status: 'not_ready', proxy: { status: 'disconnected', reason: 'Not connected yet.' }, defaultEndpoint: { configured: false, targets: 0 } } })
})

void t.test('an empty default endpoint is degraded, and its coming and going is logged once each', async t => {
  const { open, store, logged, proxy } = await startRig(t, { config: 'defaultEndpoint: { resourceType: gameserver, namespace: game-servers, labelSelector: { map: de_dust2 } }' })
  t.match((await ask(open, 'GET', '/healthz')).body, { status: 'degraded', defaultEndpoint: { configured: true, targets: 0 } })
  store.replace(new Map([['gameserver', [gameServer('a', '10.0.0.1', { labels: { map: 'de_dust2' } }), gameServer('b', '10.0.0.2')]]]))
  await proxy.until(() => proxy.defaultTargets.length === 1)
  t.strictSame(proxy.defaultTargets, [{ key: 'gameserver/game-servers/a', address: '10.0.0.1', ports: { default: 7000 } }])
  store.replace(new Map([['gameserver', [gameServer('c', '10.0.0.3', { labels: { map: 'de_dust2' } }), gameServer('a', '10.0.0.1', { labels: { map: 'de_dust2' } })]]]))
  await proxy.until(() => proxy.defaultTargets.length === 2)
  store.replace(new Map([['gameserver', []]]))
  await proxy.until(() => proxy.defaultTargets.length === 0)
  t.strictSame(logged.filter(({ msg }) => msg.startsWith('Default endpoint')).map(({ msg }) => msg),
    ['Default endpoint is empty', 'Default endpoint has targets', 'Default endpoint is empty'])
})
