import { once } from 'node:events'
import { readdir, readFile } from 'node:fs/promises'
import { get as httpsGet } from 'node:https'
import { pathToFileURL } from 'node:url'
import { CoreV1Api, CustomObjectsApi, KubeConfig, Watch } from '@kubernetes/client-node'
import t, { type Test } from 'tap'
import { cutAfter } from '#testkit/kube-api/faults/frame-faults.js'
import { startKubeApi, type KubeApi, type KubeApiOptions, type NewObject } from '#testkit/kube-api/start-kube-api.js'
import { hasKubectl, setUpKubectl } from './kubectl.js'
import { get } from './raw-client.js'

const FIXTURES = pathToFileURL('testkit/fixtures/gameservers/')
const GAMES = '/apis/agones.dev/v1/namespaces/games/gameservers'

async function fixtures (): Promise<NewObject[]> {
  const files = await readdir(FIXTURES)
  return await Promise.all(files.map(async file => JSON.parse(await readFile(new URL(file, FIXTURES), 'utf8')) as NewObject))
}

async function start (t: Test, options: KubeApiOptions = {}): Promise<KubeApi> {
  const api = await startKubeApi(options)
  t.teardown(api.close)
  return api
}

function clientConfig (text: string): KubeConfig {
  const config = new KubeConfig()
  config.loadFromString(text)
  return config
}

/** One GET over TLS: its status code, or the code of why there was none. */
async function getSafely (api: KubeApi, ca: string | undefined): Promise<number | string | undefined> {
  const request = httpsGet(`${api.url}/version`, { agent: false, ...(ca === undefined ? {} : { ca }) })
  try {
    const [response] = await once(request, 'response') as [{ statusCode?: number, resume: () => void }]
    response.resume()
    return response.statusCode
  } catch (error) {
    return (error as NodeJS.ErrnoException).code
  }
}

void t.test('the thirteen GameServers of the fixtures load as they are', async t => {
  const api = await start(t)
  const objects = await fixtures()
  api.load(objects)
  t.equal(objects.length, 13)
  const { body } = await get(api, GAMES)
  t.equal(body.items.length, 13)
  for (const object of objects) {
    const served = body.items.find((item: any) => item.metadata.name === object.metadata.name)
    t.same({ ...served, metadata: { ...served.metadata, resourceVersion: object.metadata.resourceVersion } }, object, object.metadata.name)
  }
  t.throws(() => { api.load([{ apiVersion: 'v1', kind: 'Node', metadata: { name: 'n' } }]) }, /no type for v1 Node/)
})

void t.test('a certificate is good for its names and for those who trust its authority', async t => {
  const api = await start(t, { tls: true })
  const first = api.authority()
  t.match(api.url, /^https:\/\/127\.0\.0\.1:/)
  t.equal(await getSafely(api, first), 200)
  t.equal(await getSafely(api, undefined), 'SELF_SIGNED_CERT_IN_CHAIN')
  api.renewCertificate()
  t.equal(await getSafely(api, first), 200)
  api.renewCertificate({ hosts: ['kubernetes.default.svc'] })
  t.equal(await getSafely(api, first), 'ERR_TLS_CERT_ALTNAME_INVALID')
  api.renewCertificate({ expired: true })
  t.equal(await getSafely(api, first), 'CERT_HAS_EXPIRED')
  api.renewCertificate({ newAuthority: true })
  t.not(await getSafely(api, first), 200)
  t.equal(await getSafely(api, api.authority()), 200)
  t.match(clientConfig(api.kubeconfig()).getCurrentCluster()?.caData, Buffer.from(api.authority() ?? '').toString('base64'))
  const plain = await start(t)
  t.equal(plain.authority(), undefined)
  t.throws(() => { plain.renewCertificate() }, /without TLS/)
})

for (const tls of [false, true]) {
  void t.test(`@kubernetes/client-node lists and watches over ${tls ? 'HTTPS' : 'HTTP'}`, async t => {
    const api = await start(t, { tls, tokens: ['secret'] })
    api.load(await fixtures())
    api.store.patch('gameservers', 'games/arena-7xk2p-bbbbb', { metadata: { labels: { map: 'de_nuke' } } })
    const config = clientConfig(api.kubeconfig())
    const objects = config.makeApiClient(CustomObjectsApi)
    const list = await objects.listNamespacedCustomObject({ group: 'agones.dev', version: 'v1', namespace: 'games', plural: 'gameservers', labelSelector: 'map!=de_dust2' })
    t.match(list, { kind: 'GameServerList', metadata: { resourceVersion: '111' }, items: [{ metadata: { name: 'arena-7xk2p-bbbbb' } }] })
    t.equal(list.items.length, 1)
    api.store.create('pods', { metadata: { name: 'web', namespace: 'games' } })
    const pods = await config.makeApiClient(CoreV1Api).listNamespacedPod({ namespace: 'games' })
    t.equal(pods.items[0]?.metadata?.name, 'web')
    await t.rejects(objects.getNamespacedCustomObject({ group: 'agones.dev', version: 'v1', namespace: 'games', plural: 'gameservers', name: 'none' }), { code: 404 })

    // Its watch may not have ended when this test does: it is the reset that ends it, under TLS too.
    api.fault({ verb: 'watch' }, cutAfter('reset', 3))
    const seen: string[] = []
    const done = new Promise<unknown>(resolve => {
      void new Watch(config).watch(GAMES, { resourceVersion: '112' }, (type: string, object: any) => { seen.push(`${type} ${object.metadata.name}`) }, resolve)
    })
    await api.watching()
    api.store.create('gameservers', { metadata: { name: 'new', namespace: 'games' } })
    api.store.patch('gameservers', 'games/new', { status: { state: 'Ready' } })
    api.store.delete('gameservers', 'games/new')
    t.match(await done, { code: 'ECONNRESET' })
    t.same(seen, ['ADDED new', 'MODIFIED new', 'DELETED new'])

    api.setTokens('rotated')
    await t.rejects(objects.listCustomObjectForAllNamespaces({ group: 'agones.dev', version: 'v1', plural: 'gameservers' }), { code: 401 })
  })
}

