// Where objects can be reached: the GameServers of testkit/fixtures, then each form of mapping.
import { readdirSync, readFileSync } from 'node:fs'
import { pathToFileURL } from 'node:url'
import t from 'tap'
import type { ResourceMapping } from '#config/schema.js'
import { err, ok } from '#core/result.js'
import type { KubeObject } from '../../src/inventory/objects/inventory.js'
import { heldTypes, SERVICES_TYPE } from '../../src/inventory/objects/resource-types.js'
import { createStore } from '../../src/inventory/store/store.js'
import { compileCandidate, type Unusable } from '../../src/targets/candidate.js'
import { findPort, portFrom } from '../../src/targets/find-port.js'
import { createTargetPolicy } from '../../src/targets/target-policy.js'
import { gameServer, kubeObject, mapping } from '../inventory/kube-objects.js'

interface Options {
  readonly dataPorts?: readonly string[]
  readonly services?: readonly KubeObject[]
  readonly allowedTargets?: readonly string[]
}

// What the names of the fixtures and of tables resolve to.
const resolved: Readonly<Record<string, readonly string[]>> = {
  'node-16.example.invalid': ['203.0.113.99', '2001:db8::99'],
  'rebound.example.invalid': ['127.0.0.1', '169.254.169.254'],
  'both.example.invalid': ['127.0.0.1', '10.0.0.77']
}
const names = { addressesOf: (name: string) => resolved[name], isSettled: () => false, version: 0 }

// `address port…` or why not.
function placeOf (object: KubeObject, resourceMapping: ResourceMapping, { dataPorts = ['default'], services = [], allowedTargets }: Options = {}): string {
  const inventory = createStore(heldTypes({ type: resourceMapping }).keys())
  inventory.replace(new Map([[SERVICES_TYPE, services]]))
  const policy = createTargetPolicy({ allowedTargets, ownAddresses: [], ownPorts: [] })
  const candidate = compileCandidate({ resourceType: 'type', mapping: resourceMapping, dataPorts, inventory, policy, names })(object)
  if (!candidate.ok) return candidate.error
  const { key, address, ports } = candidate.value.target
  t.equal(key, `type/${object.metadata.namespace}/${object.metadata.name}`)
  t.equal(candidate.value.object, object)
  return [address, ...Object.entries(ports).map(([name, port]) => `${name}:${port}`)].join(' ')
}

const fixtures = pathToFileURL('testkit/fixtures/gameservers/')

// The three columns are the kinds of address a mapping can take: `status.address` is the node's by the name Agones
// prefers, InternalIP and ExternalIP the node's, PodIP the pod's.
interface Places { readonly byStatus: string, readonly byInternalIP: string, readonly byPodIP: string }

// Of a server on node `n`, whose addresses the fixtures derive from that number.
const onNode = (n: number, status: number, pod: number): Places => ({
  byStatus: `203.0.113.${n} default:${status}`,
  byInternalIP: `10.128.0.${n} default:${status}`,
  byPodIP: `10.244.${n}.17 default:${pod}`
})
const nowhere = (why: Unusable): Places => ({ byStatus: why, byInternalIP: why, byPodIP: why })

const fixturePlaces: Readonly<Record<string, Places>> = {
  'allocated-dynamic': onNode(12, 7142, 7777),
  'allocated-terminating': nowhere('deleting'),
  'ready-dynamic': onNode(11, 7142, 7777),
  'ready-externaldns-dualstack': { ...onNode(16, 7142, 7777), byStatus: '203.0.113.99 default:7142' },
  'ready-none-noport': { ...nowhere('port_not_on_node'), byPodIP: 'no_port' },
  'ready-none-podip': { ...nowhere('port_not_on_node'), byPodIP: '10.244.13.17 default:7777' },
  'ready-passthrough': onNode(14, 7301, 7301),
  'ready-players-alpha': onNode(21, 7142, 7777),
  'ready-static-multiport-tcpudp': nowhere('no_port'),
  reserved: onNode(17, 7142, 7777),
  'scheduled-no-address': nowhere('no_address'),
  'shutdown-terminating': nowhere('deleting'),
  unhealthy: onNode(18, 7142, 7777)
}

function fixture (name: string): KubeObject {
  return JSON.parse(readFileSync(new URL(`${name}.json`, fixtures), 'utf8')) as KubeObject
}

const typed = (addressType: string): Partial<ResourceMapping> => ({ addressPath: 'status.addresses', addressType })
const filtered = (addressType: string): Partial<ResourceMapping> => ({ addressPath: `status.addresses[?(@.type=="${addressType}")].address` })

