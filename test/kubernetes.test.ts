// The running pair on a Kubernetes API: what is there can be reached, what is gone cannot, and what goes wrong is told.
import { join } from 'node:path'
import { pino } from 'pino'
import t, { type Test } from 'tap'
import { parseConfig } from '#config/load/load-config.js'
import { systemClock } from '#core/system-clock.js'
import { startKubeApi, type KubeApi, type KubeApiOptions } from '#testkit/kube-api/start-kube-api.js'
import { Pair } from '#testkit/director/pair.js'
import { forTest } from '#testkit/for-test.js'
import { openFolder } from '#testkit/folder.js'
import { gameServer } from '#testkit/objects/game-server.js'
import { startApp } from '#testkit/processes/node-program.js'
import { openUdpPeer, type UdpPeer } from '#testkit/udp-peer.js'
import { openControl } from '../apps/control/src/control.js'
import { machinePlatform } from '../apps/control/src/platform.js'

const type = 'gameservers'
const query = { resourceType: 'gameserver', namespace: 'games', statusQuery: { jsonPath: 'status.state', expectedValue: 'Allocated' } }

const at = ({ port }: UdpPeer, state = 'Allocated') => ({ state, ports: { game: port, voice: port } })

async function openApi (t: Test, options: KubeApiOptions = {}): Promise<{ api: KubeApi, kubeconfig: string }> {
  const api = await startKubeApi(options)
  t.teardown(async () => { await api.close() })
  const folder = await forTest(t, openFolder())
  return { api, kubeconfig: folder.write('config', api.kubeconfig()) }
}

async function peer (t: Test): Promise<UdpPeer> {
  return await forTest(t, openUdpPeer())
}

const settings = (kubeconfig: string) => ({
  config: `
inventory: {provider: kubernetes, kubeconfig: ${kubeconfig}}
namespaces: [games]
defaultEndpoint: {resourceType: gameserver, namespace: games, statusQuery: {jsonPath: status.state, expectedValue: Ready}}`
})

void t.test('objects come, change and go, and so do the answers; an API server that is away changes nothing', async t => {
  const { api, kubeconfig } = await openApi(t, { tls: true, tokens: ['secret'] })
  const [a, lobby, client] = [await peer(t), await peer(t), await peer(t)]
  api.store.create(type, gameServer('a', at(a)))
  const pair = await forTest(t, Pair.open(settings(kubeconfig)))
  const port = pair.dataPorts['game']!
  const answer = async (): Promise<{ status: number, body: unknown }> => await pair.public('POST', '/query', query)

  const first = await answer()
  t.equal(first.status, 200)
  await client.send((first.body as { token: string }).token, port)
  await client.send('hello', port)
  t.equal((await a.next()).bytes.toString(), 'hello')

  await client.send('no default endpoint yet', port)
  api.store.create(type, gameServer('lobby', at(lobby, 'Ready')))
  const other = await peer(t)
  await pair.until(async () => {
    await other.send('anyone', port)
    return lobby.received.length > 0
  })
  t.equal((await lobby.next()).bytes.toString(), 'anyone', 'the default endpoint follows')

  const asked = api.requests.length
  for (let count = 0; count < 20; count++) await answer()
  t.equal(api.requests.length, asked, 'a query costs no call to the API')

  api.store.patch(type, 'games/a', { status: { state: 'Shutdown' } })
  await pair.until(async () => (await answer()).status === 404)
  t.pass('an object in another state is not handed out any more')
  api.store.patch(type, 'games/a', { status: { state: 'Allocated' } })
  await pair.until(async () => (await answer()).status === 200)

  // Away: connections are refused, the cache serves, health tells the age.
  const refuse = api.forbid({})
  for (const watch of api.watches()) watch.cut('reset')
  const health = async () => (await pair.admin('GET', '/healthz')).body as { status: string, inventory: { faults: string[] } }
  const faults = async (): Promise<string[]> => (await health()).inventory.faults
  await pair.until(async () => (await faults()).length > 0)
  t.equal((await health()).status, 'degraded')
  t.match((await faults()).join(), /gameservers\.agones\.dev in namespace games/)
  t.equal((await answer()).status, 200)
  t.equal((await pair.admin('GET', '/readyz')).status, 200, 'later loss does not take the pod out of service')
  api.store.delete(type, 'games/a')
  refuse()
  await pair.until(async () => (await answer()).status === 404)
  t.pass('what was deleted meanwhile is found out')
  // A fault is over when a watch has lasted for a moment.
  await pair.until(async () => (await faults()).length === 0)
  t.equal((await health()).status, 'ok')
})

void t.test('one clear message for each thing an operator has to fix', async t => {
  const { api, kubeconfig } = await openApi(t, { tokens: ['secret'] })
  const folder = await forTest(t, openFolder())
  const textOf = (path: string): string => `bindAddress: 127.0.0.1\nqueryPort: 0\nadminPort: 0\nnamespaces: [games]\ninventory: {provider: kubernetes, kubeconfig: ${path}}\nresourceQueryMapping: {gameserver: {group: agones.dev, resource: gameservers, addressPath: status.address, portName: game}}\n`
  const socketPath = join(folder.path, 'proxy.sock')
  const file = folder.write('config.yaml', textOf(join(folder.path, 'nowhere')))
  const missing = startApp('control', { CONFIG_PATH: file, UDP_DIRECTOR_SOCKET: socketPath })
  t.equal(await missing.ended, 78)
  t.match(missing.stderr(), /kubeconfig|nowhere/)

  // The others in this process: what counts is the line, and a process takes a while to load the Kubernetes client.
  const said = async (): Promise<string> => {
    const loaded = parseConfig(textOf(kubeconfig), file)
    if (!loaded.ok) throw new Error(JSON.stringify(loaded.error))
    let hear: (line: { msg: string, fault: string }) => void = () => {}
    const heard = new Promise<string>(resolve => { hear = ({ msg, fault }) => { if (msg === 'Kubernetes objects cannot be read, what is known of them is kept') resolve(fault) } })
    const log = pino({}, { write: (line: string) => { hear(JSON.parse(line) as { msg: string, fault: string }) } })
    const control = await openControl({ config: loaded.value.config, platform: machinePlatform({ socketPath, clock: systemClock, random: Math.random }), log })
    if (!control.ok) throw new Error(control.error)
    const fault = await heard
    await control.value.close()
    return fault
  }
  const allow = api.forbid({})
  t.match(await said(), /Cannot list gameservers\.agones\.dev in namespace games: not allowed; it takes a Role with apiGroups: /)
  allow()
  api.setTokens('another')
  t.match(await said(), /does not accept the credentials, the token may have expired/)
  api.setTokens('secret')
  api.removeType(type)
  t.match(await said(), /Cannot list gameservers\.agones\.dev in namespace games: there is no such resource in agones\.dev\/v1/)
  await api.close()
  t.match(await said(), /The Kubernetes API cannot be reached/)
})
