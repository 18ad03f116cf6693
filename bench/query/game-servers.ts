// The GameServers of the benchmark: made from the fixtures, spread over fleets, maps and states, each as large as Agones'
// are on a server. The same number gives the same objects.
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { NewObject } from '#testkit/kube-api/objects/resource-type.js'

export const TYPE = 'gameservers'
export const NAMESPACE = 'games'

/** How so many servers are spread: every pair of a fleet and a map has at least eight of them, as far as there are as many. */
export interface Spread {
  readonly fleets: number
  readonly maps: number
}

type Json = Readonly<Record<string, unknown>>

// npm runs scripts in the project's folder.
const FIXTURES = join('testkit', 'fixtures', 'gameservers')
const SERVERS_PER_PAIR = 8
const DATA_PORTS = ['game', 'voice'] as const

const fixtures = {
  Allocated: 'allocated-dynamic',
  Ready: 'ready-dynamic',
  Reserved: 'reserved',
  Unhealthy: 'unhealthy'
} as const

export type State = keyof typeof fixtures

// Of each pair the first server is allocated for ever, so that every query finds one.
const states: readonly State[] = ['Allocated', 'Ready', 'Allocated', 'Reserved', 'Allocated', 'Ready', 'Allocated', 'Unhealthy']

export function spreadOf (servers: number): Spread {
  const fleets = Math.max(1, Math.floor(Math.sqrt(servers) / 4))
  return { fleets, maps: Math.max(1, Math.floor(servers / fleets / SERVERS_PER_PAIR)) }
}

/** Whether the state of this server never changes, and it never goes. */
export function isFixed (number: number, { fleets, maps }: Spread): boolean {
  return number < fleets * maps
}

/** The GameServer with this number; `generation` counts those that had its place before. */
export function gameServer (number: number, spread: Spread, generation = 0): NewObject {
  const { fleets, maps } = spread
  const fleet = fleetName(number % fleets)
  const turn = Math.floor(number / (fleets * maps))
  const state = states[turn % states.length]!
  const { metadata, spec, status, ...fixture } = fixtureOf(state)
  const { uid: _, resourceVersion: __, ...meta } = metadata as Json
  const labels = { ...meta['labels'] as Json, 'agones.dev/fleet': fleet, 'agones.dev/gameserverset': `${fleet}-7xk2p`, map: mapName(Math.floor(number / fleets) % maps) }
  const ports = DATA_PORTS.map((name, index) => ({ name, port: 7000 + (2 * number + index) % 1000 }))
  const object = {
    ...fixture,
    metadata: { ...meta, name: `${fleet}-7xk2p-${suffix(number, generation)}`, namespace: NAMESPACE, labels },
    spec: { ...spec as Json, ports: ports.map(({ name, port }) => ({ name, portPolicy: 'Dynamic', containerPort: 7777, hostPort: port, protocol: 'UDP', range: 'default', container: 'arena' })) },
    status: { ...status as Json, state, address: addressOf(number), ports }
  }
  return { ...object, metadata: { ...object.metadata, managedFields: managedFieldsOf(object) } }
}

/** The bodies of `POST /query`, one for each pair of a fleet and a map; each finds a handful of servers. */
export function queriesFor ({ fleets, maps }: Spread): readonly string[] {
  return Array.from({ length: fleets * maps }, (_, pair) => JSON.stringify({
    resourceType: 'gameserver',
    namespace: NAMESPACE,
    labelSelector: { 'agones.dev/fleet': fleetName(pair % fleets), map: mapName(Math.floor(pair / fleets)) },
    statusQuery: { jsonPath: 'status.state', expectedValue: 'Allocated' }
  }))
}

export function fleetName (fleet: number): string {
  return `arena-${fleet}`
}

function mapName (map: number): string {
  return `map_${map}`
}

const read = new Map<State, Json>()

function fixtureOf (state: State): Json {
  const known = read.get(state) ?? JSON.parse(readFileSync(join(FIXTURES, `${fixtures[state]}.json`), 'utf8')) as Json
  read.set(state, known)
  return known
}

// Ten servers a node. Loopback is what the pair of processes may target.
function addressOf (number: number): string {
  const node = Math.floor(number / 10)
  return `127.1.${node >>> 8}.${node & 255}`
}

// Unique, and in another order than the numbers, as names that Kubernetes generates are: an odd factor permutes 32 bits.
function suffix (number: number, generation: number): string {
  return `${(Math.imul(number + 1, 0x9E3779B1) >>> 0).toString(36).padStart(7, '0')}${generation === 0 ? '' : `-${generation}`}`
}

// As the API server writes them: a third to a half of what it sends.
function managedFieldsOf ({ metadata, spec, status }: Json): readonly Json[] {
  const entry = (manager: string, fields: Json): Json => ({ manager, operation: 'Update', apiVersion: 'agones.dev/v1', time: '2026-11-20T10:05:00Z', fieldsType: 'FieldsV1', fieldsV1: fieldsOf(fields) })
  return [entry('controller', { metadata, spec, status }), entry('sdk-server', { metadata: { annotations: (metadata as Json)['annotations'] }, status })]
}

function fieldsOf (value: unknown): Json {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return {}
  return Object.fromEntries(Object.entries(value).map(([name, part]) => [`f:${name}`, fieldsOf(part)]))
}