void t.test('every GameServer of the fixtures is where Agones says it is, at a port that belongs to the address', async t => {
  t.strictSame(readdirSync(fixtures).sort(), Object.keys(fixturePlaces).map(name => `${name}.json`).sort())
  for (const [name, { byStatus, byInternalIP, byPodIP }] of Object.entries(fixturePlaces)) {
    const object = fixture(name)
    const external = byInternalIP.replace('10.128.0', '203.0.113')
    t.equal(placeOf(object, mapping()), byStatus, name)
    for (const form of [typed, filtered]) {
      t.equal(placeOf(object, mapping(form('InternalIP'))), byInternalIP, `${name} by InternalIP`)
      t.equal(placeOf(object, mapping(form('ExternalIP'))), external, `${name} by ExternalIP`)
      t.equal(placeOf(object, mapping(form('PodIP'))), byPodIP, `${name} by PodIP`)
      // One fixture has an ExternalDNS; a Hostname is not a name of the DNS, and is on none without a dot.
      const unnamed = byStatus === 'deleting' ? 'deleting' : 'no_address'
      t.equal(placeOf(object, mapping(form('ExternalDNS'))), name.includes('externaldns') ? byStatus : unnamed, `${name} by ExternalDNS`)
      t.equal(placeOf(object, mapping(form('InternalDNS'))), unnamed, `${name} by InternalDNS`)
      t.equal(placeOf(object, mapping(form('Hostname'))), unnamed, `${name} by Hostname`)
    }
  }
  const byPodIP = mapping(typed('PodIP'))
  const dualStack = fixture('ready-externaldns-dualstack')
  t.equal(placeOf(dualStack, byPodIP, { allowedTargets: ['fd00::/8'] }), 'fd00:244:16::11 default:7777', 'the address that is allowed')
  t.equal(placeOf(dualStack, byPodIP, { allowedTargets: ['192.0.2.0/24'] }), 'not_allowed')
  t.equal(placeOf(dualStack, mapping(), { allowedTargets: ['2001:db8::/32'] }), '2001:db8::99 default:7142', 'of a name, too')
})

void t.test('several ports go to data ports by name', async t => {
  const multiport = fixture('ready-static-multiport-tcpudp')
  const ports = [{ name: 'default', portName: 'game' }, { name: 'query', portName: 'rcon' }, { name: 'voice', portPath: 'status.ports[0].port' }]
  const { portName: _, ...direct } = mapping()
  const dataPorts = ['default', 'query', 'voice', 'other']
  t.equal(placeOf(multiport, { ...direct, ports }, { dataPorts }), '203.0.113.15 default:7777 query:7143 voice:7777')
  t.equal(placeOf(multiport, { ...direct, ...typed('PodIP'), ports }, { dataPorts }), '10.244.15.17 default:7777 query:27015 voice:7777', 'a path is taken literally')
  t.equal(placeOf(multiport, { ...direct, ports: [...ports, { name: 'other', portName: 'missing' }] }), 'no_port', 'one that is missing is one too many')
  t.equal(placeOf(multiport, { ...direct, ports: [...ports, { name: 'other', portName: 'rcon-tcp' }] }), 'no_port', 'nor is one for TCP')
  t.equal(placeOf(multiport, mapping({ portName: 'game' }), { dataPorts: ['a', 'b'] }), '203.0.113.15 a:7777 b:7777', 'one port serves all')
  t.equal(placeOf(fixture('ready-none-podip'), { ...direct, portPath: 'status.ports[0].port' }), '203.0.113.13 default:7777', 'a path is taken literally, whatever the policy')
})

