import { get as httpGet } from 'node:http'
import t, { type Test } from 'tap'
import { createFakeClock, type FakeClock } from '#testkit/fake-clock.js'
import { bookmarkStorm, cutAfter, cutAtOpen, cutFrame, dropEvents, duplicateEvents, editEvent, errorFrame, hugeEvent, noBookmarks, rawLine, swapEvents } from '#testkit/kube-api/faults/frame-faults.js'
import { startKubeApi, type Fault, type KubeApi } from '#testkit/kube-api/start-kube-api.js'
import { exchange, get, watch, type RawWatch } from './raw-client.js'

const GAMES = '/apis/agones.dev/v1/namespaces/games/gameservers'
const LIST = { verb: 'list', type: 'gameservers' } as const
const WATCH = { verb: 'watch', type: 'gameservers' } as const

/** A cluster with gs-0 to gs-3, versions 98 to 101. */
async function start (t: Test): Promise<{ api: KubeApi, clock: FakeClock }> {
  const clock = createFakeClock()
  const api = await startKubeApi({ clock, bookmarkPeriodMs: 1_000 })
  t.teardown(api.close)
  for (const name of ['gs-0', 'gs-1', 'gs-2', 'gs-3']) api.store.create('gameservers', { metadata: { name, namespace: 'games', labels: { city: 'Zürich' } } })
  return { api, clock }
}

async function watchWith (api: KubeApi, ...faults: Fault[]): Promise<RawWatch> {
  api.fault(WATCH, ...faults)
  return await watch(api, `${GAMES}?watch=1&resourceVersion=97&allowWatchBookmarks=1`)
}

const brief = (lines: readonly string[]): string[] => lines.map(line => {
  const { type, object } = JSON.parse(line)
  return `${type} ${object.metadata.name ?? ''}`.trim()
})

void t.test('a rule happens to the requests it names, as often as it says, until it is removed', async t => {
  const { api } = await start(t)
  const rule = api.fault({ ...LIST, nth: 2, times: 2 }, { kind: 'status', code: 503 })
  const always = api.fault({ verb: 'list', type: 'pods', times: Infinity }, { kind: 'status', code: 500 })
  const statusOf = async (path: string): Promise<number> => (await get(api, path)).status
  const statuses: number[] = []
  for (let round = 0; round < 4; round++) statuses.push(await statusOf(GAMES), await statusOf('/api/v1/pods'), await statusOf('/api/v1/services'))
  t.same(statuses, [200, 500, 200, 503, 500, 200, 503, 500, 200, 200, 500, 200])
  t.same([rule.hits(), always.hits()], [2, 4])
  always.remove()
  t.equal(await statusOf('/api/v1/pods'), 200)
  api.fault({ ...LIST, where: ({ query }) => 'continue' in query }, { kind: 'status', code: 410 })
  const { body } = await get(api, `${GAMES}?limit=1`)
  t.equal(await statusOf(`${GAMES}?continue=${body.metadata.continue}`), 410)
  api.fault(LIST, { kind: 'status', code: 500 })
  api.clearFaults()
  t.equal(await statusOf(GAMES), 200)
})

void t.test('status instead of an answer: a Status object, or any body', async t => {
  const { api } = await start(t)
  api.fault(LIST, { kind: 'status', code: 429, message: 'storage is (re)initializing', retryAfterSeconds: 7 })
  api.fault({ ...LIST, nth: 2 }, { kind: 'status', code: 502, body: '<html>Bad Gateway', headers: { 'content-type': 'text/html' } })
  const busy = await get(api, GAMES)
  t.same([busy.status, busy.headers['retry-after']], [429, '7'])
  t.match(busy.body, { kind: 'Status', reason: 'TooManyRequests', message: 'storage is (re)initializing', details: { retryAfterSeconds: 7 } })
  const gateway = await get(api, GAMES)
  t.same([gateway.status, gateway.headers['content-type'], gateway.text], [502, 'text/html', '<html>Bad Gateway'])
  api.fault(WATCH, { kind: 'status', code: 403 })
  t.match((await get(api, `${GAMES}?watch=1`)).body, { code: 403, reason: 'Forbidden' })
})

