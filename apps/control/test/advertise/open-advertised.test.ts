// What answers tell, by the configuration, the environment and a Kubernetes API.
import t, { type Test } from 'tap'
import type { Place } from '#config/env.js'
import type { Advertise } from '#config/schema.js'
import { ok } from '#core/result.js'
import { createFakeClock, type FakeClock } from '#testkit/fake-clock.js'
import { openFolder } from '#testkit/folder.js'
import { forTest } from '#testkit/for-test.js'
import { defaultResourceTypes } from '#testkit/kube-api/objects/resource-type.js'
import { startKubeApi, type KubeApi, type KubeApiOptions } from '#testkit/kube-api/start-kube-api.js'
import type { Advertised, Told } from '../../src/advertise/advertised.js'
import { AWAITED_MS, KNOWN_MS } from '../../src/advertise/followed-object.js'
import { openAdvertised } from '../../src/advertise/open-advertised.js'
import { DENIED_MS } from '../../src/inventory/kubernetes/reflector/reflector-state.js'
import { plainCredentials, rest } from '../inventory/kubernetes/rig.js'

const nowhere: Place = { advertise: undefined, podName: undefined, podNamespace: undefined, nodeName: undefined }
const pod: Place = { advertise: undefined, podName: 'udp-director-0', podNamespace: 'udp-director', nodeName: 'node-1' }
const types = [...defaultResourceTypes, { group: '', version: 'v1', plural: 'nodes', kind: 'Node', namespaced: false }]

const service = (ip?: string, name = 'udp-director-0') => ({ apiVersion: 'v1', kind: 'Service', metadata: { name, namespace: 'udp-director' }, status: { loadBalancer: ip === undefined ? {} : { ingress: [{ ip }] } } })
const node = (address: string) => ({ apiVersion: 'v1', kind: 'Node', metadata: { name: 'node-1' }, status: { addresses: [{ type: 'ExternalIP', address }] } })

interface Rig {
  readonly api: KubeApi
  readonly clock: FakeClock
  readonly advertised: Advertised
  readonly logged: string[]
  /** Until this is told or known; time passes in steps of a second. */
  readonly until: (isReached: () => boolean) => Promise<void>
}

const address = ({ advertised }: Pick<Rig, 'advertised'>): string | undefined => {
  const told = advertised.told()
  return told.ok ? told.value.address : undefined
}
const fault = ({ advertised }: Pick<Rig, 'advertised'>): string | undefined => advertised.status()?.fault

async function openRig (t: Test, advertise: Advertise, { prepare, ...options }: KubeApiOptions & { prepare?: (api: KubeApi) => void } = {}): Promise<Rig> {
  const clock = createFakeClock()
  const api = await startKubeApi({ clock, types, ...options })
  t.teardown(api.close)
  prepare?.(api)
  const logged: string[] = []
  const log = { info: (fields: object, line: string) => { logged.push(`info ${line} ${JSON.stringify(fields)}`) }, warn: (fields: object, line: string) => { logged.push(`warn ${line} ${JSON.stringify(fields)}`) } }
  const opened = await openAdvertised({ config: { advertise, inventory: { provider: 'file', path: '/' } }, place: pod, clock, random: () => 0.5, log: log as never, credentials: plainCredentials(api) })
  if (!opened.ok) throw new Error(opened.error)
  t.teardown(opened.value.close)
  return {
    api,
    clock,
    advertised: opened.value,
    logged,
    until: async isReached => {
      await rest(isReached)
      for (let second = 0; !isReached(); second++) {
        if (second > 120) throw new Error(`it did not come: ${logged.join(', ')}`)
        clock.advance(1000)
        await rest(isReached)
      }
    }
  }
}

async function opened (advertise: Advertise | undefined, place: Partial<Place>, kubeconfig?: string): Promise<Told | string> {
  const config = { inventory: { provider: 'file' as const, ...(kubeconfig === undefined ? {} : { kubeconfig }) }, ...(advertise === undefined ? {} : { advertise }) }
  const result = await openAdvertised({ config, place: { ...nowhere, ...place }, clock: createFakeClock(), random: () => 0, log: { info: () => undefined, warn: () => undefined } as never })
  if (!result.ok) return result.error
  const told = result.value.told()
  await result.value.close()
  return told.ok ? told.value : told.error
}

