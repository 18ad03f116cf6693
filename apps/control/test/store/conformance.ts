// What every store must do, whichever it is: one suite for the twin in memory and for real servers.
import { randomUUID } from 'node:crypto'
import type { Test } from 'tap'
import { until } from '#testkit/patience.js'
import type { Token } from '#wire/token.js'
import type { ClaimOutcome, ReplicaMessage, SharedStore, SharedToken, StoreEvents, StoreResult } from '../../src/store/shared-store.js'

/** A replica's store, and what it was told. */
export interface Opened {
  readonly store: SharedStore
  readonly messages: ReplicaMessage[]
  readonly ups: boolean[]
  readonly downs: string[]
  readonly calls: string[]
  readonly newer: () => number
}

/** Opens a replica's store with these events. The suite starts it, and closes it. */
export type OpenStore = (replica: string, events: StoreEvents) => SharedStore | Promise<SharedStore>

export const target = { key: 'gameserver/games/arena-1', address: '203.0.113.7', ports: { default: 7777 } }
const other = { key: 'gameserver/games/arena-2', address: '2001:db8::7', ports: { default: 7778, voice: 7779 } }

/** Opens and starts a replica's store, and waits until it is up. */
export async function openUp (t: Test, open: OpenStore, replica: string): Promise<Opened> {
  const opened = await openStarted(t, open, replica)
  await until(() => opened.store.status === 'up', { what: () => `the store up: ${opened.store.status}, ${String(opened.store.reason)}` })
  return opened
}

/** As `openUp`, without the waiting. */
export async function openStarted (t: Test, open: OpenStore, replica: string): Promise<Opened> {
  let newer = 0
  const [messages, ups, downs, calls]: [ReplicaMessage[], boolean[], string[], string[]] = [[], [], [], []]
  const store = await open(replica, {
    onUp: isAgain => { ups.push(isAgain) },
    onDown: reason => { downs.push(reason) },
    onMessage: message => { messages.push(message) },
    onNewerRecord: () => { newer++ },
    onCall: (call, outcome) => { calls.push(`${call} ${outcome}`) }
  })
  t.teardown(async () => { await store.close() })
  store.start()
  return { store, messages, ups, downs, calls, newer: () => newer }
}