void t.test('delays by the clock, silence, and a RST before the first byte', async t => {
  const { api, clock } = await start(t)
  api.fault(LIST, { kind: 'delay', ms: 200 }, { kind: 'delay', ms: 300 })
  const delayed = get(api, GAMES)
  await api.requested(LIST)
  clock.advance(499)
  t.equal(api.requests[0]?.status, undefined)
  clock.advance(1)
  t.equal((await delayed).status, 200)

  api.fault(WATCH, { kind: 'delay', ms: 1_000 })
  const impatient = httpGet(`${api.url}${GAMES}?watch=1`, { agent: false }).on('error', () => { /* It is destroyed below. */ })
  await api.requested(WATCH)
  impatient.destroy()
  await api.until(() => api.connections() === 0)
  await get(api, '/version')
  t.same([api.watches().length, clock.pending()], [0, 0], 'a client that has left is not waited for')

  api.fault(LIST, { kind: 'reset' })
  t.same(await exchange(api, GAMES), { text: '', end: 'reset' })

  api.fault(LIST, { kind: 'hang' })
  void exchange(api, GAMES)
  await api.requested(LIST, 3)
  t.equal((await get(api, GAMES)).status, 200, 'others are served meanwhile')
  t.equal(api.requestsOf(LIST)[2]?.status, undefined)
})

void t.test('a list\'s body can be anything', async t => {
  const { api } = await start(t)
  api.fault(LIST, { kind: 'edit', change: list => ({ ...list, items: null, metadata: {} }) }, { kind: 'edit', change: list => ({ ...list, kind: 'Sonnet' }) })
  t.same((await get(api, GAMES)).body, { kind: 'Sonnet', apiVersion: 'agones.dev/v1', metadata: {}, items: null })
})

void t.test('half a body, and then each kind of end', async t => {
  const { api } = await start(t)
  const whole = (await get(api, GAMES)).text
  const half = Buffer.from(whole).subarray(0, Buffer.byteLength(whole) / 2).toString()
  api.fault(LIST, { kind: 'cut', how: 'end' })
  api.fault({ ...LIST, nth: 2, times: 3 }, { kind: 'cut', how: 'fin' })
  api.fault({ ...LIST, nth: 5 }, { kind: 'cut', how: 'reset', bytes: 10 })
  api.fault({ ...LIST, nth: 6 }, { kind: 'cut', how: 'stall', bytes: 0 })
  const end = await get(api, GAMES)
  t.same([end.broken, end.text], [undefined, half])
  const fin = await get(api, GAMES)
  t.same([fin.broken, fin.text, fin.headers['content-length']], ['ECONNRESET', half, String(Buffer.byteLength(whole))])
  const bare = await exchange(api, GAMES)
  t.same([bare.end, bare.text.endsWith(half)], ['fin', true])
  await exchange(api, GAMES)
  const reset = await exchange(api, GAMES)
  t.same([reset.end, reset.text.split('\r\n\r\n')[1]], ['reset', whole.slice(0, 10)])
  void exchange(api, GAMES)
  await api.until(() => api.requestsOf(LIST).at(-1)?.status === 200 && api.requestsOf(LIST).length === 7)
  t.equal(api.connections(), 1, 'a stalled answer leaves its connection open')
})

