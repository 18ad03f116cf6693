// What game servers look like as Kubernetes objects, how the configuration reads them, what is asked of them, and a naive
// reading of whether one is what was asked for: it knows no index, no path and no mapping.
import type { ResourceMapping, Selection } from '#config/schema.js'
import type { KubeObject } from '../../apps/control/src/inventory/objects/inventory.js'
import type { SERVICES_TYPE } from '../../apps/control/src/inventory/objects/resource-types.js'
import type { Random } from '../basics/random.js'

export const NAMESPACE = 'games'

/** Resource types: the first has its address and a port for each data port, the second one port alone, the third is reached by a Service. */
export const resourceTypes = ['gameserver', 'relay', 'hosted'] as const
export type ResourceType = typeof resourceTypes[number]

/** Under which an inventory holds an object: a configured type, or Services. */
export type HeldType = ResourceType | typeof SERVICES_TYPE

/** What queries may ask about. */
export interface Features {
  readonly pool: 'match' | 'lobby'
  readonly mode: 'duel' | 'team'
  readonly region: 'eu' | 'us'
  readonly state: 'Ready' | 'Allocated'
  readonly players: number
  /** Somebody has asked for its deletion, and it is still there. */
  readonly isDeleting: boolean
}

/** Where it can be reached: its address or name, and its port by data port name. */
export interface Place {
  readonly address: string
  readonly ports: Readonly<Record<string, number>>
}

export interface ObjectParts {
  readonly resourceType: ResourceType
  readonly name: string
  readonly uid: string | undefined
  readonly version: number
  readonly features: Features
  /** Where it is. */
  readonly place: Place
  /** Where its objects say that it is: there, or at a name. */
  readonly said: Place
}

export function hostNameOf (name: string): string { return `${name}.${NAMESPACE}.example` }

/** Whether that place is a name, which stands for whatever the DNS says. */
export function isNamed ({ address }: Place): boolean { return address.endsWith('.example') }

const CAPACITY = 40
const MOST_PLAYERS = 32
const SERVICE_LABEL = 'server'
const SERVICE_PORT = 'udp'

/** As Agones' objects and their Services look, as far as anybody reads them. */
export function objectOf ({ resourceType, name, uid, version, features, said }: ObjectParts): KubeObject {
  const { pool, mode, region, state, players, isDeleting } = features
  return {
    apiVersion: 'agones.dev/v1',
    kind: 'GameServer',
    metadata: {
      name,
      namespace: NAMESPACE,
      ...uid === undefined ? {} : { uid },
      resourceVersion: String(version),
      labels: { pool, mode, players: String(players), capacity: String(CAPACITY) },
      annotations: { region },
      ...isDeleting ? { deletionTimestamp: '2024-01-01T00:00:00Z' } : {}
    },
    status: resourceType === 'hosted' ? { state } : { state, address: said.address, ports: Object.entries(said.ports).map(([name, port]) => ({ name, port })) }
  }
}

const SERVICE_ENDING = '-udp'

export function serviceName (name: string): string { return name + SERVICE_ENDING }

/** The name of the server that a Service stands for. */
export function serverName (service: string): string { return service.slice(0, -SERVICE_ENDING.length) }

/** The Service of a hosted one: one port for all data ports. */
export function serviceOf ({ name, uid, version, place }: ObjectParts): KubeObject {
  const [port] = Object.values(place.ports)
  return {
    apiVersion: 'v1',
    kind: 'Service',
    metadata: { name: serviceName(name), namespace: NAMESPACE, ...uid === undefined ? {} : { uid: `service-${uid}` }, resourceVersion: String(version), labels: { [SERVICE_LABEL]: name } },
    spec: { clusterIP: place.address, ports: [{ name: SERVICE_PORT, port }] }
  }
}

/** How the configuration reads them. */
export function mappingsFor (dataPorts: readonly string[], indexPaths: string[] | undefined): Record<ResourceType, ResourceMapping> {
  const common = { group: 'agones.dev', version: 'v1', ...indexPaths === undefined ? {} : { indexPaths } }
  const portsFor = (names: readonly string[]) => names.map(name => ({ name, portName: name }))
  return {
    gameserver: { ...common, resource: 'gameservers', addressPath: 'status.address', ports: portsFor(dataPorts) },
    relay: { ...common, resource: 'relays', addressPath: 'status.address', ports: portsFor(dataPorts.slice(0, 1)) },
    hosted: { ...common, resource: 'hosteds', serviceSelectorLabel: SERVICE_LABEL, serviceTargetPortName: SERVICE_PORT }
  }
}

/** The path of a status query. */
export const STATE_PATH = 'status.state'

/** Labels that a balancer of type `labelArithmetic` reads. */
export const playersLabels = { currentLabel: 'players', maxLabel: 'capacity' } as const

/** By the number of a server. */
export const typesByNumber = ['gameserver', 'gameserver', 'relay', 'gameserver', 'hosted', 'gameserver', 'relay', 'hosted'] as const satisfies readonly ResourceType[]

/** What the default endpoint asks for. */
export function drawDefault (random: Random): Selection | undefined {
  if (random.chance(0.1)) return undefined
  const labels = random.chance(0.4) ? { labelSelector: { pool: 'lobby' } } : {}
  return { resourceType: random.chance(0.7) ? 'gameserver' : random.pick(resourceTypes), namespace: NAMESPACE, ...labels, ...random.chance(0.3) ? ready : {} }
}

const ready = { statusQuery: { jsonPath: STATE_PATH, expectedValues: ['Ready'] } }

/** What a player asks for. */
export function drawSelection (resourceType: ResourceType, random: Random): Selection {
  return {
    resourceType,
    namespace: NAMESPACE,
    ...random.chance(0.15) ? { labelSelector: { mode: random.pick(['duel', 'team']) } } : {},
    ...random.chance(0.1) ? { annotationSelector: { region: random.pick(['eu', 'us']) } } : {},
    ...random.chance(0.2) ? ready : {}
  }
}

export function drawFeatures (random: Random): Features {
  return {
    pool: random.chance(0.4) ? 'lobby' : 'match',
    mode: random.pick(['duel', 'team']),
    region: random.pick(['eu', 'us']),
    state: random.chance(0.85) ? 'Ready' : 'Allocated',
    players: random.below(MOST_PLAYERS + 1),
    isDeleting: false
  }
}

/** One of them is another than before. */
export function changedFeatures (features: Features, random: Random): Features {
  const other = drawFeatures(random)
  const which = random.pick(['pool', 'mode', 'region', 'state', 'state', 'players', 'isDeleting'] as const)
  return { ...features, [which]: which === 'isDeleting' ? true : other[which] }
}

/** Whether an object with these features is what a selection of its type asks for. */
export function isWanted (features: Features, { labelSelector = {}, annotationSelector = {}, statusQuery }: Selection): boolean {
  const { pool, mode, region, state, isDeleting } = features
  const labels: Readonly<Record<string, string>> = { pool, mode }
  return !isDeleting &&
    Object.entries(labelSelector).every(([name, value]) => labels[name] === value) &&
    Object.entries(annotationSelector).every(([name, value]) => name === 'region' && value === region) &&
    (statusQuery === undefined || statusQuery.expectedValues.includes(state))
}
