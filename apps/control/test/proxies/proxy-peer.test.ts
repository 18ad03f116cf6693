// The link against a proxy on a real socket, with a clock the test moves.
import { setImmediate as nextTurn } from 'node:timers/promises'
import pino, { type Logger } from 'pino'
import t, { type Test } from 'tap'
import { createRpcClient } from '#rpc/client.js'
import { PER_CALL, type TokenGrant } from '#rpc/contract.js'
import type { Token } from '#wire/token.js'
import { createFakeClock, FAKE_EPOCH_MS, type FakeClock } from '#testkit/fake-clock.js'
import { startFakeProxy, type FakeProxy } from '#testkit/fake-proxy.js'
import { PATIENCE_MS, until } from '#testkit/patience.js'
import { logEvents } from '../../src/events/event-log.js'
import { EventsHub } from '../../src/events/events-hub.js'
import { backOffMs } from '../../src/proxies/back-off.js'
import { ProxyPeer } from '../../src/proxies/proxy-peer.js'
import { TargetLoad } from '../../src/proxies/target-load.js'
import { TokenRegistry } from '../../src/tokens/token-registry.js'

const target = { key: 'gameserver/ns/a', address: '192.0.2.1', ports: { default: 7777 } }
const other = { key: 'gameserver/ns/b', address: '192.0.2.2', ports: { default: 7777 } }
const TTL_MS = 30_000
const DEADLINE_MS = 1000

interface Rig {
  readonly clock: FakeClock
  readonly proxy: FakeProxy
  readonly registry: TokenRegistry
  readonly events: EventsHub
  readonly load: TargetLoad
  readonly link: ProxyPeer
  readonly batches: number[]
  readonly logged: string[]
}

function logTo (lines: string[]): Logger {
  return pino({ level: 'warn' }, { write: (line: string) => { lines.push((JSON.parse(line) as { msg: string }).msg) } })
}

async function startRig (t: Test, options: { proxy?: FakeProxy, maxPushQueue?: number } = {}): Promise<Rig> {
  const proxy = options.proxy ?? await startFakeProxy()
  const clock = createFakeClock()
  const client = createRpcClient({ socketPath: proxy.socketPath, deadlineMs: PATIENCE_MS, maxInFlight: 8, clock })
  const registry = new TokenRegistry(clock, 100_000)
  const batches: number[] = []
  const logged: string[] = []
  const log = logTo(logged)
  const events = new EventsHub(clock)
  logEvents(events, log)
  const link = new ProxyPeer({
    client,
    clock,
    random: () => 0,
    log,
    registry,
    events,
    limits: { maxPushQueue: options.maxPushQueue ?? 10_000, pushDeadlineMs: DEADLINE_MS },
    onBatch: size => { batches.push(size) }
  })
  t.teardown(async () => {
    await Promise.all([link.close(), client.close()])
    registry.close()
    if (clock.pending() > 0) throw new Error('A timer is left.')
    if (options.proxy === undefined) await proxy.close()
  })
  return { clock, proxy, registry, events, load: new TargetLoad([link.counts], registry), link, batches, logged }
}

/** Lets sockets work until `condition` holds; time stands still. */
async function eventually (condition: () => boolean): Promise<void> {
  await until(condition)
}

/** Like `eventually`, while time passes. */
async function inTime (clock: FakeClock, condition: () => boolean): Promise<void> {
  await eventually(() => {
    clock.advance(10)
    return condition()
  })
}

async function synchronised (rig: Rig): Promise<void> {
  rig.link.start()
  await eventually(() => rig.link.isSynchronised && rig.proxy.openStreams() === 1)
}

function grant (number: number): TokenGrant {
  return { token: tokenOf(number), ttlMs: TTL_MS, target }
}

function tokenOf (number: number): Token {
  return `00000000-0000-4000-8000-${String(number).padStart(12, '0')}` as Token
}

