// Tokens and sessions when the inventory changes under them: the whole of control, with a proxy that only listens.
import t, { type Test } from 'tap'
import { ok } from '#core/result.js'
import type { Token } from '#wire/token.js'
import type { KubeObject } from '../../../src/inventory/objects/inventory.js'
import { SERVICES_TYPE } from '../../../src/inventory/objects/resource-types.js'
import { SETTLED_MS } from '../../../src/names/known-name.js'
import type { Target } from '#rpc/contract.js'
import { TargetWatch, UNKNOWN_RETRY_MS } from '../../../src/targets/watch/target-watch.js'
import { compileTouchedObjects } from '../../../src/targets/watch/touched-objects.js'
import { ask, eventually, gameServer, startRig, type Rig, type RigOptions } from '#testkit/control-rig.js'

const games = { resourceType: 'gameserver', namespace: 'game-servers' }
const keyOf = (name: string): string => `gameserver/game-servers/${name}`

const put = ({ store }: Rig, object: KubeObject): void => { store.put(['gameserver'], object) }
const remove = ({ store }: Rig, name: string): void => { store.remove(['gameserver'], 'game-servers', name) }

function withMetadata (object: KubeObject, metadata: Partial<KubeObject['metadata']>): KubeObject {
  return { ...object, metadata: { ...object.metadata, ...metadata } }
}

async function issue (rig: Rig, path: string, body: unknown): Promise<Token> {
  const { status, body: answer } = await ask(path === '/query' ? rig.open : rig.admin, 'POST', path, body)
  if (status !== 200 && status !== 201) throw new Error(JSON.stringify(answer))
  return (answer as { token: string }).token as Token
}

const query = async (rig: Rig, selection: object = {}): Promise<Token> => await issue(rig, '/query', { ...games, ...selection })

/** What the proxy was told of, in the order of the calls. */
const gone = ({ proxy }: Rig): unknown[] => proxy.gone.map(({ key, stays }) => stays === undefined ? key.slice(keyOf('').length) : [key.slice(keyOf('').length), stays.address])

/** Counts of sessions arrive; the registry is asked for a token that the same stream redeemed after them. */
async function count (rig: Rig, sessions: Readonly<Record<string, number>>): Promise<void> {
  rig.proxy.emit({ type: 'counts', sessions: Object.fromEntries(Object.entries(sessions).map(([name, number]) => [keyOf(name), number])) })
  await eventually(() => Object.entries(sessions).every(([name, number]) => rig.features.load.sessions(keyOf(name)) === number))
}

/** Calls that are under way arrive: a push after them has been answered. */
async function settle (rig: Rig): Promise<void> {
  const before = rig.proxy.calls.length
  await issue(rig, '/tokens', { address: '10.9.9.9', ports: { default: 1 } })
  if (rig.proxy.calls.length === before) throw new Error('no call')
}

const start = async (t: Test, options: RigOptions = {}): Promise<Rig> => await startRig(t, {
  objects: [gameServer('a', '10.0.0.1', { labels: { map: 'dust' } }), gameServer('b', '10.0.0.2', { labels: { map: 'aztec' } })],
  ...options
})

void t.test('a token whose target goes is void, and no other is', async t => {
  const rig = await start(t)
  const [dead, other, redeemed] = [await query(rig, { labelSelector: { map: 'dust' } }), await query(rig, { labelSelector: { map: 'aztec' } }), await query(rig, { labelSelector: { map: 'dust' } })]
  rig.proxy.emit({ type: 'redeemed', token: redeemed, dataPort: 'default', sessionId: '1' })
  await eventually(() => rig.features.registry.pending(keyOf('a')) === 1)
  remove(rig, 'a')
  await rig.proxy.until(() => rig.proxy.voidTokens.size > 0)
  await settle(rig)
  t.strictSame([...rig.proxy.voidTokens], [[dead, 'withdrawn']])
  t.ok(rig.proxy.tokens.has(other))
  t.equal(rig.features.registry.has(dead), false, 'a snapshot does not bring it back')
  t.equal(rig.features.registry.pending(keyOf('a')), 0)
  t.match(rig.logged.filter(({ msg }) => msg.startsWith('Tokens withdrawn')), [{ tokens: 1, target: keyOf('a') }])
  t.match((await ask(rig.admin, 'GET', '/metrics')).text, /udp_director_tokens_revoked_total\{cause="target_gone"\} 1/)
})

