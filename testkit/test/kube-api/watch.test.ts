import t, { type Test } from 'tap'
import { createFakeClock, type FakeClock } from '#testkit/fake-clock.js'
import { startKubeApi, type KubeApi, type KubeApiOptions } from '#testkit/kube-api/start-kube-api.js'
import { get, watch } from './raw-client.js'

const GAMES = '/apis/agones.dev/v1/namespaces/games/gameservers'
const ALL = '/apis/agones.dev/v1/gameservers'

async function start (t: Test, options: KubeApiOptions = {}): Promise<{ api: KubeApi, clock: FakeClock }> {
  const clock = createFakeClock()
  const api = await startKubeApi({ clock, ...options })
  t.teardown(api.close)
  return { api, clock }
}

function create (api: KubeApi, name: string, labels: Record<string, string> = {}, namespace = 'games'): void {
  api.store.create('gameservers', { metadata: { name, namespace, labels } })
}

const brief = (events: any[]): string[] => events.map(({ type, object }) => `${type} ${object.metadata.name ?? ''}@${object.metadata.resourceVersion}`)

void t.test('a watch replays what came after its version, and goes on live', async t => {
  const { api } = await start(t)
  create(api, 'a') // 98
  create(api, 'b')
  api.store.patch('gameservers', 'games/a', { status: { state: 'Ready' } })
  const stream = await watch(api, `${GAMES}?watch=1&resourceVersion=98`)
  t.same([stream.status, stream.headers['content-type'], stream.headers['transfer-encoding']], [200, 'application/json', 'chunked'])
  api.store.delete('gameservers', 'games/b')
  create(api, 'c')
  create(api, 'elsewhere', {}, 'arena')
  api.store.patch('gameservers', 'games/c', { status: { state: 'Ready' } })
  const events = await stream.events(5)
  t.same(brief(events), ['ADDED b@99', 'MODIFIED a@100', 'DELETED b@101', 'ADDED c@102', 'MODIFIED c@104'])
  t.match(events[1].object, { apiVersion: 'agones.dev/v1', kind: 'GameServer', status: { state: 'Ready' } })
})

void t.test('without a version, or with 0, what exists comes first', async t => {
  const { api } = await start(t)
  create(api, 'a')
  create(api, 'b', {}, 'arena')
  const streams = await Promise.all([watch(api, `${ALL}?watch=true`), watch(api, `${ALL}?watch=1&resourceVersion=0`), watch(api, `${GAMES}?watch`)])
  create(api, 'c')
  t.same(brief(await streams[0].events(3)), ['ADDED a@98', 'ADDED b@99', 'ADDED c@100'])
  t.same(brief(await streams[1].events(3)), ['ADDED a@98', 'ADDED b@99', 'ADDED c@100'])
  t.same(brief(await streams[2].events(2)), ['ADDED a@98', 'ADDED c@100'])
})

void t.test('to a selector an object begins when it matches and is deleted when it does not any more', async t => {
  const { api } = await start(t)
  create(api, 'a', { map: 'dust' })
  create(api, 'b', { map: 'nuke' })
  const byLabel = await watch(api, `${GAMES}?watch=1&labelSelector=map%3Ddust&resourceVersion=99`)
  const byName = await watch(api, `${GAMES}?watch=1&fieldSelector=metadata.name%3Da&resourceVersion=99`)
  api.store.patch('gameservers', 'games/b', { metadata: { labels: { map: 'dust' } } }) // 100
  api.store.patch('gameservers', 'games/a', { metadata: { labels: { map: 'nuke' } } })
  api.store.patch('gameservers', 'games/a', { status: {} })
  api.store.delete('gameservers', 'games/a')
  api.store.delete('gameservers', 'games/b')
  const events = await byLabel.events(3)
  t.same(brief(events), ['ADDED b@100', 'DELETED a@101', 'DELETED b@104'])
  t.same(events[1].object.metadata.labels, { map: 'dust' }, 'as it last matched')
  t.same(brief(await byName.events(3)), ['MODIFIED a@101', 'MODIFIED a@102', 'DELETED a@103'])
})