void t.test('a port belongs to the pod or to its node', async t => {
  const server = (port: object, status: object = {}): KubeObject => ({ ...gameServer('x', {}, { addresses: [{ type: 'PodIP', address: '10.1.1.1' }], ports: [{ name: 'default', port: 7142 }], ...status }), spec: { ports: [port] } })
  const node = mapping()
  const pod = mapping(typed('PodIP'))
  const elsewhere = mapping({ addressPath: 'metadata.annotations.at' })
  const at = (object: KubeObject): KubeObject => ({ ...object, metadata: { ...object.metadata, annotations: { at: '10.9.9.9' } } })
  const table: ReadonlyArray<readonly [description: string, object: KubeObject, mapping: ResourceMapping, place: string]> = [
    ['no policy is Dynamic', server({ name: 'default', containerPort: 7777 }), pod, '10.1.1.1 default:7777'],
    ['no policy is Dynamic, on the node', server({ name: 'default', containerPort: 7777 }), node, '10.0.0.1 default:7142'],
    ['a policy to come', server({ name: 'default', containerPort: 7777, portPolicy: 'Later' }), pod, '10.1.1.1 default:7777'],
    ['a container port that nobody said', server({ name: 'default', portPolicy: 'Dynamic' }), pod, 'no_port'],
    ['None', server({ name: 'default', containerPort: 7142, portPolicy: 'None' }), pod, '10.1.1.1 default:7142'],
    ['nobody knows whose address', at(server({ name: 'default', containerPort: 7142, portPolicy: 'None' })), elsewhere, '10.9.9.9 default:7142'],
    ['TCPUDP as people write it', server({ name: 'default', protocol: 'TCPUDP', containerPort: 7777 }, { ports: [{ name: 'default-tcp', port: 1 }, { name: 'default-udp', port: 2 }] }), node, '10.0.0.1 default:2'],
    ['TCPUDP, the pod\'s', server({ name: 'default-udp', protocol: 'UDP', containerPort: 7777 }, { ports: [{ name: 'default-udp', port: 2 }] }), pod, '10.1.1.1 default:7777'],
    ['TCP alone', server({ name: 'default', protocol: 'TCP', containerPort: 7777 }), node, 'no_port'],
    ['a spec without ports', server({ name: 'other' }), pod, '10.1.1.1 default:7142'],
    ['an unallocated port', server({ name: 'default', containerPort: 7777 }, { ports: [{ name: 'default', port: 0 }] }), node, 'no_port']
  ]
  for (const [description, object, mapping, place] of table) t.equal(placeOf(object, mapping), place, description)
})

void t.test('a Pod has container ports, and on its node host ports', async t => {
  const pod = (port: object, spec: object = {}): KubeObject => kubeObject('v1', 'Pod', 'x', {}, {
    spec: { containers: [{ ports: [{ name: 'game', protocol: 'UDP', ...port }] }], ...spec },
    status: { podIP: '10.1.1.1', podIPs: [{ ip: '10.1.1.1' }], hostIP: '10.128.0.1', hostIPs: [{ ip: '10.128.0.1' }] }
  })
  const at = (addressPath: string): ResourceMapping => ({ group: '', version: 'v1', resource: 'pods', addressPath, portName: 'game' })
  const both = { containerPort: 7777, hostPort: 7142 }
  const table: ReadonlyArray<readonly [object: KubeObject, path: string, place: string]> = [
    [pod(both), 'status.podIP', '10.1.1.1 default:7777'],
    [pod(both), '{.status.podIPs[0].ip}', '10.1.1.1 default:7777'],
    [pod(both), 'status.hostIP', '10.128.0.1 default:7142'],
    [pod(both), '$.status.hostIPs[*].ip', '10.128.0.1 default:7142'],
    [pod({ containerPort: 7777 }), 'status.podIP', '10.1.1.1 default:7777'],
    [pod({ containerPort: 7777 }), 'status.hostIP', 'port_not_on_node'],
    [pod({ containerPort: 7777, hostPort: 0 }), 'status.hostIP', 'port_not_on_node'],
    [pod({ containerPort: 7777 }, { hostNetwork: true }), 'status.hostIP', '10.128.0.1 default:7777'],
    [pod({ ...both, protocol: 'TCP' }), 'status.hostIP', 'no_port'],
    [pod({ ...both, name: 'other' }), 'status.podIP', 'no_port']
  ]
  for (const [object, path, place] of table) t.equal(placeOf(object, at(path)), place, `${path} ${JSON.stringify(object['spec'])}`)
})