void t.test('what a token was issued for decides whether a change ends it', async t => {
  const labels = { map: 'dust', players: '1' }
  const a = withMetadata(gameServer('a', '10.0.0.1', { labels }), { annotations: { open: 'yes' } })
  const table: ReadonlyArray<readonly [change: string, selection: object, after: KubeObject, isVoid: boolean]> = [
    ['another label', { labelSelector: { map: 'dust' } }, withMetadata(a, { labels: { ...labels, players: '2' } }), false],
    ['its label', { labelSelector: { map: 'dust' } }, withMetadata(a, { labels: { map: 'aztec' } }), true],
    ['its annotation', { annotationSelector: { open: 'yes' } }, withMetadata(a, { annotations: {} }), true],
    ['its state', { statusQuery: { jsonPath: 'status.state', expectedValue: 'Ready' } }, gameServer('a', '10.0.0.1', { state: 'Shutdown' }), true],
    ['to another expected state', { statusQuery: { jsonPath: 'status.state', expectedValues: ['Ready', 'Allocated'] } }, gameServer('a', '10.0.0.1', { state: 'Allocated' }), false],
    ['its address', {}, gameServer('a', '10.0.0.9'), true],
    ['its port', {}, { ...a, status: { address: '10.0.0.1', ports: [{ name: 'default', port: 7009 }] } }, true],
    ['to an address that is not allowed', {}, gameServer('a', '192.0.2.1'), true],
    ['being deleted', {}, withMetadata(a, { deletionTimestamp: '2026-01-01T00:00:00Z' }), true]
  ]
  const rig = await start(t, { objects: [a] })
  for (const [change, selection, after, isVoid] of table) {
    put(rig, a)
    const token = await query(rig, selection)
    put(rig, after)
    await settle(rig)
    t.equal(rig.proxy.voidTokens.has(token), isVoid, change)
  }
  put(rig, a)
  const byName = await issue(rig, '/tokens', { ...games, name: 'a' })
  const byAddress = await issue(rig, '/tokens', { address: '10.0.0.1', ports: { default: 7000 } })
  put(rig, gameServer('a', '10.0.0.1', { state: 'Shutdown' }))
  await settle(rig)
  t.equal(rig.proxy.voidTokens.has(byName), false, 'whoever names an object means it in any state')
  remove(rig, 'a')
  await rig.proxy.until(() => rig.proxy.voidTokens.has(byName))
  t.equal(rig.proxy.voidTokens.has(byAddress), false, 'an address is not an object')
})

/** Makes the next of `changes` whenever a token has arrived and is not acknowledged yet. */
function meanwhile ({ proxy }: Rig, changes: ReadonlyArray<() => void>): void {
  const left = [...changes]
  proxy.hook = ({ body }) => {
    const { tokens = [] } = (body ?? {}) as { tokens?: readonly unknown[] }
    const change = tokens.length === 0 ? undefined : left.shift()
    return change === undefined ? undefined : { kind: 'delay', until: Promise.resolve().then(change) }
  }
}

void t.test('an object that goes while its token is on the way is not handed out', async t => {
  const dust = { ...games, labelSelector: { map: 'dust' } }
  const rig = await start(t)
  meanwhile(rig, [() => { remove(rig, 'a') }])
  t.match(await ask(rig.open, 'POST', '/query', dust), { status: 404, body: { code: 'NO_MATCHING_RESOURCE', detail: 'No object of this type in this namespace matches the labels.' } })
  await rig.proxy.until(() => rig.proxy.tokens.size === 0)
  t.equal(rig.features.registry.size, 0)
})

