// Where objects can be reached: the GameServers of libs/testkit/fixtures, then each form of mapping.
import { readdirSync, readFileSync } from 'node:fs'
import t from 'tap'
import type { ResourceMapping } from '#config/schema.js'
import type { KubeObject } from '../../src/inventory/inventory.js'
import { heldTypes, SERVICES_TYPE } from '../../src/inventory/resource-types.js'
import { createStore } from '../../src/inventory/store.js'
import { compileCandidate, type Unusable } from '../../src/query/candidate.js'
import { findPort, portFrom } from '../../src/query/find-port.js'
import { createTargetPolicy } from '../../src/query/target-policy.js'
import { gameServer, kubeObject, mapping } from '../inventory/kube-objects.js'

interface Options {
  readonly dataPorts?: readonly string[]
  readonly services?: readonly KubeObject[]
  readonly allowedTargets?: readonly string[]
}

// `address port…` or why not.
function placeOf (object: KubeObject, resourceMapping: ResourceMapping, { dataPorts = ['default'], services = [], allowedTargets }: Options = {}): string {
  const inventory = createStore(heldTypes({ type: resourceMapping }).keys())
  inventory.replace(new Map([[SERVICES_TYPE, services]]))
  const policy = createTargetPolicy({ allowedTargets, ownAddresses: [], ownPorts: [] })
  const candidate = compileCandidate({ resourceType: 'type', mapping: resourceMapping, dataPorts, inventory, policy })(object)
  if (!candidate.ok) return candidate.error
  const { key, address, ports } = candidate.value.target
  t.equal(key, `type/${object.metadata.namespace}/${object.metadata.name}`)
  t.equal(candidate.value.object, object)
  return [address, ...Object.entries(ports).map(([name, port]) => `${name}:${port}`)].join(' ')
}

const fixtures = new URL('../../../../libs/testkit/fixtures/gameservers/', import.meta.url)

const fixturePlaces: Readonly<Record<string, readonly [byAddress: string, byPodIP: string]>> = {
  'allocated-dynamic': ['203.0.113.12 default:7142', '10.244.12.17 default:7142'],
  'allocated-terminating': ['deleting', 'deleting'],
  'ready-dynamic': ['203.0.113.11 default:7142', '10.244.11.17 default:7142'],
  'ready-externaldns-dualstack': ['no_address', '10.244.16.17 default:7142'],
  'ready-none-noport': ['no_port', 'no_port'],
  'ready-none-podip': ['203.0.113.13 default:7777', '10.244.13.17 default:7777'],
  'ready-passthrough': ['203.0.113.14 default:7301', '10.244.14.17 default:7301'],
  'ready-players-alpha': ['203.0.113.21 default:7142', '10.244.21.17 default:7142'],
  'ready-static-multiport-tcpudp': ['no_port', 'no_port'],
  reserved: ['203.0.113.17 default:7142', '10.244.17.17 default:7142'],
  'scheduled-no-address': ['no_address', 'no_address'],
  'shutdown-terminating': ['deleting', 'deleting'],
  unhealthy: ['203.0.113.18 default:7142', '10.244.18.17 default:7142']
}

function fixture (name: string): KubeObject {
  return JSON.parse(readFileSync(new URL(`${name}.json`, fixtures), 'utf8')) as KubeObject
}

void t.test('every GameServer of the fixtures is where Agones says it is', async t => {
  t.strictSame(readdirSync(fixtures).sort(), Object.keys(fixturePlaces).map(name => `${name}.json`).sort())
  const byPodIP = mapping({ addressPath: 'status.addresses', addressType: 'PodIP' })
  for (const [name, [address, podIP]] of Object.entries(fixturePlaces)) {
    t.equal(placeOf(fixture(name), mapping()), address, name)
    t.equal(placeOf(fixture(name), byPodIP), podIP, `${name} by PodIP`)
  }
  const dualStack = fixture('ready-externaldns-dualstack')
  t.equal(placeOf(dualStack, byPodIP, { allowedTargets: ['fd00::/8'] }), 'fd00:244:16::11 default:7142', 'the address that is allowed')
  t.equal(placeOf(dualStack, byPodIP, { allowedTargets: ['192.0.2.0/24'] }), 'not_allowed')
})

void t.test('several ports go to data ports by name', async t => {
  const multiport = fixture('ready-static-multiport-tcpudp')
  const ports = [{ name: 'default', portName: 'game' }, { name: 'query', portName: 'rcon' }, { name: 'voice', portPath: 'status.ports[0].port' }]
  const { portName: _, ...direct } = mapping()
  t.equal(placeOf(multiport, { ...direct, ports }, { dataPorts: ['default', 'query', 'voice', 'other'] }), '203.0.113.15 default:7777 query:7143 voice:7777')
  t.equal(placeOf(multiport, { ...direct, ports: [...ports, { name: 'other', portName: 'missing' }] }), 'no_port', 'one that is missing is one too many')
  t.equal(placeOf(multiport, mapping({ portName: 'game' }), { dataPorts: ['a', 'b'] }), '203.0.113.15 a:7777 b:7777', 'one port serves all')
})

