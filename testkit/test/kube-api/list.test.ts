import t, { type Test } from 'tap'
import { createFakeClock } from '#testkit/fake-clock.js'
import { startKubeApi, type KubeApi, type KubeApiOptions } from '#testkit/kube-api/start-kube-api.js'
import { get } from './raw-client.js'

const GAMES = '/apis/agones.dev/v1/namespaces/games/gameservers'
const ALL = '/apis/agones.dev/v1/gameservers'
const PODS = '/api/v1/namespaces/games/pods'

async function start (t: Test, options: KubeApiOptions = {}): Promise<KubeApi> {
  const api = await startKubeApi(options)
  t.teardown(api.close)
  return api
}

function fill (api: KubeApi, count: number): void {
  for (let index = 0; index < count; index++) {
    api.store.create('gameservers', { metadata: { name: `gs-${index}`, namespace: 'games', labels: { map: index % 2 === 0 ? 'dust' : 'nuke', index: String(index) } } })
  }
}

const namesOf = (body: { items: Array<{ metadata: { name: string } }> }): string[] => body.items.map(({ metadata }) => metadata.name)

void t.test('a list holds the objects of its namespace in order of their names, under one version', async t => {
  const api = await start(t)
  fill(api, 3)
  api.store.create('gameservers', { metadata: { name: 'gs-0', namespace: 'arena' } })
  const { status, headers, body } = await get(api, GAMES)
  t.equal(status, 200)
  t.equal(headers['content-type'], 'application/json')
  t.match(body, { kind: 'GameServerList', apiVersion: 'agones.dev/v1', metadata: { resourceVersion: '101' } })
  t.same(namesOf(body), ['gs-0', 'gs-1', 'gs-2'])
  t.match(body.items[2], { apiVersion: 'agones.dev/v1', kind: 'GameServer', metadata: { namespace: 'games', resourceVersion: '100' } })
  t.same((await get(api, ALL)).body.items.map((item: any) => item.metadata.namespace), ['arena', 'games', 'games', 'games'])
  t.same((await get(api, '/apis/agones.dev/v1/namespaces/empty/gameservers')).body.items, [])
})

void t.test('items of a built-in type have no kind of their own, single objects have', async t => {
  const api = await start(t)
  api.store.create('pods', { metadata: { name: 'web', namespace: 'games' } })
  const { body } = await get(api, PODS)
  t.equal(body.kind, 'PodList')
  t.notOk('kind' in body.items[0] || 'apiVersion' in body.items[0])
  t.match((await get(api, `${PODS}/web`)).body, { kind: 'Pod', apiVersion: 'v1', metadata: { name: 'web' } })
})

void t.test('changes raise one counter for all types, and what was handed out stays as it was', async t => {
  const api = await start(t, { firstVersion: 9 })
  const created = api.store.create('pods', { metadata: { name: 'web', namespace: 'games', labels: { a: '1' } }, spec: { deep: { x: 1, y: 2 } } })
  const patched = api.store.patch('pods', 'games/web', { metadata: { labels: { a: null, b: '2' } }, spec: { deep: { y: [3] } } })
  t.same([created.metadata.resourceVersion, patched.metadata.resourceVersion], ['10', '11'])
  t.same([created['spec'], patched['spec']], [{ deep: { x: 1, y: 2 } }, { deep: { x: 1, y: [3] } }])
  t.same(patched.metadata.labels, { b: '2' })
  const updated = api.store.update('pods', { metadata: { name: 'web', namespace: 'games' } })
  t.same([updated.metadata.uid, updated['spec']], [created.metadata.uid, undefined])
  const deleted = api.store.delete('pods', 'games/web')
  t.same([deleted.metadata.resourceVersion, api.store.get('pods', 'games/web')], ['13', undefined])
  const again = api.store.create('pods', { metadata: { name: 'web', namespace: 'games', uid: created.metadata.uid! } })
  t.not(again.metadata.uid, created.metadata.uid, 'a uid is never used twice')
  t.throws(() => api.store.create('pods', { metadata: { name: 'web', namespace: 'games' } }), /exists already/)
  t.throws(() => api.store.delete('pods', 'games/none'), /no pods games\/none/)
  t.throws(() => api.store.get('nodes', 'a'), /serves no type nodes/)
  t.throws(() => { (again.metadata as { name: string }).name = 'other' }, TypeError)
})