void t.test('what changes while its token is on the way is chosen anew, three times in all', async t => {
  const rig = await start(t, { config: 'exposeTarget: true' })
  meanwhile(rig, [() => { remove(rig, 'a') }])
  t.match(await ask(rig.open, 'POST', '/query', games), { status: 200, body: { address: '10.0.0.2' } }, 'another object')
  await settle(rig)
  t.equal([...rig.proxy.tokens.values()].filter(({ target }) => target.address === '10.0.0.1').length, 0)
  meanwhile(rig, [() => { put(rig, gameServer('b', '10.0.0.3')) }])
  t.match(await ask(rig.admin, 'POST', '/tokens', { ...games, name: 'b' }), { status: 201, body: { address: '10.0.0.3' } }, 'where the object is now')
  const moves = ['10.0.0.4', '10.0.0.5', '10.0.0.6', '10.0.0.7'].map(address => () => { put(rig, gameServer('b', address)) })
  meanwhile(rig, moves)
  t.match(await ask(rig.open, 'POST', '/query', games), { status: 404, body: { code: 'NO_MATCHING_RESOURCE', detail: /^Every object that was chosen/ } })
  rig.proxy.hook = () => undefined
  await settle(rig)
  t.equal([...rig.proxy.tokens.values()].filter(({ target }) => target.key === keyOf('b') && target.address !== '10.0.0.3').length, 0)
})

void t.test('a token that expired on its way was not acknowledged in time', async t => {
  const rig = await start(t, { config: 'tokenTtlSeconds: 1\nlimits: { pushDeadlineMs: 5000 }' })
  meanwhile(rig, [() => { rig.clock.advance(1500) }])
  t.match(await ask(rig.open, 'POST', '/query', games), { status: 503, body: { code: 'PROXY_UNAVAILABLE' } })
})

void t.test('sessions on a target that goes: the proxy is told once, and again only of new ones', async t => {
  const rig = await start(t)
  rig.proxy.sessionsLeft = () => 2
  await query(rig, { labelSelector: { map: 'dust' } })
  await count(rig, { a: 2 })
  put(rig, gameServer('a', '10.0.0.1', { labels: { map: 'other' } }))
  await settle(rig)
  t.strictSame(gone(rig), [], 'who does not match any more is not gone')
  put(rig, withMetadata(gameServer('a', '10.0.0.1'), { deletionTimestamp: '2026-01-01T00:00:00Z' }))
  await rig.proxy.until(() => gone(rig).length === 1)
  remove(rig, 'a')
  await count(rig, { a: 1 })
  await settle(rig)
  t.strictSame(gone(rig), ['a'])
  await count(rig, { a: 2 })
  await rig.proxy.until(() => gone(rig).length === 2)
  t.pass('one that came after the object went')
  await count(rig, { a: 0 })
  rig.proxy.sessionsLeft = () => 0
  await count(rig, { a: 1 })
  await rig.proxy.until(() => gone(rig).length === 3)
  await count(rig, { a: 0 })
  put(rig, gameServer('a', '10.0.0.1'))
  await count(rig, { a: 3 })
  await settle(rig)
  t.strictSame(gone(rig).slice(3), [['a', '10.0.0.1']], 'it is there again, and nobody knows whether they are where it is')
  remove(rig, 'a')
  await rig.proxy.until(() => gone(rig).length === 5)
  t.strictSame(gone(rig).filter(name => name === 'a').length, 4)
})

void t.test('another object of the same name: who is on it stays', async t => {
  const rig = await start(t, { objects: [withMetadata(gameServer('a', '10.0.0.1'), { uid: '1' })] })
  put(rig, withMetadata(gameServer('a', '10.0.0.9'), { uid: '2' }))
  await rig.proxy.until(() => gone(rig).length === 1)
  t.strictSame(gone(rig), [['a', '10.0.0.9']], 'told without waiting for counts, which are late')
  rig.store.replace(new Map([['gameserver', [withMetadata(gameServer('a', '10.0.0.9'), { uid: '2', labels: { new: 'label' } })]]]))
  await settle(rig)
  t.equal(gone(rig).length, 1, 'the same one, changed')
})