void t.test('addresses are IP literals in canonical text, or names that are resolved, wherever the path leads', async t => {
  const table: ReadonlyArray<readonly [description: string, fields: Partial<ResourceMapping>, status: object, place: string]> = [
    ['canonical', {}, { address: '2001:DB8:0:0::1' }, '2001:db8::1 default:7777'],
    ['IPv4-mapped', {}, { address: '::ffff:10.0.0.9' }, '10.0.0.9 default:7777'],
    ['a host name', {}, { address: 'Node-16.Example.invalid.' }, '203.0.113.99 default:7777'],
    ['a host name without an answer', {}, { address: 'node-1.example.invalid' }, 'name_not_resolved'],
    ['a host name that leads to ourselves', {}, { address: 'rebound.example.invalid' }, 'not_allowed'],
    ['a host name, the first that is allowed', {}, { address: 'both.example.invalid' }, '10.0.0.77 default:7777'],
    ['a name without a dot', {}, { address: 'localhost' }, 'no_address'],
    ['a mistyped address', {}, { address: '10.0.0.300' }, 'no_address'],
    ['no name', {}, { address: 'a..b' }, 'no_address'],
    ['too long a name', {}, { address: `${'a.'.repeat(127)}b` }, 'no_address'],
    ['with a port', {}, { address: '10.0.0.1:80' }, 'no_address'],
    ['a number', {}, { address: 167_772_161 }, 'no_address'],
    ['null', {}, { address: null }, 'no_address'],
    ['a map', {}, { address: { type: 'PodIP', address: '10.0.0.1' } }, 'no_address'],
    ['refused', {}, { address: '127.0.0.1' }, 'not_allowed'],
    ['by filter', { addressPath: 'status.addresses[?(@.type==\'B\')].address' }, { addresses: [{ type: 'A', address: '10.0.0.1' }, { type: 'B', address: '10.0.0.2' }] }, '10.0.0.2 default:7777'],
    ['the first that is one', { addressPath: 'status.addresses[*]' }, { addresses: ['node-16.example.invalid', '10.0.0.3', '10.0.0.4'] }, '10.0.0.3 default:7777'],
    ['a name after those without an answer', { addressPath: 'status.addresses[*]' }, { addresses: ['node-1.example.invalid', 'node-16.example.invalid'] }, '203.0.113.99 default:7777'],
    ['the first that is allowed', { addressPath: 'status.addresses[*]' }, { addresses: ['127.0.0.1', '10.0.0.4'] }, '10.0.0.4 default:7777'],
    ['by type, elements', { addressPath: 'status.addresses[*]', addressType: 'B' }, { addresses: [{ type: 'A', address: '10.0.0.1' }, { type: 'B', address: '10.0.0.2' }] }, '10.0.0.2 default:7777'],
    ['by type, none', { addressPath: 'status.addresses', addressType: 'C' }, { addresses: [{ type: 'A', address: '10.0.0.1' }, null, 'x', { type: 'C' }] }, 'no_address'],
    ['by type, null', { addressPath: 'status.addresses', addressType: 'C' }, { addresses: null }, 'no_address']
  ]
  for (const [description, fields, status, place] of table) t.equal(placeOf(gameServer('x', {}, status), mapping(fields)), place, description)
})

void t.test('ports are found by name in the usual places, or by path', async t => {
  const withPorts = (status: unknown, spec: unknown): KubeObject => kubeObject('example.com/v1', 'Lobby', 'x', {}, { status, spec })
  const containers = [{ ports: [{ name: 'web', containerPort: 80, protocol: 'TCP' }] }, {}, { ports: [{ name: 'game', containerPort: 7000, hostPort: 7100, protocol: 'UDP' }] }]
  const table: ReadonlyArray<readonly [description: string, object: KubeObject, port: number | undefined]> = [
    ['status', withPorts({ ports: [{ name: 'game', port: 1 }, { name: 'game-udp', port: 2 }] }, { ports: [{ name: 'game', port: 3 }] }), 1],
    ['status, as name-udp', withPorts({ ports: [{ name: 'game-tcp', port: 1 }, { name: 'game-udp', port: 2 }] }, { ports: [{ name: 'game', port: 3 }] }), 2],
    ['spec', withPorts({ ports: [{ name: 'other', port: 1 }] }, { ports: [{ name: 'game', port: 3 }], containers }), 3],
    ['containers', withPorts({}, { containers }), 7000],
    ['a spec without port', withPorts({ ports: null }, { ports: [{ name: 'game', containerPort: 7777, hostPort: 7142 }] }), undefined],
    ['port 0 in status decides', withPorts({ ports: [{ name: 'game', port: 0 }] }, { ports: [{ name: 'game', port: 3 }] }), undefined],
    ['for TCP', withPorts({}, { ports: [{ name: 'game', port: 3, protocol: 'TCP' }] }), undefined],
    ['for TCP and UDP', withPorts({}, { ports: [{ name: 'game', port: 3, protocol: 'TCP' }, { name: 'game', port: 4, protocol: 'UDP' }] }), 4],
    ['what is not a list', withPorts({ ports: 'game' }, { ports: { name: 'game' }, containers: [null, 'x', { ports: 7 }] }), undefined],
    ['nothing', withPorts(undefined, null), undefined]
  ]
  for (const [description, object, port] of table) t.strictSame(findPort(object, 'game'), port === undefined ? err('no_port') : ok(port), description)
  const ports: ReadonlyArray<readonly [value: unknown, port: number | undefined]> = [
    [7777, 7777], ['7777', 7777], [1, 1], [65_535, 65_535], [0, undefined], ['0', undefined], [65_536, undefined], [-1, undefined],
    [1.5, undefined], ['', undefined], ['7777 ', undefined], ['0x1e61', undefined], [null, undefined], [true, undefined], [[7777], undefined]
  ]
  for (const [value, port] of ports) t.equal(portFrom(value), port, JSON.stringify(value))
  const { portName: _, ...direct } = mapping()
  const annotated = gameServer('x', { annotations: { 'example.com/port': '7200' } })
  t.equal(placeOf(annotated, { ...direct, portPath: 'metadata.annotations.example\\.com/port' }), '10.0.0.1 default:7200')
  t.equal(placeOf(annotated, { ...direct, portPath: 'status.ports[5].port' }), 'no_port')
})