void t.test('what needs no cluster', async t => {
  const told = (address: string | undefined, ports = {}, queryUrl?: string): Told => ({ address, ports, queryUrl })
  t.strictSame(await opened(undefined, {}), told(undefined), 'nothing is configured')
  t.strictSame(await opened(undefined, { advertise: '203.0.113.7' }), told('203.0.113.7'), 'the environment alone')
  t.strictSame(await opened({ address: 'a.example.com', ports: { default: 31_777 } }, {}), told('a.example.com', { default: 31_777 }))
  t.strictSame(await opened({ address: 'a.example.com', ports: { default: 31_777 } }, { advertise: '203.0.113.7' }), told('203.0.113.7', { default: 31_777 }), 'the environment has the address, and nothing else')
  t.strictSame(await opened({ service: '$POD_NAME' }, { advertise: '203.0.113.7' }), told('203.0.113.7'), 'no cluster is asked then')
  t.strictSame(await opened({ address: '$POD_NAME.udp.example.com', queryUrl: 'https://$POD_NAME.example.com' }, { podName: 'd-1' }), told('d-1.udp.example.com', {}, 'https://d-1.example.com'))
})

void t.test('what cannot work is a sentence', async t => {
  const cases: ReadonlyArray<readonly [Advertise, Partial<Place>, RegExp]> = [
    [{ ports: {} }, {}, /^advertise: says nothing of the address: give one of address, service and node, or set UDP_DIRECTOR_ADVERTISE\.$/],
    [{ address: '203.0.113.7' }, { advertise: 'not an address' }, /^UDP_DIRECTOR_ADVERTISE: must be an IP address or a host name, not "not an address"\.$/],
    [{ service: '$POD_NAME' }, { podNamespace: 'a' }, /^advertise\.service: has \$POD_NAME, but POD_NAME is not set \(fieldRef: metadata\.name\)\.$/],
    [{ address: '203.0.113.7', queryUrl: 'http://$POD_NAME' }, { advertise: '203.0.113.8' }, /^advertise\.queryUrl: has \$POD_NAME/],
    [{ service: 'a' }, {}, /^advertise\.service: nothing says in which namespace this pod is: POD_NAMESPACE is not set, and there is no service account\.$/],
    [{ node: 'ExternalIP' }, {}, /^advertise\.node: NODE_NAME is not set, which says on which Node this pod is \(fieldRef: spec\.nodeName\)\.$/]
  ]
  for (const [advertise, place, expected] of cases) t.match(await opened(advertise, place), expected)
  const { path } = await forTest(t, openFolder())
  t.match(await opened({ service: 'a' }, { podNamespace: 'a' }, `${path}/none`), /^advertise\.service: The kubeconfig .*none cannot be used/)
  t.intercept(process, 'env', { value: { HOME: path } })
  t.match(await opened({ node: 'ExternalIP' }, { nodeName: 'a' }), /^advertise\.node: There are no Kubernetes credentials: .*\. Give the address itself \(advertise\.address, or UDP_DIRECTOR_ADVERTISE\) where there is no cluster\.$/, 'with an inventory of files, too')
})