void t.test('a forgotten version is an ERROR frame under status 200, and the end', async t => {
  const { api } = await start(t, { ringCapacity: 2 })
  create(api, 'a') // 98
  create(api, 'b')
  const open = await watch(api, `${GAMES}?watch=1&resourceVersion=98`)
  api.store.compact()
  const stream = await watch(api, `${GAMES}?watch=1&resourceVersion=98`)
  t.equal(stream.status, 200)
  t.same(await stream.events(1), [{ type: 'ERROR', object: { kind: 'Status', apiVersion: 'v1', metadata: {}, status: 'Failure', message: 'too old resource version: 98 (99)', reason: 'Expired', code: 410 } }])
  t.equal(await stream.ended, undefined)
  create(api, 'c') // 100
  t.same(brief(await open.events(2)), ['ADDED b@99', 'ADDED c@100'], 'a watch that is open is not affected')
  for (const name of ['d', 'e', 'f', 'g']) create(api, name)
  t.match(await (await watch(api, `${GAMES}?watch=1&resourceVersion=99`)).events(1), [{ type: 'ERROR' }], 'the ring is full')
  t.same(brief(await (await watch(api, `${GAMES}?watch=1&resourceVersion=102`)).events(2)), ['ADDED f@103', 'ADDED g@104'])
})

void t.test('bookmarks come each period and before the deadline, with the newest version of all types', async t => {
  const { api, clock } = await start(t, { bookmarkPeriodMs: 10_000 })
  create(api, 'a')
  const stream = await watch(api, `${GAMES}?watch=1&resourceVersion=98&allowWatchBookmarks=true&timeoutSeconds=25`)
  const without = await watch(api, `${GAMES}?watch=1&resourceVersion=98&timeoutSeconds=25`)
  clock.advance(9_999)
  api.store.create('pods', { metadata: { name: 'web' } })
  clock.advance(1)
  clock.advance(10_000)
  clock.advance(2_999)
  t.equal((await stream.lines(2)).length, 2)
  clock.advance(1)
  t.equal((await stream.lines(3)).length, 3)
  clock.advance(2_000)
  t.same([await stream.ended, await without.ended], [undefined, undefined])
  const events = await stream.events(3)
  t.same(brief(events), ['BOOKMARK @99', 'BOOKMARK @99', 'BOOKMARK @99'])
  t.match(events[0].object, { kind: 'GameServer', apiVersion: 'agones.dev/v1' })
  t.equal(without.text(), '')
  await api.until(() => api.watches().length === 0)
  t.equal(clock.pending(), 0, 'no timer is left of a watch that ended')
})

void t.test('a watch without a deadline gets the server\'s, and a client that leaves is forgotten', async t => {
  const { api, clock } = await start(t, { watchTimeoutSeconds: 60 })
  const stays = await watch(api, `${GAMES}?watch=1`)
  const leaves = await watch(api, `${ALL}?watch=1&allowWatchBookmarks=1`)
  await api.watching({ type: 'gameservers' }, 2)
  leaves.leave()
  await api.until(() => api.watches().length === 1)
  t.equal(clock.pending(), 1)
  clock.advance(60_000)
  t.equal(await stays.ended, undefined)
})

void t.test('initial events are sent where the server knows them, and end in a marked bookmark', async t => {
  const { api } = await start(t, { watchList: true })
  create(api, 'a')
  create(api, 'b')
  const query = 'watch=1&sendInitialEvents=true&allowWatchBookmarks=true'
  const stream = await watch(api, `${GAMES}?${query}&resourceVersionMatch=NotOlderThan&resourceVersion=98`)
  create(api, 'c')
  const events = await stream.events(4)
  t.same(brief(events), ['ADDED a@98', 'ADDED b@99', 'BOOKMARK @99', 'ADDED c@100'])
  t.same(events[2].object.metadata.annotations, { 'k8s.io/initial-events-end': 'true' })
  t.match((await get(api, `${GAMES}?${query}`)).body, { code: 422, reason: 'Invalid' })
  const none = await watch(api, `${GAMES}?watch=1&sendInitialEvents=false&resourceVersionMatch=NotOlderThan`)
  create(api, 'd')
  t.same(brief(await none.events(1)), ['ADDED d@101'])
})