const service = (name: string, labels: Record<string, string>, spec: object, deletionTimestamp?: string): KubeObject =>
  kubeObject('v1', 'Service', name, deletionTimestamp === undefined ? { labels } : { labels, deletionTimestamp }, { spec })

void t.test('a service-based mapping routes to the Service that bears the object\'s name', async t => {
  const legacy: ResourceMapping = { group: 'agones.dev', version: 'v1', resource: 'gameservers', serviceSelectorLabel: 'gs', serviceTargetPortName: 'game' }
  const spec = { clusterIP: '10.96.1.50', ports: [{ name: 'web', port: 80 }, { name: 'game', port: 7777, targetPort: 1234 }] }
  const place = (...services: readonly KubeObject[]): string => placeOf(gameServer('a'), legacy, { services })
  t.equal(place(service('s', { gs: 'a' }, spec)), '10.96.1.50 default:7777')
  t.equal(place(), 'no_service')
  t.equal(place(service('s', { gs: 'b' }, spec)), 'no_service')
  t.equal(place({ ...service('s', { gs: 'a' }, spec), metadata: { name: 's', namespace: 'other', labels: { gs: 'a' } } }), 'no_service')
  t.equal(place(service('s', { gs: 'a' }, spec, '2026-01-01T00:00:00Z')), 'no_service', 'a Service that is being deleted')
  t.equal(place(service('s', { gs: 'a' }, { ...spec, clusterIP: 'None' })), 'no_address', 'headless')
  t.equal(place(service('s', { gs: 'a' }, { ports: spec.ports })), 'no_address')
  t.equal(place(service('s', { gs: 'a' }, { ...spec, ports: [] })), 'no_port')
  t.equal(place(service('s', { gs: 'a' }, { ...spec, clusterIP: '127.0.0.1' })), 'not_allowed')
  t.equal(place(service('r', { gs: 'a' }, { clusterIP: 'None' }), service('s', { gs: 'a' }, spec)), '10.96.1.50 default:7777', 'the first that is usable')
  t.equal(placeOf(gameServer('a', { deletionTimestamp: '2026-01-01T00:00:00Z' }), legacy, { services: [service('s', { gs: 'a' }, spec)] }), 'deleting')

  const dns: ResourceMapping = { group: '', version: 'v1', resource: 'services', serviceSelectorLabel: 'k8s-app', serviceTargetPortName: 'game' }
  t.equal(placeOf(service('kube-dns', {}, spec), dns), '10.96.1.50 default:7777', 'a Service is its own')
})

void t.test('a Service that changes is followed, though the object does not change', async t => {
  const legacy: ResourceMapping = { group: 'agones.dev', version: 'v1', resource: 'gameservers', serviceSelectorLabel: 'gs', serviceTargetPortName: 'game' }
  const inventory = createStore([SERVICES_TYPE])
  const candidateOf = compileCandidate({ resourceType: 'type', mapping: legacy, dataPorts: ['default'], inventory, policy: createTargetPolicy({ ownAddresses: [], ownPorts: [] }), names })
  const object = gameServer('a')
  t.strictSame(candidateOf(object), { ok: false, error: 'no_service' satisfies Unusable })
  inventory.replace(new Map([[SERVICES_TYPE, [service('s', { gs: 'a' }, { clusterIP: '10.96.1.50', ports: [{ name: 'game', port: 7777 }] })]]]))
  t.ok(candidateOf(object).ok)
})

void t.test('a mapping that the configuration would refuse is a bug', async t => {
  const { portName: _, addressPath: __, ...neither } = mapping()
  for (const broken of [mapping({ addressPath: 'a[' }), { ...neither, addressPath: 'a' }, { ...neither, portPath: 'a' }, { ...neither, addressPath: 'a', portPath: 'b..' }]) {
    t.throws(() => placeOf(gameServer('a'), broken), /is not a JSONPath/)
  }
})