void t.test('sessions that are counted after their target went, or by a proxy that was there before', async t => {
  const rig = await start(t)
  await count(rig, { z: 1, b: 1 })
  await rig.proxy.until(() => gone(rig).length === 2)
  rig.proxy.emit({ type: 'counts', sessions: { 'address/10.0.0.1/7000,-': 1, 'retired/game-servers/z': 1, nonsense: 1 } })
  await count(rig, { b: 2 })
  await settle(rig)
  t.strictSame(gone(rig), ['z', ['b', '10.0.0.2']], 'of one that is there the proxy is told once where that is; an address cannot go, and of a type that is not configured nobody knows')
})

void t.test('nothing is gone while the inventory has not been read', async t => {
  const rig = await start(t)
  const token = await query(rig)
  rig.inventoryStatus.synced = false
  await count(rig, { a: 1, z: 1 })
  remove(rig, 'a')
  rig.clock.advance(UNKNOWN_RETRY_MS)
  await count(rig, { z: 2 })
  t.strictSame([gone(rig), rig.proxy.voidTokens.size], [[], 0])
  put(rig, gameServer('a', '10.0.0.1', { labels: { map: 'dust' } }))
  rig.inventoryStatus.synced = true
  rig.clock.advance(UNKNOWN_RETRY_MS)
  await rig.proxy.until(() => gone(rig).length > 0)
  await settle(rig)
  t.strictSame(gone(rig), ['z'])
  t.ok(rig.proxy.tokens.has(token))
})

void t.test('a target at another address or port went from where it was, and who is where it is stays', async t => {
  const rig = await start(t)
  await query(rig, { labelSelector: { map: 'dust' } })
  const to = async (object: KubeObject, told: readonly unknown[], why: string): Promise<void> => {
    rig.proxy.gone.length = 0
    put(rig, object)
    await rig.proxy.until(() => rig.proxy.gone.length >= told.length)
    await settle(rig)
    t.strictSame(rig.proxy.gone.map(({ stays }) => stays === undefined ? 'nowhere' : `${stays.address}:${stays.ports['default']}`), told, why)
  }
  const a = (address: string, fields: Parameters<typeof gameServer>[2] = {}): KubeObject => gameServer('a', address, fields)
  await to(a('10.0.0.9'), ['10.0.0.9:7000'], 'told without waiting for counts, which are late')
  await to(a('10.0.0.9', { labels: { map: 'other' } }), [], 'the same place')
  await to(a('10.0.0.9', { port: 7001 }), ['10.0.0.9:7001'], 'another port')
  await count(rig, { a: 1 })
  await to(a(''), [], 'a node that restarts may be without an address for a moment')
  await to(a('10.0.0.9', { port: 0 }), [], 'or a server without its port')
  await to(a('10.0.0.9', { port: 7001 }), [], 'and is where it was')
  await to(a(''), [], 'or')
  await to(a('10.0.0.10'), ['10.0.0.10:7000'], 'is not')
  await to(a('192.0.2.1'), ['nowhere'], 'an address that is not allowed is nowhere to stay')
  rig.proxy.gone.length = 0
  await query(rig, { labelSelector: { map: 'aztec' } })
  remove(rig, 'b')
  put(rig, gameServer('b', '10.0.0.20', { labels: { map: 'aztec' } }))
  await count(rig, { b: 1 })
  await rig.proxy.until(() => rig.proxy.gone.length > 0)
  t.strictSame(gone(rig), [['b', '10.0.0.20']], 'gone and back before its sessions were counted')
})

void t.test('a control process that starts finds targets that moved while there was none', async t => {
  const rig = await start(t)
  await count(rig, { a: 3 })
  await rig.proxy.until(() => gone(rig).length > 0)
  t.strictSame(gone(rig), [['a', '10.0.0.1']])
  await count(rig, { a: 2 })
  await settle(rig)
  t.equal(gone(rig).length, 1, 'once')
})