void t.test('pages show one version, whatever happens between them', async t => {
  const api = await start(t)
  fill(api, 5)
  const first = (await get(api, `${GAMES}?limit=2`)).body
  t.match(first.metadata, { resourceVersion: '102', remainingItemCount: 3, continue: /./ })
  api.store.delete('gameservers', 'games/gs-3')
  api.store.patch('gameservers', 'games/gs-2', { spec: { late: true } })
  api.store.create('gameservers', { metadata: { name: 'gs-25', namespace: 'games' } })
  const second = (await get(api, `${GAMES}?limit=2&continue=${first.metadata.continue}`)).body
  const third = (await get(api, `${GAMES}?limit=2&continue=${second.metadata.continue}`)).body
  t.same([first, second, third].map(namesOf), [['gs-0', 'gs-1'], ['gs-2', 'gs-3'], ['gs-4']])
  t.same([second, third].map(body => body.metadata), [{ resourceVersion: '102', continue: second.metadata.continue, remainingItemCount: 1 }, { resourceVersion: '102' }])
  t.notOk('spec' in second.items[0])
  const selected = (await get(api, `${GAMES}?limit=1&labelSelector=map%3Ddust`)).body
  t.notOk('remainingItemCount' in selected.metadata, 'with a selector nobody counts')
})

void t.test('a continue token from before a compaction is expired, and a token for the inconsistent rest is offered', async t => {
  const api = await start(t)
  fill(api, 4)
  const first = (await get(api, `${GAMES}?limit=2`)).body
  api.store.delete('gameservers', 'games/gs-2')
  api.store.compact()
  const { status, body } = await get(api, `${GAMES}?limit=2&continue=${first.metadata.continue}`)
  t.equal(status, 410)
  t.match(body, { kind: 'Status', apiVersion: 'v1', status: 'Failure', reason: 'Expired', code: 410, message: /continue parameter is too old/ })
  t.same(namesOf((await get(api, `${GAMES}?continue=${body.metadata.continue}`)).body), ['gs-3'])
  t.equal((await get(api, `${GAMES}?continue=x`)).status, 400)
  t.equal((await get(api, `${GAMES}?resourceVersion=5&continue=${first.metadata.continue}`)).status, 400)
  t.equal((await get(api, `${GAMES}?resourceVersionMatch=Exact&continue=${first.metadata.continue}`)).status, 422)
})

void t.test('a version picks what a list may show', async t => {
  const clock = createFakeClock()
  const api = await start(t, { clock })
  fill(api, 3) // Versions 98 to 100.
  const list = async (query: string): Promise<{ names: string[], version: string }> => {
    const { body } = await get(api, `${GAMES}?${query}`)
    return { names: namesOf(body), version: body.metadata.resourceVersion }
  }
  const now = { names: ['gs-0', 'gs-1', 'gs-2'], version: '100' }
  t.same(await list('resourceVersion='), now)
  t.same(await list('resourceVersion=0&limit=1'), now, 'the watch cache knows no pages')
  t.same(await list('resourceVersion=98'), now)
  t.same(await list('resourceVersion=98&resourceVersionMatch=NotOlderThan&limit=2'), { names: ['gs-0', 'gs-1'], version: '100' })
  t.same(await list('resourceVersion=99&resourceVersionMatch=Exact'), { names: ['gs-0', 'gs-1'], version: '99' })
  t.same(await list('resourceVersion=98&limit=10'), { names: ['gs-0'], version: '98' }, 'a limit without a match means Exact')
  api.store.compact('gameservers', 99)
  t.same(await list('resourceVersion=99&resourceVersionMatch=Exact'), { names: ['gs-0', 'gs-1'], version: '99' })
  t.match((await get(api, `${GAMES}?resourceVersion=98&resourceVersionMatch=Exact`)).body, { code: 410, message: 'too old resource version: 98 (99)' })
  t.equal((await get(api, `${GAMES}?resourceVersionMatch=Exact`)).status, 422)
  t.equal((await get(api, `${GAMES}?resourceVersion=0&resourceVersionMatch=Exact`)).status, 422)
  t.equal((await get(api, `${GAMES}?resourceVersion=1&resourceVersionMatch=Roughly`)).status, 422)
  t.match((await get(api, `${GAMES}?resourceVersion=abc`)).body, { code: 400, reason: 'BadRequest' })
})

void t.test('a version that has not come yet is waited for, three seconds', async t => {
  const clock = createFakeClock()
  const api = await start(t, { clock })
  fill(api, 1)
  const reached = get(api, `${GAMES}?resourceVersion=99`)
  await api.requested({ verb: 'list' })
  api.store.tick()
  t.equal((await reached).body.metadata.resourceVersion, '99')
  const missed = get(api, `${GAMES}?resourceVersion=1000`)
  await api.requested({ verb: 'list' }, 2)
  clock.advance(2_999)
  t.equal(api.requests[1]?.status, undefined)
  clock.advance(1)
  const { status, headers, body } = await missed
  t.same([status, headers['retry-after']], [504, '1'])
  t.match(body, { reason: 'Timeout', message: 'Timeout: Too large resource version: 1000, current: 99', details: { causes: [{ reason: 'ResourceVersionTooLarge' }], retryAfterSeconds: 1 } })
  t.equal(clock.pending(), 0)
})

