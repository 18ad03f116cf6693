// The inventory as a whole: several sources, what is out of reach, what operators are told, and the end.
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import t from 'tap'
import { createFakeClock } from '#testkit/fake-clock.js'
import type { NewObject } from '#testkit/kube-api/objects/resource-type.js'
import { startKubeApi } from '#testkit/kube-api/start-kube-api.js'
import { openKubernetesInventory } from '../../../src/inventory/kubernetes/kubernetes-inventory.js'
import { Reflector } from '../../../src/inventory/kubernetes/reflector/reflector.js'
import { Collection } from '../../../src/inventory/kubernetes/reflector/collection.js'
import { sourcesFrom } from '../../../src/inventory/kubernetes/api/source.js'
import { createTransport } from '../../../src/inventory/kubernetes/api/transport.js'
import { SERVICES_TYPE } from '../../../src/inventory/objects/resource-types.js'
import { createStore } from '../../../src/inventory/store/store.js'
import { recordingSink } from '../../events/recording-sink.js'
import { mapping } from '../kube-objects.js'
import { openRig, plainCredentials, server, type RigOptions } from './rig.js'

const pods = { group: '', version: 'v1', resource: 'pods', addressPath: 'status.podIP', portName: 'game' }
const byService = { group: 'agones.dev', version: 'v1', resource: 'gameservers', serviceSelectorLabel: 'gs', serviceTargetPortName: 'default' }
const pod = (name: string, namespace = 'games'): NewObject =>
  ({ apiVersion: 'v1', kind: 'Pod', metadata: { name, namespace } })
const twoTypes: RigOptions = { config: { resourceQueryMapping: { gameserver: mapping(), pod: pods } } }

void t.test('each resource is read once in each namespace that may be named', async t => {
  const paths = (config: Parameters<typeof sourcesFrom>[0]): readonly string[] => sourcesFrom(config)
    .map(({ group, resource, namespace = '*', types }) => `${group}/${namespace}/${resource} ${types.join('+')}`)
  const defaultEndpoint = { resourceType: 'gameserver', namespace: 'games' }
  t.strictSame(paths({ resourceQueryMapping: { gameserver: mapping() } }), [])
  t.strictSame(paths({ resourceQueryMapping: { gameserver: mapping(), pod: pods }, defaultEndpoint }), ['agones.dev/games/gameservers gameserver', '/games/pods pod'])
  t.strictSame(paths({ resourceQueryMapping: { gameserver: mapping(), pod: pods }, defaultEndpoint, namespaces: ['a', 'b'] }), [
    'agones.dev/a/gameservers gameserver', '/a/pods pod', 'agones.dev/b/gameservers gameserver', '/b/pods pod', 'agones.dev/games/gameservers gameserver'
  ], 'the default endpoint alone may be elsewhere')
  t.strictSame(paths({ resourceQueryMapping: { gameserver: byService, twin: mapping({ resource: 'GameServers' }) }, namespaces: ['a', 'a'] }), [
    'agones.dev/a/gameservers gameserver+twin', `/a/services ${SERVICES_TYPE}`
  ])
  t.strictSame(paths({ resourceQueryMapping: { gameserver: byService }, defaultEndpoint, namespaces: ['a'] }).slice(2), [
    'agones.dev/games/gameservers gameserver', `/games/services ${SERVICES_TYPE}`
  ])
  t.strictSame(paths({ resourceQueryMapping: { gameserver: mapping() }, defaultEndpoint, namespaces: ['*', 'a'] }), ['agones.dev/*/gameservers gameserver'])
})

void t.test('two resource types of one resource share its objects', async t => {
  const rig = await openRig(t, { config: { resourceQueryMapping: { gameserver: mapping(), twin: mapping() } } })
  await rig.api.watching()
  rig.api.load([server('a')])
  await rig.until(() => rig.inventory.get('twin', 'games', 'a') !== undefined)
  t.equal(rig.requests().length, 2)
  t.equal(rig.inventory.get('twin', 'games', 'a'), rig.inventory.get('gameserver', 'games', 'a'))
  t.strictSame(rig.inventory.sizes(), new Map([['gameserver', 1], ['twin', 1]]))
})

void t.test('all namespaces are one list', async t => {
  const rig = await openRig(t, { config: { namespaces: ['*'] } })
  await rig.api.watching()
  rig.api.load([server('a'), server('b', { namespace: 'other' })])
  await rig.until(() => rig.inventory.namespaces().size === 2)
  t.equal(rig.requests()[0]!.path, '/apis/agones.dev/v1/gameservers')
  rig.api.watches()[0]!.error({ code: 410 })
  rig.api.store.delete('gameservers', 'other/b')
  await rig.until(() => rig.inventory.namespaces().size === 1, 2000)
  t.equal(rig.inventory.unready('gameserver', 'anything'), undefined)
})