void t.test('a Service that is gone, or has another clusterIP', async t => {
  const rig = await start(t, {
    config: '  legacy: { group: agones.dev, version: v1, resource: gameservers, serviceSelectorLabel: gs, serviceTargetPortName: game }\n',
    objects: []
  })
  const service = (clusterIP: string): KubeObject => ({ apiVersion: 'v1', kind: 'Service', metadata: { name: 's', namespace: 'game-servers', labels: { gs: 'a' } }, spec: { clusterIP, ports: [{ name: 'game', port: 7777 }] } })
  const put = (object: KubeObject): void => { rig.store.put([SERVICES_TYPE], object) }
  rig.store.put(['legacy'], gameServer('a', '10.0.0.1'))
  put(service('10.96.0.1'))
  await query(rig, { resourceType: 'legacy' })
  rig.proxy.emit({ type: 'counts', sessions: { 'legacy/game-servers/a': 1 } })
  await eventually(() => rig.features.load.sessions('legacy/game-servers/a') === 1)
  put(service('10.96.0.2'))
  await rig.proxy.until(() => rig.proxy.gone.length === 1)
  rig.store.remove([SERVICES_TYPE], 'game-servers', 's')
  await rig.proxy.until(() => rig.proxy.gone.length === 2)
  t.strictSame(rig.proxy.gone.map(({ stays }) => stays?.address), ['10.96.0.2', undefined])
})

void t.test('a host name that leads elsewhere: gone once it has settled, never while it rotates', async t => {
  let addresses = ['10.0.0.1']
  const rig = await start(t, { objects: [gameServer('a', 'a.example')], resolver: { resolve: async () => await Promise.resolve(ok({ addresses, ttlSeconds: 30 })), close: () => undefined } })
  const isResolved = (): boolean => rig.features.selector.select(games).ok
  await eventually(isResolved)
  await query(rig)
  await count(rig, { a: 1 })
  /** So many answers, each when the one before it has run out, which is longer than the link can be silent. */
  const answers = async (number: number): Promise<void> => {
    for (let at = 0; at < number; at++) {
      rig.clock.advance(30_000)
      while (!await settle(rig).then(() => true, () => false)) rig.clock.advance(10)
    }
  }
  for (const address of ['10.0.0.2', '10.0.0.1', '10.0.0.2', '10.0.0.1']) {
    addresses = [address]
    await answers(2)
  }
  addresses = ['10.0.0.1', '10.0.0.2']
  await answers(30)
  t.strictSame(gone(rig), [])
  addresses = ['10.0.0.3']
  await answers(SETTLED_MS / 30_000 - 2)
  t.strictSame(gone(rig), [])
  await answers(3)
  await rig.proxy.until(() => gone(rig).length > 0)
  t.strictSame(gone(rig), [['a', '10.0.0.3']])
})

void t.test('who is to move to the default endpoint moves to where that is after the same change', async t => {
  const rig = await start(t, { config: 'onTargetGone: default\ndefaultEndpoint: { resourceType: gameserver, namespace: game-servers, labelSelector: { map: dust } }' })
  await count(rig, { a: 1 })
  rig.proxy.calls.length = 0
  put(rig, gameServer('a', '10.0.0.9', { labels: { map: 'dust' } }))
  rig.clock.advance(1000)
  await rig.proxy.until(() => gone(rig).length === 1)
  t.strictSame(rig.proxy.calls.map(({ name }) => name).filter(name => name === 'putDefaultTargets' || name === 'leaveTargets'), ['putDefaultTargets', 'leaveTargets'])
})