void t.test('connecting: hello, a snapshot with what is left of every token, then pushes go through', async t => {
  const rig = await startRig(t)
  const { clock, proxy, registry, link } = rig
  registry.add(tokenOf(1), target, TTL_MS)
  registry.consume(tokenOf(1), 'default')
  clock.advance(1000)
  link.setDefaultTargets([other])
  t.strictSame(link.status(), { state: 'disconnected', reason: 'Not connected yet.', stateStatus: 'off' })
  t.strictSame(await link.push(grant(9)), { ok: false, error: 'PROXY_UNAVAILABLE' })
  await synchronised(rig)
  t.strictSame(proxy.calls.map(({ name }) => name), ['hello', 'putSnapshot'])
  t.strictSame(proxy.calls[1]?.body, {
    epoch: FAKE_EPOCH_MS + 1000,
    tokens: [{ token: tokenOf(1), ttlMs: TTL_MS - 1000, target, consumed: ['default'] }],
    revoked: [],
    withdrawn: [],
    defaultTargets: [other]
  })
  t.match(link.status(), { state: 'synchronised', proxy: { instanceId: proxy.instanceId } })
  t.strictSame(await link.push(grant(2)), { ok: true, value: undefined })
  t.equal(proxy.tokens.has(tokenOf(2)), true)
})

void t.test('an epoch is chosen above the one the proxy has seen, and each connection has the next one', async t => {
  const rig = await startRig(t)
  rig.proxy.epoch = FAKE_EPOCH_MS * 2
  await synchronised(rig)
  t.equal(rig.proxy.epoch, FAKE_EPOCH_MS * 2 + 1)
  await rig.proxy.restart()
  await inTime(rig.clock, () => rig.link.isSynchronised && rig.proxy.openStreams() === 1 && rig.proxy.epoch > 0)
  t.equal(rig.proxy.epoch, FAKE_EPOCH_MS * 2 + 2, 'the next one after a restart of the proxy')
})

void t.test('more tokens than a call holds follow before the link counts as up', async t => {
  const rig = await startRig(t)
  for (let number = 0; number < 9 * PER_CALL; number++) rig.registry.add(tokenOf(number), target, TTL_MS)
  await synchronised(rig)
  t.equal(rig.proxy.tokens.size, 9 * PER_CALL)
  t.strictSame(rig.proxy.calls.map(({ name, body }) => [name, (body as { tokens?: unknown[] } | undefined)?.tokens?.length]),
    [['hello', undefined], ['putSnapshot', PER_CALL], ...Array.from({ length: 8 }, () => ['pushTokens', PER_CALL])])
})

void t.test('pushes of one turn leave together, and so do those that come while a call is in flight', async t => {
  const rig = await startRig(t)
  await synchronised(rig)
  let release = (): void => undefined
  const released = new Promise<void>(resolve => { release = resolve })
  rig.proxy.hook = () => ({ kind: 'delay', until: released })
  const push = async (number: number) => await rig.link.push(grant(number))
  const pushes = [1, 2].map(push)
  await rig.proxy.until(() => rig.proxy.tokens.has(tokenOf(2)))
  pushes.push(...[3, 4, 5].map(push))
  await nextTurn()
  t.equal(rig.proxy.tokens.has(tokenOf(3)), false)
  release()
  t.strictSame(await Promise.all(pushes), Array(5).fill({ ok: true, value: undefined }))
  t.strictSame(rig.batches, [2, 3])
})

void t.test('a queue at its bound refuses, and a refusal of the proxy names its reason', async t => {
  const rig = await startRig(t, { maxPushQueue: 3 })
  await synchronised(rig)
  rig.proxy.reject = ({ token }) => token === tokenOf(2) ? 'TARGET_TABLE_FULL' : token === tokenOf(3) ? 'INVALID_TARGET' : undefined
  const outcomes = await Promise.all([1, 2, 3, 4].map(async number => await rig.link.push(grant(number))))
  t.strictSame(outcomes, [
    { ok: true, value: undefined },
    { ok: false, error: 'TARGET_TABLE_FULL' },
    { ok: false, error: 'INVALID_TARGET' },
    { ok: false, error: 'PUSH_QUEUE_FULL' }
  ])
})