void t.test('a list in one namespace leaves the others alone', async t => {
  const rig = await openRig(t, { config: { namespaces: ['games', 'other'] } })
  rig.api.load([server('a'), server('b', { namespace: 'other' })])
  await rig.until(() => rig.api.watches().length === 2)
  await rig.until(() => rig.inventory.namespaces().size === 2)
  for (const handle of rig.api.watches({ namespace: 'games' })) handle.error({ code: 410 })
  await rig.until(() => rig.requests().filter(({ verb }) => verb === 'list').length === 3)
  await rig.converged()
  t.ok(rig.inventory.get('gameserver', 'other', 'b'))
})

void t.test('what is forbidden is named, and what is not goes on', async t => {
  const rig = await openRig(t, { ...twoTypes, prepare: api => { api.load([server('a'), pod('p')]); allow = api.forbid({ type: 'pods' }) } })
  await rig.until(() => rig.inventory.status().synced)
  t.match(rig.inventory.status().faults, [
    /^Cannot list pods in namespace games: not allowed; it takes a Role with apiGroups: \[""\], resources: \["pods"\], verbs: \["list", "watch"\]: 403 /
  ])
  t.equal(rig.logged.filter(line => line.startsWith('warn')).length, 1)
  t.match(rig.inventory.unready('pod', 'games'), /^Cannot list pods in namespace games: not allowed/)
  t.equal(rig.inventory.unready('gameserver', 'games'), undefined)
  await rig.pass(300_000)
  const tries = rig.api.requestsOf({ type: 'pods' }).length
  t.ok(tries >= 6 && tries <= 13, `${tries} tries in five minutes`)
  rig.api.store.delete('gameservers', 'games/a')
  await rig.converged()
  allow()
  await rig.until(() => rig.inventory.get('pod', 'games', 'p') !== undefined, 61_000)
  t.equal(rig.inventory.unready('pod', 'games'), undefined)
  t.strictSame(rig.inventory.status().faults, [])
})
let allow = (): void => undefined

void t.test('a right that is taken away leaves what is known', async t => {
  const rig = await openRig(t, { prepare: api => { api.load([server('a')]) } })
  await rig.converged()
  await rig.api.watching()
  rig.api.forbid({ type: 'gameservers' })
  rig.api.watches()[0]!.cut('end')
  await rig.pass(9_000)
  t.equal(rig.inventory.unready('gameserver', 'games'), undefined, 'a server that starts says 403 too: queries are answered')
  t.strictSame(rig.logged, [], 'and nobody is told of a missing Role')
  await rig.until(() => rig.inventory.unready('gameserver', 'games') !== undefined, 20_000)
  t.match(rig.inventory.status().faults, [/it takes a Role/])
  t.strictSame(rig.held(), rig.served())
  t.ok(rig.inventory.status().synced, 'once synced, always synced')
  await rig.pass(30_000)
  t.ok(rig.inventory.status().ageMs >= 30_000)
})

void t.test('a CRD that comes later, goes, and comes back', async t => {
  const rig = await openRig(t, { ...twoTypes, prepare: api => { api.load([pod('p')]); type = api.removeType('gameservers') } })
  await rig.until(() => rig.inventory.status().synced)
  t.match(rig.inventory.status().faults, [/^Cannot list gameservers\.agones\.dev in namespace games: there is no such resource in agones\.dev\/v1; a CustomResourceDefinition may be missing: 404/])
  t.ok(rig.inventory.get('pod', 'games', 'p'), 'others are not concerned')
  for (const name of ['a', 'b']) {
    rig.api.store.addType(type)
    rig.api.load([server(name)])
    await rig.converged(61_000)
    t.equal(rig.inventory.unready('gameserver', 'games'), undefined)
    await rig.api.watching({ type: 'gameservers' })
    rig.api.removeType('gameservers')
    await rig.until(() => rig.held().length === 0, 70_000)
    t.match(rig.inventory.unready('gameserver', 'games'), /there is no such resource/)
    t.equal(rig.api.requestsOf({ type: 'gameservers' }).slice(-2).filter(({ status }) => status === 404).length, 2, 'not before it was said twice')
  }
})
let type: Parameters<Awaited<ReturnType<typeof startKubeApi>>['store']['addType']>[0]