void t.test('what happens while the proxy is away it hears on its return', async t => {
  const rig = await start(t)
  const token = await query(rig)
  await count(rig, { a: 1 })
  await rig.proxy.stop()
  await eventually(() => !rig.features.link.isSynchronised)
  remove(rig, 'a')
  put(rig, gameServer('a', '10.0.0.7'))
  remove(rig, 'a')
  await rig.proxy.restart()
  await eventually(() => {
    rig.clock.advance(10)
    return rig.features.link.isSynchronised && rig.proxy.openStreams() === 1
  })
  t.strictSame([...rig.proxy.voidTokens], [[token, 'withdrawn']], 'in the snapshot')
  t.equal(rig.proxy.tokens.size, 0)
  await settle(rig)
  t.strictSame(gone(rig), [], 'the new proxy has no sessions')
  rig.proxy.sessionsLeft = () => 1
  await count(rig, { a: 1 })
  await rig.proxy.until(() => gone(rig).length === 1)
  rig.proxy.cutStreams()
  await eventually(() => !rig.features.link.isSynchronised)
  await eventually(() => {
    rig.clock.advance(10)
    return rig.features.link.isSynchronised && rig.proxy.openStreams() === 1
  })
  await count(rig, { a: 2 })
  await rig.proxy.until(() => gone(rig).length === 2)
})

void t.test('more than one call holds, and a call that is not acknowledged', async t => {
  const rig = await start(t, { objects: [] })
  rig.proxy.sessionsLeft = () => 1
  const names = Array.from({ length: 1500 }, (_, number) => `s${number}`)
  await count(rig, Object.fromEntries(names.map(name => [name, 1])))
  // Not all in one turn.
  await eventually(() => {
    rig.clock.advance(1)
    return gone(rig).length === 1500
  })
  t.strictSame(new Set(gone(rig)), new Set(names))
  rig.proxy.hook = ({ name }) => name === 'leaveTargets' ? { kind: 'hang-up' } : undefined
  await count(rig, { s1: 2 })
  await eventually(() => !rig.features.link.isSynchronised)
  rig.proxy.hook = () => undefined
  rig.proxy.gone.length = 0
  await eventually(() => {
    rig.clock.advance(10)
    return rig.features.link.isSynchronised && rig.proxy.openStreams() === 1
  })
  await count(rig, { s1: 2 })
  await rig.proxy.until(() => gone(rig).length >= 1)
  t.ok(gone(rig).includes('s1'))
})

void t.test('a target that another director chose: there, gone, or elsewhere', async t => {
  const { store, features: { inventory, selector, registry, load, config, clock } } = await start(t)
  const said = { unready: undefined as string | undefined }
  const watch = new TargetWatch({
    inventory: { ...inventory, unready: () => said.unready },
    touched: compileTouchedObjects(config.resourceQueryMapping),
    holds: type => type === 'gameserver',
    selector,
    names: { isSettled: () => true },
    registry,
    load,
    clock,
    withdraw: () => undefined,
    ready: async () => { await Promise.resolve() },
    leave: async () => await Promise.resolve({})
  })
  t.teardown(() => { watch.close() })
  const target = (name: string, address: string, ports = { default: 7000 }): Target => ({ key: keyOf(name), address, ports })
  t.equal(watch.isGone(target('a', '10.0.0.1')), false)
  t.equal(watch.isGone(target('a', '10.0.0.9')), true, 'at another address')
  t.equal(watch.isGone(target('a', '10.0.0.1', { default: 7001 })), true, 'at another port')
  t.equal(watch.isGone(target('z', '10.0.0.1')), true)
  t.equal(watch.isGone({ key: 'address/10.9.9.9/7000', address: '10.9.9.9', ports: { default: 7000 } }), false, 'an address needs no object')
  t.equal(watch.isGone({ ...target('z', '10.0.0.1'), key: 'other/game-servers/z' }), false, 'of what this inventory does not hold nothing is known')
  store.put(['gameserver'], gameServer('b', 'not an address'))
  t.equal(watch.isGone(target('b', '10.0.0.2')), false, 'without an address for a moment')
  said.unready = 'not read yet'
  t.equal(watch.isGone(target('z', '10.0.0.1')), false)
})