void t.test('a push nobody acknowledges in time fails, and is revoked after the late answer', async t => {
  const rig = await startRig(t)
  const { clock, proxy, link } = rig
  await synchronised(rig)
  let release = (): void => undefined
  const released = new Promise<void>(resolve => { release = resolve })
  proxy.hook = () => ({ kind: 'delay', until: released })
  const late = link.push(grant(1))
  const behind = link.push(grant(2))
  await proxy.until(() => proxy.tokens.has(tokenOf(1)))
  clock.advance(DEADLINE_MS - 1)
  clock.advance(1)
  t.strictSame(await late, { ok: false, error: 'PROXY_UNAVAILABLE' })
  t.strictSame(await behind, { ok: false, error: 'PROXY_UNAVAILABLE' }, 'one that waited behind it too')
  proxy.hook = () => undefined
  release()
  await proxy.until(() => !proxy.tokens.has(tokenOf(1)))
  t.equal(link.isSynchronised, true, 'slow is not lost')
  t.strictSame(await link.push(grant(3)), { ok: true, value: undefined })
  t.strictSame([...proxy.tokens.keys()], [tokenOf(3)])
})

void t.test('a proxy that goes silent is given up and its unacknowledged tokens are revoked on return', async t => {
  const rig = await startRig(t)
  const { clock, proxy, link } = rig
  await synchronised(rig)
  proxy.hook = ({ name }) => name === 'pushTokens' ? { kind: 'silence' } : undefined
  const lost = link.push(grant(1))
  await proxy.until(() => proxy.tokens.has(tokenOf(1)))
  clock.advance(DEADLINE_MS * 2)
  t.strictSame(await lost, { ok: false, error: 'PROXY_UNAVAILABLE' })
  await eventually(() => !link.isSynchronised)
  await inTime(clock, () => link.isSynchronised)
  t.strictSame(proxy.calls.at(-1)?.name, 'putSnapshot')
  t.strictSame((proxy.calls.at(-1)?.body as { revoked: string[] }).revoked, [tokenOf(1)])
  t.equal(proxy.tokens.has(tokenOf(1)), false)
  t.equal(link.isRevoking(tokenOf(1)), false)
})

void t.test('a stopped proxy: pushes fail at once, and its return brings a snapshot', async t => {
  const rig = await startRig(t)
  const { clock, proxy, registry, link, logged } = rig
  await synchronised(rig)
  registry.add(tokenOf(1), target, TTL_MS)
  await proxy.stop()
  await eventually(() => !link.isSynchronised)
  t.strictSame(await link.push(grant(2)), { ok: false, error: 'PROXY_UNAVAILABLE' })
  t.strictSame(await link.revoke([tokenOf(7)], TTL_MS), { ok: false, error: 'PROXY_UNAVAILABLE' })
  await inTime(clock, () => link.status().state === 'disconnected' && clock.now() > 3000)
  t.match(link.status(), { state: 'disconnected', reason: 'The proxy does not answer (made by the client).' })
  proxy.calls.length = 0
  await proxy.restart()
  await inTime(clock, () => link.isSynchronised && proxy.openStreams() === 1)
  t.strictSame([...proxy.tokens.keys()], [tokenOf(1)])
  t.strictSame(proxy.calls.map(({ name }) => name), ['hello', 'putSnapshot'])
  t.strictSame((proxy.calls[1]?.body as { revoked: string[] }).revoked, [tokenOf(7)])
  t.strictSame(logged, ['Proxy lost'], 'said once, not at every attempt')
})

void t.test('a reply from another instance brings a new snapshot', async t => {
  const rig = await startRig(t)
  const { clock, proxy, link } = rig
  await synchronised(rig)
  proxy.instanceId = 'another'
  t.strictSame(await link.push(grant(1)), { ok: false, error: 'PROXY_UNAVAILABLE' }, 'it may be gone again')
  await inTime(clock, () => link.isSynchronised)
  t.equal(link.status().proxy?.instanceId, 'another')
  t.equal(proxy.tokens.has(tokenOf(1)), false, 'and it was revoked')
})

void t.test('a cut event stream is a lost link', async t => {
  const rig = await startRig(t)
  await synchronised(rig)
  rig.proxy.cutStreams()
  await eventually(() => !rig.link.isSynchronised)
  await inTime(rig.clock, () => rig.link.isSynchronised && rig.proxy.openStreams() === 1)
  t.strictSame(rig.proxy.calls.map(({ name }) => name), ['hello', 'putSnapshot', 'hello', 'putSnapshot'])
})