/** The whole suite. Keys are new in each run: it may share a server with others. */
export async function conforms (t: Test, open: OpenStore): Promise<void> {
  const a = await openUp(t, open, 'pod-a')
  const b = await openUp(t, open, 'pod b,%')
  const token = (): Token => randomUUID() as string as Token
  const shared: SharedToken = { target, minter: 'pod-a' }
  const claimAt = (client: string, dataPort = 'default', clientPrefix = client.slice(0, client.lastIndexOf(':'))): { readonly client: string, readonly dataPort: string, readonly clientPrefix: string } =>
    ({ client, dataPort, clientPrefix })
  const first = claimAt('192.0.2.1:1000')
  const second = claimAt('192.0.2.2:1000')
  const verdict = async ({ store }: Opened, claim: Parameters<SharedStore['claim']>[0]): Promise<string> => {
    const result = await store.claim(claim)
    return result.ok ? result.value.verdict : result.error
  }

  await t.test('a token is live for whoever claims it first, again and at any replica, and consumed for others', async t => {
    const one = token()
    t.same(await a.store.mint(one, shared, 60_000), { ok: true, value: undefined })
    const claimed = await b.store.claim({ token: one, ...first })
    t.match(claimed, { ok: true, value: { verdict: 'live', token: shared } })
    t.same(consumedOf(claimed), ['default'])
    t.ok(claimed.ok && claimed.value.verdict === 'live' && claimed.value.ttlMs > 0 && claimed.value.ttlMs <= 60_000)
    t.equal(await verdict(a, { token: one, ...first }), 'live')
    t.equal(await verdict(a, { token: one, ...second }), 'consumed')
    t.same(consumedOf(await a.store.claim({ token: one, ...claimAt('192.0.2.2:1000', 'voice') })), ['default', 'voice'], 'each data port for itself')
  })

  await t.test('of many claims at once exactly one client has it', async t => {
    const one = token()
    await a.store.mint(one, shared, 60_000)
    const verdicts = await Promise.all(Array.from({ length: 60 }, async (_, at) => await verdict(at % 2 === 0 ? a : b, { token: one, ...claimAt(`192.0.2.3:${2000 + at}`) })))
    t.equal(verdicts.filter(each => each === 'live').length, 1)
    t.equal(verdicts.filter(each => each === 'consumed').length, 59)
  })

  await t.test('a token that nobody made, or that is over, is unknown', async t => {
    t.equal(await verdict(a, { token: token(), ...first }), 'unknown')
    const brief = token()
    await a.store.mint(brief, shared, 30)
    await until(async () => await verdict(b, { token: brief, ...first }) === 'unknown')
  })

  await t.test('a token bound to a client prefix is not consumed by others', async t => {
    const one = token()
    await a.store.mint(one, { ...shared, clientPrefix: '192.0.2.1' }, 60_000)
    t.equal(await verdict(b, { token: one, ...second }), 'not_theirs')
    const claimed = await b.store.claim({ token: one, ...first })
    t.match(claimed, { value: { verdict: 'live', token: { clientPrefix: '192.0.2.1' } } })
    t.same(consumedOf(claimed), ['default'])
  })

  await t.test('a void token stays void, whoever writes it again', async t => {
    const [known, lost] = [token(), token()]
    await a.store.mint(known, shared, 60_000)
    t.same(await b.store.makeVoid([known, lost], 60_000), { ok: true, value: [known] }, 'those that it knew')
    t.same(await a.store.makeVoid([known, lost], 60_000), { ok: true, value: [] }, 'and that were not void')
    for (const one of [known, lost]) {
      await a.store.mint(one, shared, 60_000, new Map([['default', first.client]]))
      t.equal(await verdict(a, { token: one, ...first }), 'void')
    }
    t.same(await b.store.makeVoid([], 60_000), { ok: true, value: [] })
  })

  await t.test('written again, a token brings its redemptions, and those of the store stay', async t => {
    const [lost, known] = [token(), token()]
    await a.store.mint(lost, shared, 60_000, new Map([['default', first.client], ['voice', second.client]]))
    t.equal(await verdict(b, { token: lost, ...second }), 'consumed')
    t.same(consumedOf(await b.store.claim({ token: lost, ...first })), ['default', 'voice'])
    await a.store.mint(known, shared, 60_000)
    t.equal(await verdict(b, { token: known, ...second }), 'live')
    await a.store.mint(known, shared, 60_000, new Map([['default', first.client]]))
    t.equal(await verdict(b, { token: known, ...second }), 'live')
    t.equal(await verdict(b, { token: known, ...first }), 'consumed')
    await a.store.mint(known, shared, 60_000, new Map())
  })

  await t.test('a binding goes from replica to replica, and its sequence up', async t => {
    const client = `198.51.100.1:${port()}`
    t.same(await a.store.find(client), { ok: true, value: undefined })
    t.same(await a.store.join(client, 'pod-a', 1000), { ok: true, value: undefined })
    const one = token()
    const bound = await a.store.bind({ client, binding: { target, token: one, tokenTtlMs: 5000, consumed: ['default'] }, ttlMs: 60_000 }, 'pod-a')
    t.same(bound.ok && bound.value.replicas, [])
    const sequence = bound.ok ? bound.value.sequence : 0
    t.same(await b.store.join(client, 'pod b,%', 60_000), { ok: true, value: { sequence, replicas: ['pod-a'] } })
    const found = await b.store.find(client)
    const tokenTtlMs = found.ok ? found.value?.tokenTtlMs : undefined
    t.same(found, { ok: true, value: { target, token: one, tokenTtlMs, consumed: ['default'], sequence, replicas: ['pod b,%', 'pod-a'] } })
    t.ok(tokenTtlMs !== undefined && tokenTtlMs <= 5000)
    const moved = await b.store.bind({ client, binding: { target: other }, ttlMs: 60_000 }, 'pod b,%')
    t.same(moved.ok && moved.value.replicas, ['pod-a'])
    t.ok(moved.ok && moved.value.sequence > sequence)
    t.same(await a.store.find(client), { ok: true, value: { target: other, sequence: moved.ok ? moved.value.sequence : 0, replicas: ['pod b,%', 'pod-a'] } })
  })

  await t.test('keep writes again what is the newest, and tells what is newer', async t => {
    const [lost, newer] = [`198.51.100.2:${port()}`, `198.51.100.2:${port()}`]
    const bound = await b.store.bind({ client: newer, binding: { target: other }, ttlMs: 60_000 }, 'pod b,%')
    const sequence = bound.ok ? bound.value.sequence : 0
    const write = { binding: { target }, ttlMs: 60_000 }
    const kept = await a.store.keep([{ client: lost, sequence: 7, ...write }, { client: newer, sequence: sequence - 1, ...write }], 'pod-a')
    t.same(kept, { ok: true, value: new Map([[newer, { target: other, sequence, replicas: ['pod b,%'] }]]) })
    t.same(await b.store.find(lost), { ok: true, value: { target, sequence: 7, replicas: ['pod-a'] } })
    t.same(await a.store.keep([{ client: newer, sequence, ...write }], 'pod-a'), { ok: true, value: new Map() })
    t.same(await b.store.find(newer), { ok: true, value: { target, sequence, replicas: ['pod-a', 'pod b,%'] } })
    t.same(await a.store.keep([], 'pod-a'), { ok: true, value: new Map() })
  })

  await t.test('many bindings are kept in one call', async t => {
    const start = port()
    const keeps = Array.from({ length: 1200 }, (_, at) => ({ client: `198.51.${at % 250}.9:${start + at}`, sequence: 3, binding: { target }, ttlMs: 20_000 }))
    t.same(await a.store.keep(keeps, 'pod-a'), { ok: true, value: new Map() })
    t.match(await b.store.find(keeps[1199]!.client), { value: { sequence: 3 } })
  })

  await t.test('a binding goes when the last replica drops it, when it is dropped everywhere, or in time', async t => {
    const [client, everywhere, brief] = [`198.51.100.3:${port()}`, `198.51.100.3:${port()}`, `198.51.100.3:${port()}`]
    for (const each of [client, everywhere]) {
      await a.store.bind({ client: each, binding: { target }, ttlMs: 60_000 }, 'pod-a')
      await b.store.join(each, 'pod b,%', 60_000)
    }
    t.same(await a.store.drop(client, 'pod-a', false), { ok: true, value: ['pod b,%'] })
    const left = await b.store.find(client)
    t.same(left.ok && left.value?.replicas, ['pod b,%'])
    t.same(await b.store.drop(client, 'pod b,%', false), { ok: true, value: [] })
    t.same(await b.store.find(client), { ok: true, value: undefined })
    t.same(await a.store.drop(client, 'pod-a', false), { ok: true, value: [] })
    t.same(await a.store.drop(everywhere, 'pod-a', true), { ok: true, value: ['pod b,%'] })
    t.same(await b.store.find(everywhere), { ok: true, value: undefined })
    await a.store.bind({ client: brief, binding: { target }, ttlMs: 30 }, 'pod-a')
    await until(async () => { const found = await b.store.find(brief); return found.ok && found.value === undefined })
  })

  await t.test('a client that was at many replicas is known at the newest eight', async t => {
    const client = `198.51.100.4:${port()}`
    await a.store.bind({ client, binding: { target }, ttlMs: 60_000 }, 'pod-0')
    for (let at = 1; at < 12; at++) await a.store.join(client, `pod-${at}`, 60_000)
    const found = await a.store.find(client)
    t.same(found.ok && found.value?.replicas, ['pod-11', 'pod-10', 'pod-9', 'pod-8', 'pod-7', 'pod-6', 'pod-5', 'pod-4'])
  })

  await t.test('token keys: the first proposal stays until it is old', async t => {
    const [one, two, three] = ['1', '2', '3'].map(digit => digit.repeat(32)) as [string, string, string]
    const made = await a.store.keys(one, 1e9)
    const current = made.ok ? made.value.current : ''
    t.match(await b.store.keys(two, 1e9), { ok: true, value: { current } })
    const changed = await b.store.keys(two, 0)
    t.match(changed, { ok: true, value: { current: two, former: current } })
    t.ok(changed.ok && changed.value.nowMs - changed.value.sinceMs >= 0 && changed.value.nowMs - changed.value.sinceMs < 600_000)
    t.match(await a.store.keys(three, 1e9), { ok: true, value: { current: two, former: current } })
  })

  await t.test('replicas are listed for as long as they say', async t => {
    const info = (replica: string): Parameters<SharedStore['announce']>[0] => ({ replica, version: '1.0.0', sessions: 3, sinceMs: 1_700_000_000_000 })
    await a.store.announce(info('pod b,%'), 60_000)
    await b.store.announce(info('pod-brief'), 30)
    await a.store.announce(info('pod-a'), 60_000)
    await until(async () => {
      const all = await b.store.replicas()
      return all.ok && !all.value.some(({ replica }) => replica === 'pod-brief')
    })
    const all = await b.store.replicas()
    t.same(all.ok && all.value.map(({ replica }) => replica).sort(), ['pod b,%', 'pod-a'])
    t.same(all.ok && all.value.find(({ replica }) => replica === 'pod-a'), info('pod-a'))
  })

  await t.test('messages reach one replica, or all but the one that sends', async t => {
    const one = token()
    const messages: ReplicaMessage[] = [
      { type: 'redeemed', token: one, dataPort: 'default', client: first.client },
      { type: 'elsewhere', client: first.client, change: 'moved', target: other, sequence: 5 },
      { type: 'void', tokens: [one], cause: 'revoked' },
      { type: 'counts', replica: 'pod-a', sessions: { [target.key]: 3 }, isAll: true }
    ]
    for (const message of messages.slice(0, 2)) a.store.send('pod b,%', message)
    for (const message of messages.slice(2)) a.store.send(undefined, message)
    await until(() => b.messages.length === 4)
    t.same(b.messages, messages)
    b.store.send(undefined, messages[3]!)
    await until(() => a.messages.length === 1)
    t.same(a.messages, messages.slice(3), 'not its own')
  })

  await t.test('every call is counted once, and every store was up once', async t => {
    await until(() => a.calls.filter(call => call === 'send ok').length === 4)
    t.ok([...a.calls, ...b.calls].every(call => call.endsWith(' ok')))
    t.same([a.ups, a.downs, b.ups, b.downs], [[false], [], [false], []])
    t.equal(a.newer() + b.newer(), 0)
  })
}

function consumedOf (claimed: StoreResult<ClaimOutcome>): readonly string[] | undefined {
  return claimed.ok && claimed.value.verdict === 'live' ? claimed.value.consumed : undefined
}

let lastPort = 20_000
function port (): number {
  return lastPort++
}