void t.test('bytes come one by one, or split within characters', async t => {
  const { api } = await start(t)
  api.fault(LIST, { kind: 'pieces', bytes: 1 })
  api.fault({ ...LIST, nth: 2 }, { kind: 'pieces', bytes: 'within-characters' })
  const single = await get(api, GAMES)
  t.ok(single.chunks.length > 100 && single.chunks.every(chunk => chunk.length === 1))
  const split = await get(api, GAMES)
  t.equal(split.chunks.length, 5, 'four objects with one ü')
  t.ok(split.chunks.slice(0, 4).every(chunk => chunk.at(-1) === 0xC3))
  t.same(split.body, single.body)
  const stream = await watchWith(api, { kind: 'pieces', bytes: 'within-characters' })
  t.match(await stream.events(4), new Array(4).fill({ object: { metadata: { labels: { city: 'Zürich' } } } }))
  t.ok(stream.chunks.some(chunk => chunk.at(-1) === 0xC3))
})

void t.test('a watch stops at its opening, between events or in the middle of one', async t => {
  const { api } = await start(t)
  const atOnce = await watchWith(api, cutAtOpen('end'))
  t.same([await atOnce.ended, atOnce.status, atOnce.text()], [undefined, 200, ''])
  const after = await watchWith(api, cutAfter('end', 2))
  t.equal(await after.ended, undefined)
  t.same(brief(await after.lines(2)), ['ADDED gs-0', 'ADDED gs-1'])
  for (const how of ['end', 'fin', 'reset'] as const) {
    const stream = await watchWith(api, cutFrame(how, 2))
    t.equal(await stream.ended, how === 'end' ? undefined : 'ECONNRESET')
    const [first = '', second = '', ...rest] = stream.text().split('\n')
    t.same([brief([first]), rest], [['ADDED gs-0'], []])
    t.match(second, /^\{"type":"ADDED","object":\{.*"metadata":\{/)
    t.throws(() => JSON.parse(second))
  }
  api.fault({ ...WATCH, times: 2 }, cutFrame('reset', 1))
  t.equal((await exchange(api, `${GAMES}?watch=1`)).end, 'reset')
  t.equal((await exchange(api, `${GAMES}?watch=1`)).end, 'reset')
  await api.until(() => api.watches().length === 0)
})

void t.test('a stalled watch stays open and silent, past its deadline too', async t => {
  const { api, clock } = await start(t)
  const stream = await watchWith(api, cutAfter('stall', 1))
  api.store.delete('gameservers', 'games/gs-3')
  clock.advance(2_000_000)
  t.equal((await get(api, GAMES)).status, 200)
  t.same(brief(await stream.lines(1)), ['ADDED gs-0'])
  t.same(api.watches().map(watch => watch.isOpen()), [true])
  stream.leave()
  await api.until(() => api.watches().length === 0)
})

void t.test('events are doubled, lost and swapped', async t => {
  const { api } = await start(t)
  const linesWith = async (count: number, ...faults: Fault[]): Promise<string[]> => brief(await (await watchWith(api, ...faults)).lines(count))
  t.same(await linesWith(5, duplicateEvents(2)), ['ADDED gs-0', 'ADDED gs-1', 'ADDED gs-1', 'ADDED gs-2', 'ADDED gs-3'])
  t.same(await linesWith(2, dropEvents(2, 2)), ['ADDED gs-0', 'ADDED gs-3'])
  t.same(await linesWith(4, swapEvents(2)), ['ADDED gs-0', 'ADDED gs-2', 'ADDED gs-1', 'ADDED gs-3'])
  t.same(await linesWith(5, dropEvents(1), duplicateEvents(1, 2)), ['ADDED gs-1', 'ADDED gs-1', 'ADDED gs-2', 'ADDED gs-2', 'ADDED gs-3'], 'the second fault sees what the first lets out')
})

void t.test('lines that no server should write', async t => {
  const { api } = await start(t)
  const raw = await watchWith(api, rawLine('{"type":'), rawLine('{"type":"RENAMED","object":{}}', 1))
  t.same((await raw.lines(3)).slice(0, 2), ['{"type":', '{"type":"RENAMED","object":{}}'])
  const edited = await watchWith(api, editEvent(({ type }) => ({ type, object: { kind: 'GameServer' } }), 2), editEvent(event => ({ ...event, object: { ...event.object, kind: 'Sonnet' } }), 1))
  t.match(await edited.events(4), [{ object: { kind: 'Sonnet', metadata: { name: 'gs-0' } } }, { type: 'ADDED', object: { kind: 'GameServer', metadata: undefined } }, {}, {}])
  const both = await watchWith(api, editEvent(event => event, 2), cutAfter('end', 2))
  await both.ended
  t.equal((await both.lines(2)).length, 2, 'an edited event counts for the next fault')
  const huge = await watchWith(api, hugeEvent(10_000_000, 4))
  const [,,, last = ''] = await huge.lines(4)
  t.ok(last.length > 10_000_000)
  t.match(JSON.parse(last), { type: 'ADDED', object: { metadata: { name: 'gs-3' } } })
})

void t.test('ERROR frames of any code, with the stream left open or closed', async t => {
  const { api } = await start(t)
  const closed = await watchWith(api, errorFrame(410, 'close'))
  t.match(await closed.events(1), [{ type: 'ERROR', object: { kind: 'Status', code: 410, reason: 'Expired' } }])
  t.equal(await closed.ended, undefined)
  const open = await watchWith(api, errorFrame(500, 'open', 3))
  t.match(await open.events(3), [{ type: 'ADDED' }, { type: 'ADDED' }, { type: 'ERROR', object: { code: 500 } }])
  api.store.delete('gameservers', 'games/gs-0')
  t.equal((await get(api, GAMES)).status, 200)
  t.equal((await open.lines(3)).length, 3, 'nothing comes any more')
  t.equal(api.watches().length, 1)
  t.notOk('code' in (await (await watchWith(api, errorFrame(undefined, 'close'))).events(1))[0].object)
})

void t.test('no bookmarks, or a storm of them', async t => {
  const { api, clock } = await start(t)
  const quiet = await watchWith(api, noBookmarks())
  const storm = await watchWith(api, bookmarkStorm(50))
  clock.advance(2_000)
  t.same(brief((await storm.lines(104)).slice(4)), new Array(100).fill('BOOKMARK'))
  t.equal((await quiet.lines(4)).length, 4)
})

void t.test('the server goes away and comes back on the same port', async t => {
  const { api } = await start(t)
  const stream = await watch(api, `${GAMES}?watch=1`)
  api.refuse()
  await t.rejects(get(api, GAMES), { code: 'ECONNREFUSED' })
  api.store.delete('gameservers', 'games/gs-0')
  t.same(brief(await stream.lines(5)).at(-1), 'DELETED gs-0', 'what is open goes on')
  api.drop('reset')
  t.equal(await stream.ended, 'ECONNRESET')
  await api.accept()
  const answer = get(api, GAMES)
  t.equal((await answer).status, 200)
  const other = exchange(api, `${GAMES}?watch=1`)
  await api.watching()
  api.drop('fin')
  t.equal((await other).end, 'fin')
})

void t.test('requests are recorded with what an assertion needs', async t => {
  const { api, clock } = await start(t)
  clock.advance(1_500)
  await get(api, `${GAMES}?limit=2&labelSelector=a%3Db`, { accept: 'application/json', 'user-agent': 'tests' })
  const stream = await watch(api, '/api/v1/pods?watch=1&resourceVersion=5')
  t.match(api.requests, [
    { verb: 'list', type: 'gameservers', group: 'agones.dev', namespace: 'games', name: undefined, method: 'GET', path: GAMES, query: { limit: '2', labelSelector: 'a=b' }, headers: { 'user-agent': 'tests' }, atMs: 1_500, status: 200 },
    { verb: 'watch', type: 'pods', group: '', namespace: undefined, query: { watch: '1', resourceVersion: '5' }, status: 200 }
  ])
  t.not(api.requests[0]?.connection, api.requests[1]?.connection)
  t.equal(api.requestsOf({ verb: 'watch' }).length, 1)
  stream.leave()
})