void t.test('a newer control process: this one gives way while it is there, then takes over', async t => {
  const rig = await startRig(t)
  const { clock, proxy, link, logged } = rig
  await synchronised(rig)
  proxy.epoch = FAKE_EPOCH_MS * 2
  t.strictSame(await link.push(grant(1)), { ok: false, error: 'PROXY_UNAVAILABLE' })
  t.match(link.status(), { state: 'superseded', reason: 'A newer control process has taken over.' })
  t.strictSame(logged, ['Superseded by a newer control process'])
  await eventually(() => proxy.openStreams() === 0)
  proxy.controlled = true
  const looks = (): number => proxy.calls.filter(({ name }) => name === 'hello').length
  const before = looks()
  await inTime(clock, () => looks() >= before + 8)
  t.equal(link.status().state, 'superseded', 'no flapping while the other lives')
  t.equal(proxy.calls.filter(({ name }) => name === 'putSnapshot').length, 1)
  proxy.controlled = undefined
  await inTime(clock, () => link.isSynchronised)
  t.ok(proxy.epoch > FAKE_EPOCH_MS * 2, 'above what the other had')
  t.ok(logged.includes('The newer control process is gone, taking over'))
})

void t.test('default targets: the latest wins, and the snapshot carries them', async t => {
  const rig = await startRig(t)
  const { clock, proxy, link } = rig
  await synchronised(rig)
  let release = (): void => undefined
  const released = new Promise<void>(resolve => { release = resolve })
  proxy.hook = () => ({ kind: 'delay', until: released })
  link.setDefaultTargets([target])
  link.setDefaultTargets([])
  link.setDefaultTargets([other])
  await proxy.until(() => proxy.defaultTargets.length === 1)
  release()
  await proxy.until(() => proxy.defaultTargets[0]?.key === other.key)
  t.equal(proxy.calls.filter(({ name }) => name === 'putDefaultTargets').length, 2, 'the one in between never left')
  proxy.hook = () => undefined
  await proxy.restart()
  await inTime(clock, () => proxy.defaultTargets.length === 1)
  t.strictSame(proxy.defaultTargets, [other])
})

void t.test('many default targets go in parts, and count once all are there: in the snapshot and after it', async t => {
  const rig = await startRig(t)
  const { clock, proxy, link } = rig
  const many = Array.from({ length: 2 * PER_CALL + 1 }, (_, number) => ({ ...target, key: `gameserver/default/s${number}` }))
  const parts = (): unknown[] => proxy.calls.splice(0).filter(({ name }) => name !== 'hello').map(({ name, body }) => {
    const { defaultTargets, after, more } = body as { defaultTargets: unknown[], after?: number, more?: boolean }
    return [name, defaultTargets.length, after, more]
  })
  link.setDefaultTargets(many)
  await synchronised(rig)
  t.strictSame(parts(), [['putSnapshot', PER_CALL, undefined, true], ['putDefaultTargets', PER_CALL, PER_CALL, true], ['putDefaultTargets', 1, 2 * PER_CALL, undefined]])
  t.strictSame(proxy.defaultTargets, many)
  const fewer = many.slice(1, PER_CALL + 2)
  link.setDefaultTargets(fewer)
  await proxy.until(() => proxy.defaultTargets.length === fewer.length)
  t.strictSame(proxy.defaultTargets, fewer)
  t.strictSame(parts(), [['putDefaultTargets', PER_CALL, undefined, true], ['putDefaultTargets', 1, PER_CALL, undefined]])
  // The proxy is lost in the middle of a list: the next snapshot begins it anew.
  proxy.hook = ({ body }) => (body as { after?: number } | undefined)?.after === undefined ? undefined : { kind: 'hang-up' }
  link.setDefaultTargets(many)
  await proxy.until(() => proxy.calls.length === 2)
  t.strictSame(proxy.defaultTargets, fewer, 'the former ones stay meanwhile')
  proxy.hook = () => undefined
  await inTime(clock, () => proxy.defaultTargets.length === many.length)
  t.strictSame(proxy.defaultTargets, many)
})