void t.test('a server that does not know initial events refuses them', async t => {
  const { api } = await start(t)
  t.match((await get(api, `${GAMES}?watch=1&sendInitialEvents=true&resourceVersionMatch=NotOlderThan`)).body, {
    code: 422,
    reason: 'Invalid',
    message: 'ListOptions.meta.k8s.io "" is invalid: sendInitialEvents: Forbidden: sendInitialEvents is forbidden for watch unless the WatchList feature gate is enabled',
    details: { causes: [{ reason: 'FieldValueForbidden', field: 'sendInitialEvents' }] }
  })
  t.equal((await get(api, `${GAMES}?watch=1&resourceVersionMatch=NotOlderThan&resourceVersion=1`)).status, 422)
  t.equal(api.watches().length, 0)
})

void t.test('a removed type ends its watches and is 404 then, without an event', async t => {
  const { api } = await start(t)
  create(api, 'a')
  const games = await watch(api, `${GAMES}?watch=1&resourceVersion=98`)
  const pods = await watch(api, '/api/v1/pods?watch=1')
  const type = api.removeType('gameservers')
  t.equal(await games.ended, undefined)
  t.equal(games.text(), '')
  t.equal((await get(api, `${GAMES}?watch=1`)).status, 404)
  t.same(api.watches().map(({ request }) => request.type), ['pods'])
  pods.leave()
  api.store.addType(type)
  const again = await watch(api, `${GAMES}?watch=1`)
  create(api, 'b')
  t.same(brief(await again.events(1)), ['ADDED b@99'])
})

void t.test('after a restored backup versions go back, and a client from the future sees nothing until its own is reached', async t => {
  const { api, clock } = await start(t)
  create(api, 'a') // 98
  const backup = api.store.backup()
  api.store.delete('gameservers', 'games/a')
  create(api, 'b') // 100
  const stream = await watch(api, `${GAMES}?watch=1&resourceVersion=100`)
  api.restore(backup)
  t.equal(await stream.ended, undefined)
  const { body } = await get(api, GAMES)
  t.same([body.metadata.resourceVersion, body.items.map((item: any) => item.metadata.name)], ['98', ['a']])
  const future = await watch(api, `${GAMES}?watch=1&resourceVersion=100`)
  const present = await watch(api, `${GAMES}?watch=1&resourceVersion=98`)
  for (const name of ['c', 'd', 'e']) create(api, name)
  t.same(brief(await present.events(3)), ['ADDED c@99', 'ADDED d@100', 'ADDED e@101'])
  t.same(brief(await future.events(1)), ['ADDED e@101'])
  const late = get(api, `${GAMES}?resourceVersion=500`)
  await api.requested({ verb: 'list' }, 2)
  clock.advance(3_000)
  t.equal((await late).status, 504)
})

void t.test('an open watch is in the hands of the test', async t => {
  const { api } = await start(t)
  const stream = await watch(api, `${GAMES}?watch=1`)
  const [handle] = api.watches({ namespace: 'games' })
  handle?.bookmark()
  handle?.raw('{"type":"ADD')
  handle?.raw('ED"}\r\n\n')
  handle?.error({ kind: 'Status', code: 500 })
  t.same((await stream.lines(4)).slice(1), ['{"type":"ADDED"}\r', '', '{"type":"ERROR","object":{"kind":"Status","code":500}}'])
  t.equal(handle?.isOpen(), true)
  handle?.cut('fin')
  t.equal(await stream.ended, 'ECONNRESET')
  t.equal(handle?.isOpen(), false)
})