void t.test('a Service: missing, then without an address, then with one that changes, then away', async t => {
  const rig = await openRig(t, { service: '$POD_NAME', queryUrl: 'http://$ADDRESS:9000' })
  const { api, advertised, logged } = rig
  await rig.until(() => fault(rig) === 'There is no Service udp-director-0 of namespace udp-director.')
  t.match(advertised.told(), { ok: false })
  api.load([service()])
  await rig.until(() => fault(rig) === 'Service udp-director-0 of namespace udp-director has no address of a load balancer yet, and no externalIPs.')
  api.store.patch('services', 'udp-director/udp-director-0', { status: { loadBalancer: { ingress: [{ ip: '203.0.113.7' }] } } })
  await rig.until(() => address(rig) === '203.0.113.7')
  t.strictSame(advertised.told(), ok({ address: '203.0.113.7', ports: {}, queryUrl: 'http://203.0.113.7:9000' }))
  t.equal(advertised.told(), advertised.told(), 'made once')
  api.store.patch('services', 'udp-director/udp-director-0', { status: { loadBalancer: { ingress: [{ ip: '203.0.113.8' }] } } })
  await rig.until(() => address(rig) === '203.0.113.8')
  t.match(advertised.told(), { value: { queryUrl: 'http://203.0.113.8:9000' } })
  api.store.patch('services', 'udp-director/udp-director-0', { status: { loadBalancer: { ingress: [] } } })
  await rig.until(() => fault(rig) !== undefined)
  t.equal(address(rig), '203.0.113.8', 'what is known stays')
  api.store.patch('services', 'udp-director/udp-director-0', { status: { loadBalancer: { ingress: [{ ip: '203.0.113.8' }] } } })
  await rig.until(() => fault(rig) === undefined)
  t.strictSame(logged.map(line => line.replace(/ \{.*/, '')), [
    'warn Advertised address is not known yet, no token is handed out',
    'warn Advertised address is not known yet, no token is handed out',
    'info Advertised address is known',
    'info Advertised address has changed, new answers tell the new one',
    'warn Advertised address cannot be read, the last one is told',
    'info Advertised address can be read again'
  ])
  const asked = api.requests.map(({ verb, path, query }) => `${verb} ${path} ${String(query['resourceVersion'])}`)
  t.strictSame([...new Set(asked)], ['get /api/v1/namespaces/udp-director/services/udp-director-0 0'], 'one get of one name, from the server\'s cache')
})

void t.test('a Node, and a ClusterRole that is missing', async t => {
  const rig = await openRig(t, { node: 'ExternalIP' }, { prepare: api => { api.load([node('203.0.113.9')]) } })
  await rig.until(() => address(rig) === '203.0.113.9')
  const allow = rig.api.forbid({})
  const startMs = rig.clock.now()
  await rig.until(() => fault(rig) !== undefined)
  t.equal(fault(rig), 'Cannot get Node node-1: not allowed; it takes a ClusterRole with apiGroups: [""], resources: ["nodes"], verbs: ["get"].')
  t.ok(rig.clock.now() - startMs >= DENIED_MS, 'a server that starts says 403, too: it is believed after a while')
  t.equal(address(rig), '203.0.113.9')
  allow()
  await rig.until(() => fault(rig) === undefined)
})

void t.test('a Role that was never there is told at once, and a server that fails or hangs is asked again', async t => {
  const forbidden = await openRig(t, { service: 'a' }, { prepare: api => { api.forbid({}) } })
  await forbidden.until(() => fault(forbidden) === 'Cannot get Service a of namespace udp-director: not allowed; it takes a Role with apiGroups: [""], resources: ["services"], verbs: ["get"].')
  const rig = await openRig(t, { service: '$POD_NAME' }, {
    prepare: api => {
      api.load([service('203.0.113.7')])
      api.fault({ nth: 1 }, { kind: 'hang' })
      api.fault({ nth: 2 }, { kind: 'status', code: 500 })
      api.fault({ nth: 3 }, { kind: 'status', code: 401 })
    }
  })
  await rig.until(() => address(rig) === '203.0.113.7')
  t.match(rig.logged.slice(0, 3), [
    /Cannot get Service udp-director-0 of namespace udp-director: no answer in time/,
    /Cannot get Service udp-director-0 of namespace udp-director: the server failed/,
    /The Kubernetes API does not accept the credentials/
  ])
})

void t.test('a known address is asked for every ten seconds, one that is awaited every two', async t => {
  const rig = await openRig(t, { service: '$POD_NAME' }, { prepare: api => { api.load([service()]) } })
  const times = (): readonly number[] => rig.api.requests.map(({ atMs }) => atMs)
  await rig.until(() => times().length === 3)
  t.equal(times()[2]! - times()[1]!, AWAITED_MS)
  rig.api.store.patch('services', 'udp-director/udp-director-0', { status: { loadBalancer: { ingress: [{ ip: '203.0.113.7' }] } } })
  await rig.until(() => address(rig) !== undefined)
  const known = times().length
  await rig.until(() => times().length === known + 2)
  t.equal(times().at(-1)! - times().at(-2)!, KNOWN_MS)
})