void t.test('addresses are IP literals, in canonical text, wherever the path leads', async t => {
  const table: ReadonlyArray<readonly [description: string, fields: Partial<ResourceMapping>, status: object, place: string]> = [
    ['canonical', {}, { address: '2001:DB8:0:0::1' }, '2001:db8::1 default:7777'],
    ['IPv4-mapped', {}, { address: '::ffff:10.0.0.9' }, '10.0.0.9 default:7777'],
    ['a host name', {}, { address: 'node-1.example.invalid' }, 'no_address'],
    ['with a port', {}, { address: '10.0.0.1:80' }, 'no_address'],
    ['a number', {}, { address: 167_772_161 }, 'no_address'],
    ['null', {}, { address: null }, 'no_address'],
    ['a map', {}, { address: { type: 'PodIP', address: '10.0.0.1' } }, 'no_address'],
    ['refused', {}, { address: '127.0.0.1' }, 'not_allowed'],
    ['by filter', { addressPath: 'status.addresses[?(@.type==\'B\')].address' }, { addresses: [{ type: 'A', address: '10.0.0.1' }, { type: 'B', address: '10.0.0.2' }] }, '10.0.0.2 default:7777'],
    ['the first that is one', { addressPath: 'status.addresses[*]' }, { addresses: ['name', '10.0.0.3', '10.0.0.4'] }, '10.0.0.3 default:7777'],
    ['the first that is allowed', { addressPath: 'status.addresses[*]' }, { addresses: ['127.0.0.1', '10.0.0.4'] }, '10.0.0.4 default:7777'],
    ['by type, elements', { addressPath: 'status.addresses[*]', addressType: 'B' }, { addresses: [{ type: 'A', address: '10.0.0.1' }, { type: 'B', address: '10.0.0.2' }] }, '10.0.0.2 default:7777'],
    ['by type, none', { addressPath: 'status.addresses', addressType: 'C' }, { addresses: [{ type: 'A', address: '10.0.0.1' }, null, 'x', { type: 'C' }] }, 'no_address'],
    ['by type, null', { addressPath: 'status.addresses', addressType: 'C' }, { addresses: null }, 'no_address']
  ]
  for (const [description, fields, status, place] of table) t.equal(placeOf(gameServer('x', {}, status), mapping(fields)), place, description)
})

void t.test('ports are found by name in the usual places, or by path', async t => {
  const withPorts = (status: unknown, spec: unknown): KubeObject => kubeObject('v1', 'Pod', 'x', {}, { status, spec })
  const containers = [{ ports: [{ name: 'web', containerPort: 80, protocol: 'TCP' }] }, {}, { ports: [{ name: 'game', containerPort: 7000, hostPort: 7100, protocol: 'UDP' }] }]
  const table: ReadonlyArray<readonly [description: string, object: KubeObject, port: number | undefined]> = [
    ['status', withPorts({ ports: [{ name: 'game', port: 1 }, { name: 'game-udp', port: 2 }] }, { ports: [{ name: 'game', port: 3 }] }), 1],
    ['status, as name-udp', withPorts({ ports: [{ name: 'game-tcp', port: 1 }, { name: 'game-udp', port: 2 }] }, { ports: [{ name: 'game', port: 3 }] }), 2],
    ['spec', withPorts({ ports: [{ name: 'other', port: 1 }] }, { ports: [{ name: 'game', port: 3 }], containers }), 3],
    ['containers', withPorts({}, { containers }), 7000],
    ['a spec without port, as of a GameServer', withPorts({ ports: null }, { ports: [{ name: 'game', containerPort: 7777, hostPort: 7142 }] }), undefined],
    ['port 0 in status decides', withPorts({ ports: [{ name: 'game', port: 0 }] }, { ports: [{ name: 'game', port: 3 }] }), undefined],
    ['for TCP', withPorts({}, { ports: [{ name: 'game', port: 3, protocol: 'TCP' }] }), undefined],
    ['for TCP and UDP', withPorts({}, { ports: [{ name: 'game', port: 3, protocol: 'TCP' }, { name: 'game', port: 4, protocol: 'UDP' }] }), 4],
    ['what is no list', withPorts({ ports: 'game' }, { ports: { name: 'game' }, containers: [null, 'x', { ports: 7 }] }), undefined],
    ['nothing', withPorts(undefined, null), undefined]
  ]
  for (const [description, object, port] of table) t.equal(findPort(object, 'game'), port, description)
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
  const candidateOf = compileCandidate({ resourceType: 'type', mapping: legacy, dataPorts: ['default'], inventory, policy: createTargetPolicy({ ownAddresses: [], ownPorts: [] }) })
  const object = gameServer('a')
  t.strictSame(candidateOf(object), { ok: false, error: 'no_service' satisfies Unusable })
  inventory.replace(new Map([[SERVICES_TYPE, [service('s', { gs: 'a' }, { clusterIP: '10.96.1.50', ports: [{ name: 'game', port: 7777 }] })]]]))
  t.ok(candidateOf(object).ok)
})

void t.test('a mapping that the configuration would refuse is a bug', async t => {
  const { portName: _, addressPath: __, ...neither } = mapping()
  for (const broken of [mapping({ addressPath: 'a[' }), { ...neither, addressPath: 'a' }, { ...neither, portPath: 'a' }, { ...neither, addressPath: 'a', portPath: 'b..' }]) {
    t.throws(() => placeOf(gameServer('a'), broken), /is no JSONPath/)
  }
})