void t.test('a right to list without one to watch is a fault that stays, not one that comes and goes', async t => {
  const rig = await openRig(t, { prepare: api => { api.load([server('a')]); api.forbid({ verb: 'watch' }) } })
  await rig.pass(180_000)
  t.equal(rig.logged.length, 1)
  t.match(rig.inventory.status().faults, [/^Cannot watch gameservers\.agones\.dev in namespace games: not allowed/])
  rig.api.store.delete('gameservers', 'games/a')
  await rig.until(() => rig.held().length === 0, 70_000)
})

void t.test('one 404 is not believed', async t => {
  const rig = await openRig(t, { prepare: api => { api.load([server('a')]); api.fault({ verb: 'watch' }, { kind: 'status', code: 404 }) } })
  let least = Infinity
  await rig.until(() => rig.told.includes('watchEnded failed'))
  rig.inventory.onChange(() => { least = Math.min(least, rig.held().length) })
  await rig.pass(3000)
  t.not(least, 0, 'it was never empty')
  t.equal(rig.held().length, 1)
})

void t.test('a type that fails for ever keeps no other from its work', async t => {
  const rig = await openRig(t, { ...twoTypes, prepare: api => { api.load([server('a')]); api.fault({ type: 'pods', times: Infinity }, { kind: 'status', code: 500 }) } })
  await rig.until(() => rig.held().length === 1)
  t.equal(rig.inventory.unready('gameserver', 'games'), undefined)
  t.match(rig.inventory.unready('pod', 'games'), /pods have not been listed yet/)
  t.notOk(rig.inventory.status().synced)
  rig.api.store.delete('gameservers', 'games/a')
  await rig.until(() => rig.held().length === 0)
  await rig.pass(30_000)
  t.ok(rig.inventory.status().ageMs >= 30_000)
})

void t.test('a type reached by Services is ready when they are', async t => {
  const rig = await openRig(t, { config: { resourceQueryMapping: { gameserver: byService, direct: mapping() } }, prepare: api => { allow = api.forbid({ type: 'services' }) } })
  await rig.until(() => rig.inventory.status().synced)
  t.match(rig.inventory.unready('gameserver', 'games'), /^Cannot list services in namespace games/)
  t.equal(rig.inventory.unready('direct', 'games'), undefined)
  rig.api.load([{ apiVersion: 'v1', kind: 'Service', metadata: { name: 's', namespace: 'games' } }])
  allow()
  await rig.until(() => rig.inventory.get(SERVICES_TYPE, 'games', 's') !== undefined, 61_000)
  t.equal(rig.inventory.unready('gameserver', 'games'), undefined)
})

void t.test('a server that is down is said once, for all sources', async t => {
  const rig = await openRig(t, { ...twoTypes, prepare: api => { api.refuse() } })
  await rig.pass(60_000)
  t.notOk(rig.inventory.status().synced)
  t.equal(rig.inventory.status().faults.length, 1)
  t.match(rig.logged, [/^warn Kubernetes objects cannot be read.*The Kubernetes API cannot be reached.*ECONNREFUSED/])
  t.equal(rig.logged.length, 1)
  await rig.api.accept()
  await rig.until(() => rig.inventory.status().synced, 70_000)
  t.equal(rig.logged.length, 2)
  t.ok(rig.inventory.status().ageMs < 60_000)
})

void t.test('listeners hear of many changes at once, until they stop', async t => {
  const rig = await openRig(t)
  await rig.api.watching()
  let calls = 0
  const heard = new Set<string>()
  const stop = rig.inventory.onChange(changes => {
    calls++
    for (const { name, before, after } of changes) if (before === undefined && after !== undefined) heard.add(name)
  })
  rig.api.load(Array.from({ length: 100 }, (_, index) => server(`s${index}`)))
  await rig.converged()
  await rig.pass(20)
  t.ok(calls >= 1 && calls <= 5, `${calls} calls`)
  t.equal(heard.size, 100, 'and none is left out')
  stop()
  const before = calls
  rig.api.store.delete('gameservers', 'games/s0')
  await rig.converged()
  await rig.pass(100)
  t.equal(calls, before)
})

void t.test('a long list is told some changes at a time, when all of it is there', async t => {
  const rig = await openRig(t)
  await rig.converged()
  const calls: number[] = []
  const sizes = new Set<number>()
  rig.inventory.onChange(changes => {
    calls.push(changes.length)
    sizes.add(rig.held().length)
  })
  const heard = (): number => calls.reduce((sum, count) => sum + count, 0)
  rig.api.store.compact()
  for (const handle of rig.api.watches()) handle.cut('reset')
  rig.api.load(Array.from({ length: 1000 }, (_, index) => server(`s${index}`)))
  rig.api.store.compact()
  await rig.until(() => heard() === 1000)
  t.ok(Math.max(...calls) <= 500, `${Math.max(...calls)} in one call`)
  t.strictSame([...sizes], [1000])
})