void t.test('a client certificate lets in without a token', async t => {
  const api = await start(t, { tls: true, tokens: ['secret'] })
  const objects = clientConfig(api.kubeconfig({ clientCertificate: true })).makeApiClient(CustomObjectsApi)
  await objects.listCustomObjectForAllNamespaces({ group: 'agones.dev', version: 'v1', plural: 'gameservers' })
  t.equal(api.requests.at(-1)?.headers['authorization'], undefined)
  t.equal(await getSafely(api, api.authority()), 401)
})

const missing = await hasKubectl() ? undefined : 'kubectl is missing: apt-get install -y kubernetes-client'

void t.test('kubectl discovers, lists, selects and watches', { skip: process.env['CI'] === 'true' ? false : missing ?? false }, async t => {
  if (missing !== undefined) {
    t.fail(missing)
    return
  }
  const api = await start(t, { tls: true, tokens: ['secret'] })
  api.load(await fixtures())
  api.store.patch('gameservers', 'games/arena-7xk2p-bbbbb', { metadata: { labels: { map: 'de_nuke' } } })
  const kubectl = await setUpKubectl(t.testdir(), api.kubeconfig({ namespace: 'games' }))
  const linesOf = async (...args: string[]): Promise<string[]> => (await kubectl.run(...args)).trim().split('\n')

  t.match(await kubectl.run('api-resources'), /^gameservers +gs +agones\.dev\/v1 +true +GameServer$/m)
  t.match((await linesOf('get', 'gs', '--no-headers'))[0], /^arena-7xk2p-aaaaa +\d+/)
  t.equal((await linesOf('get', 'gameservers', '--chunk-size=5', '-A', '-o', 'name')).length, 13)
  t.equal(api.requestsOf({ verb: 'list', where: ({ query }) => 'continue' in query }).length, 2, 'it paged')
  t.same(await linesOf('get', 'gs', '-l', 'map notin (de_dust2)', '-o', 'name'), ['gameserver.agones.dev/arena-7xk2p-bbbbb'])
  t.equal(JSON.parse(await kubectl.run('get', 'gs', 'arena-7xk2p-aaaaa', '-o', 'json')).kind, 'GameServer')
  await t.rejects(kubectl.run('get', 'gs', 'none'), { message: /Error from server \(NotFound\): gameservers\.agones\.dev "none" not found/ })
  const allow = api.forbid({ type: 'gameservers' })
  await t.rejects(kubectl.run('get', 'gs'), { message: /\(Forbidden\).* cannot list resource "gameservers" in API group "agones\.dev" in the namespace "games"/ })
  allow()

  const lines: string[] = []
  const child = kubectl.follow(['get', 'gs', '-w', '--output-watch-events', '-o', 'jsonpath={.type} {.object.metadata.name}{"\\n"}'], line => { lines.push(line) })
  await api.watching()
  api.store.create('gameservers', { metadata: { name: 'new', namespace: 'games' } })
  api.store.delete('gameservers', 'games/new')
  api.watches()[0]?.cut('end')
  await once(child, 'close')
  t.same([lines.length, lines.slice(-2)], [15, ['ADDED new', 'DELETED new']])
})

void t.test('watches and connections are cut under TLS too', async t => {
  const api = await start(t, { tls: true })
  const watchEnd = async (cut: () => void | Promise<void>): Promise<string | undefined> => {
    const request = httpsGet(`${api.url}${GAMES}?watch=1`, { agent: false, ca: api.authority()! })
    request.on('error', () => { /* The response tells. */ })
    const [response] = await once(request, 'response') as [NodeJS.ReadableStream]
    const ended = new Promise<string | undefined>(resolve => {
      response.once('end', () => { resolve(undefined) }).once('error', (error: NodeJS.ErrnoException) => { resolve(error.code) }).resume()
    })
    await cut()
    const code = await ended
    await api.until(() => api.connections() === 0 && api.watches().length === 0)
    return code
  }
  t.equal(await watchEnd(() => { api.watches()[0]?.cut('end') }), undefined)
  t.equal(await watchEnd(() => { api.watches()[0]?.cut('fin') }), 'ECONNRESET')
  t.equal(await watchEnd(() => { api.watches()[0]?.cut('reset') }), 'ECONNRESET')
  t.equal(await watchEnd(() => { api.drop('fin') }), 'ECONNRESET')
  t.equal(await watchEnd(() => { api.drop('reset') }), 'ECONNRESET')
})

void t.test('closing ends every connection and frees the port', async t => {
  const api = await startKubeApi({ tls: true })
  const request = httpsGet(`${api.url}${GAMES}?watch=1`, { agent: false, ca: api.authority()! })
  request.on('error', () => { /* It is cut on purpose. */ })
  const [response] = await once(request, 'response') as [NodeJS.ReadableStream]
  response.on('error', () => { /* As above. */ })
  await api.close()
  t.same([api.connections(), api.watches().length], [0, 0])
  t.equal(await getSafely(api, undefined), 'ECONNREFUSED')
})