void t.test('selectors by label and field', async t => {
  const api = await start(t)
  fill(api, 4)
  api.store.create('gameservers', { metadata: { name: 'bare', namespace: 'games' } })
  const select = async (selector: string, kind = 'labelSelector'): Promise<string[]> => namesOf((await get(api, `${GAMES}?${kind}=${encodeURIComponent(selector)}`)).body)
  t.same(await select('map=dust'), ['gs-0', 'gs-2'])
  t.same(await select('map == nuke , index=1'), ['gs-1'])
  t.same(await select('map!=dust'), ['bare', 'gs-1', 'gs-3'])
  t.same(await select('map in (dust, nuke),index notin (0,1)'), ['gs-2', 'gs-3'])
  t.same(await select('map notin (dust)'), ['bare', 'gs-1', 'gs-3'])
  t.same(await select('map'), ['gs-0', 'gs-1', 'gs-2', 'gs-3'])
  t.same(await select('!map'), ['bare'])
  t.same(await select('constructor'), [])
  t.same(await select('metadata.name=gs-1', 'fieldSelector'), ['gs-1'])
  t.same(await select('metadata.namespace==games,metadata.name!=bare', 'fieldSelector'), ['gs-0', 'gs-1', 'gs-2', 'gs-3'])
  t.match((await get(api, `${GAMES}?labelSelector=a%20like%20b`)).body, { code: 400, message: /a like b/ })
  t.match((await get(api, `${GAMES}?fieldSelector=spec.x%3D1`)).body, { code: 400, message: /field label not supported/ })
})

void t.test('what is not there, not allowed or not known is said as the real server says it', async t => {
  const api = await start(t, { tokens: ['secret'] })
  const authorization = 'Bearer secret'
  t.match((await get(api, GAMES)).body, { kind: 'Status', metadata: {}, message: 'Unauthorized', reason: 'Unauthorized', code: 401 })
  t.equal((await get(api, GAMES, { authorization: 'Bearer stale' })).status, 401)
  t.equal((await get(api, GAMES, { authorization })).status, 200)
  api.setTokens('fresh')
  t.equal((await get(api, GAMES, { authorization })).status, 401)
  api.setTokens('secret', 'fresh')
  t.match((await get(api, `${GAMES}/none`, { authorization })).body, { code: 404, reason: 'NotFound', message: 'gameservers.agones.dev "none" not found', details: { name: 'none', group: 'agones.dev', kind: 'gameservers' } })
  const unserved = await get(api, '/apis/agones.dev/v1/namespaces/games/fleets', { authorization })
  t.same([unserved.status, unserved.headers['content-type'], unserved.text], [404, 'text/plain; charset=utf-8', '404 page not found\n'])
  const allow = api.forbid({ verb: 'list', type: 'gameservers' })
  const user = 'system:serviceaccount:udp-director:udp-director'
  t.match((await get(api, GAMES, { authorization })).body, { code: 403, reason: 'Forbidden', message: `gameservers.agones.dev is forbidden: User "${user}" cannot list resource "gameservers" in API group "agones.dev" in the namespace "games"`, details: { group: 'agones.dev', kind: 'gameservers' } })
  t.match((await get(api, ALL, { authorization })).body, { message: /at the cluster scope$/ })
  allow()
  t.equal((await get(api, GAMES, { authorization })).status, 200)
  const post = await fetch(`${api.url}${GAMES}`, { method: 'POST', headers: { authorization } })
  t.match(await post.json(), { code: 405, reason: 'MethodNotAllowed' })
  t.same([api.requests.at(-1)?.verb, api.requests.at(-1)?.status], ['create', 405])
})

void t.test('discovery tells what is served, now', async t => {
  const api = await start(t)
  t.match((await get(api, '/version')).body, { major: '1', gitVersion: /^v1\./ })
  t.match((await get(api, '/api')).body, { kind: 'APIVersions', versions: ['v1'] })
  t.same((await get(api, '/apis')).body.groups, [{ name: 'agones.dev', versions: [{ groupVersion: 'agones.dev/v1', version: 'v1' }], preferredVersion: { groupVersion: 'agones.dev/v1', version: 'v1' } }])
  t.match((await get(api, '/apis/agones.dev')).body, { kind: 'APIGroup', name: 'agones.dev' })
  t.same((await get(api, '/api/v1')).body.resources.map((resource: any) => resource.name), ['pods', 'services'])
  const games = await get(api, '/apis/agones.dev/v1', { accept: 'application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList,application/json' })
  t.match(games.body, { kind: 'APIResourceList', groupVersion: 'agones.dev/v1', resources: [{ name: 'gameservers', singularName: 'gameserver', namespaced: true, kind: 'GameServer', verbs: ['get', 'list', 'watch'] }] })
  t.same(api.requests.map(({ verb }) => verb), new Array(6).fill('discovery'))
  const type = api.removeType('gameservers')
  t.equal((await get(api, '/apis/agones.dev/v1')).status, 404)
  t.equal((await get(api, GAMES)).status, 404)
  api.store.addType(type)
  t.same((await get(api, GAMES)).body.items, [])
})