void t.test('after the close nothing is asked, and nothing is left', async t => {
  const table: ReadonlyArray<readonly [name: string, options: RigOptions]> = [
    ['while a list is under way', { prepare: api => { api.fault({ verb: 'list' }, { kind: 'hang' }) } }],
    ['while half a list is there', { prepare: api => { api.fault({ verb: 'list' }, { kind: 'cut', how: 'stall' }) } }],
    ['while a watch is opened', { prepare: api => { api.fault({ verb: 'watch' }, { kind: 'hang' }) } }],
    ['while a watch is open', {}],
    ['while waiting after a failure', { prepare: api => { api.fault({ verb: 'list', times: Infinity }, { kind: 'status', code: 500 }) } }],
    ['before the first list', { random: () => 0.99, config: { namespaces: ['a', 'b', 'c'] } }],
    ['while credentials are asked for', { credentials: () => ({ access: async () => await new Promise(() => undefined), refresh: () => undefined }) }]
  ]
  for (const [name, options] of table) {
    await t.test(name, async t => {
      const rig = await openRig(t, options)
      if (name.includes('list is') || name.includes('failure')) await rig.api.requested({ verb: 'list' })
      if (name.includes('watch')) await rig.api.requested({ verb: 'watch' })
      await rig.pass(name.includes('before') ? 1 : 50)
      await rig.inventory.close()
      const before = rig.api.requests.length
      await rig.api.until(() => rig.api.connections() === 0)
      t.equal(rig.clock.pending(), 0, 'no timer')
      await rig.pass(120_000)
      t.equal(rig.api.requests.length, before, 'no request')
    })
  }
})

void t.test('what a collection throws is not taken for a broken connection', async t => {
  const clock = createFakeClock()
  const api = await startKubeApi({ clock })
  t.teardown(() => api.close())
  const store = createStore(['gameserver'])
  const transport = createTransport(plainCredentials(api))
  t.teardown(() => transport.close())
  const [source] = sourcesFrom({ resourceQueryMapping: { gameserver: mapping() }, namespaces: ['games'] })
  const reflector = new Reflector({
    source: source!, collection: new Collection(store, source!), transport, clock, random: () => 0, hooks: {}, onFault: () => undefined, onCorrupt: () => undefined, firstDelayMs: 0
  })
  store.onChange(() => { throw new Error('a bug') })
  const run = reflector.run()
  await api.watching()
  api.load([server('a')])
  await t.rejects(run, { message: 'a bug' })
})

void t.test('what the configuration would have to change is a failure to open', async t => {
  const path = await mkdtemp(join(tmpdir(), 'kubernetes-inventory-'))
  t.teardown(() => rm(path, { recursive: true, force: true }))
  const clock = createFakeClock()
  const api = await startKubeApi({ clock, tokens: ['x'] })
  t.teardown(() => api.close())
  const kubeconfig = join(path, 'config')
  const deps = { clock, random: () => 0.5, log: { info: () => undefined, warn: () => undefined }, events: recordingSink() }
  const config = { resourceQueryMapping: { gameserver: mapping() }, namespaces: ['games'], inventory: { provider: 'kubernetes' as const, kubeconfig } }
  t.match(await openKubernetesInventory({ ...deps, config: { ...config, namespaces: [] } }), { ok: false, error: { reason: 'no_namespace', message: /^namespaces: / } })
  t.match(await openKubernetesInventory({ ...deps, config }), { ok: false, error: { reason: 'no_credentials', message: /config cannot be used: .*ENOENT/ } })
  await writeFile(kubeconfig, api.kubeconfig().replace('token:', 'client-certificate: none.pem\n      token:'))
  t.match(await openKubernetesInventory({ ...deps, config }), { ok: false, error: { reason: 'no_credentials', message: /cannot be read: .*none\.pem/ } })
  t.equal(clock.pending(), 0)
  await writeFile(kubeconfig, api.kubeconfig())
  const opened = await openKubernetesInventory({ ...deps, config })
  if (!opened.ok) throw new Error(opened.error.message)
  t.teardown(() => opened.value.close())
  await api.watching()
  t.ok(opened.value.status().synced)
})