void t.test('a default endpoint the proxy refuses does not keep the director from working', async t => {
  const rig = await startRig(t)
  const { proxy, link, logged } = rig
  proxy.hook = ({ body }) => (body as { defaultTargets?: unknown[] } | undefined)?.defaultTargets?.length === 1 ? { kind: 'error', code: 'TARGET_TABLE_FULL' } : undefined
  link.setDefaultTargets([target])
  await synchronised(rig)
  t.strictSame(logged, ['Proxy refused the default endpoint'])
  link.setDefaultTargets([other])
  await proxy.until(() => proxy.calls.at(-1)?.name === 'putDefaultTargets')
  t.strictSame(await link.push(grant(1)), { ok: true, value: undefined })
  t.equal(link.isSynchronised, true)
})

void t.test('events: counts are the load, redemptions are noted', async t => {
  const rig = await startRig(t)
  const { proxy, registry, load } = rig
  await synchronised(rig)
  registry.add(tokenOf(1), target, TTL_MS)
  proxy.emit({ type: 'counts', sessions: { [target.key]: 2, [other.key]: 1 } })
  proxy.emit({ type: 'counts', sessions: { [other.key]: 0 } })
  proxy.emit({ type: 'redeemed', token: tokenOf(1), dataPort: 'default', sessionId: '1' })
  await eventually(() => registry.pending(target.key) === 0)
  t.strictSame([load.of(target.key), load.of(other.key)], [2, 0])
  proxy.cutStreams()
  await inTime(rig.clock, () => rig.link.isSynchronised && proxy.openStreams() === 1 && load.of(target.key) === 0)
  t.pass('and are told anew after a reconnect')
})

void t.test('revoking: acknowledged by the proxy, in as many calls as it takes', async t => {
  const rig = await startRig(t)
  const { proxy, link } = rig
  await synchronised(rig)
  for (let number = 0; number < 2500; number++) proxy.tokens.set(tokenOf(number), grant(number))
  const all = [...proxy.tokens.keys()] as Token[]
  t.strictSame(await link.revoke(all, TTL_MS), { ok: true, value: undefined })
  t.equal(proxy.tokens.size, 0)
  t.equal(proxy.calls.filter(({ name }) => name === 'pushTokens').length, Math.ceil(2500 / PER_CALL))
})

void t.test('withdrawing: nobody waits, and it is said until it is acknowledged', async t => {
  const rig = await startRig(t)
  const { clock, proxy, link } = rig
  await synchronised(rig)
  for (const number of [1, 2, 3]) await link.push(grant(number))
  let release = (): void => undefined
  const released = new Promise<void>(resolve => { release = resolve })
  proxy.hook = () => ({ kind: 'delay', until: released })
  const late = link.push(grant(4))
  await proxy.until(() => proxy.tokens.has(tokenOf(4)))
  link.withdraw([tokenOf(1), tokenOf(4)], TTL_MS)
  proxy.hook = () => undefined
  release()
  t.strictSame(await late, { ok: true, value: undefined })
  await proxy.until(() => proxy.voidTokens.size === 2)
  t.strictSame([...proxy.voidTokens], [[tokenOf(1), 'withdrawn'], [tokenOf(4), 'withdrawn']], 'after the push that brought it')
  proxy.hook = ({ name }) => name === 'pushTokens' ? { kind: 'hang-up' } : undefined
  link.withdraw([tokenOf(2)], TTL_MS)
  void link.revoke([tokenOf(3)], TTL_MS)
  await eventually(() => !link.isSynchronised)
  link.withdraw([tokenOf(5)], 20)
  clock.advance(20)
  proxy.hook = () => undefined
  await inTime(clock, () => link.isSynchronised)
  t.match(proxy.calls.at(-1), { name: 'putSnapshot', body: { revoked: [tokenOf(3)], withdrawn: [tokenOf(2)] } }, 'but for one that has expired meanwhile')
})

void t.test('back-off doubles from 50 ms to 2 s, less up to half', async t => {
  t.strictSame([1, 2, 3, 6, 7, 50].map(failures => backOffMs(failures, 0)), [50, 100, 200, 1600, 2000, 2000])
  t.equal(backOffMs(1, 0.999), 50 * (1 - 0.999 / 2))
})
