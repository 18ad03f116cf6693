// Ports in Kubernetes objects, by the names that people know them by, and at the address they belong to.
import { err, ok, type Result } from '#core/result.js'
import type { KubeObject } from '../inventory/objects/inventory.js'
import type { AddressKind } from './address-kind.js'

/** `port_not_on_node`: the pod has that port, but nothing leads to it from an address of its node. */
export type PortFailure = 'no_port' | 'port_not_on_node'

type Entry = Readonly<Record<string, unknown>>

/**
 * The port called `name` at an address of that kind. In a GameServer of Agones the port's policy says where it is; in
 * a Pod it is `containerPort`, or `hostPort` on the node. In anything else the first place that has one counts:
 * `status.ports`, `spec.ports` (Services), `spec.containers[*].ports`; there also as `name-udp`, which is what protocol
 * TCPUDP makes of `name`. A port 0 does not count, and an entry that says it is for TCP or SCTP is passed over.
 */
export function findPort (object: KubeObject, name: string, at: AddressKind = 'unknown'): Result<number, PortFailure> {
  if (isGameServer(object)) return gameServerPort(object, name, at)
  if (isPod(object)) return podPort(object, name, at)
  return usable(statusPort(object, name) ?? named(entriesOf(object['spec'], 'ports'), name)?.['port'] ?? containerEntry(object, name)?.['containerPort'])
}

/** A usable port number, 1–65535, from a number or its decimal digits (annotations are text); undefined otherwise. */
export function portFrom (value: unknown): number | undefined {
  const port = typeof value === 'string' && /^\d{1,5}$/.test(value) ? Number(value) : value
  return typeof port === 'number' && Number.isInteger(port) && port >= 1 && port <= 65_535 ? port : undefined
}

/** The port in `value`, or `no_port`. */
export function usable (value: unknown): Result<number, PortFailure> {
  const port = portFrom(value)
  return port === undefined ? err('no_port') : ok(port)
}

// Agones (pkg/apis/agones/v1/gameserver.go): with Dynamic, the default, and Static the port in the status is one of the
// node's; with Passthrough it is the same on both; with None it is the container's, or 0 where that was not said.
function gameServerPort (object: KubeObject, name: string, at: AddressKind): Result<number, PortFailure> {
  const specified = entriesOf(object['spec'], 'ports')
  const entry = named(specified, name)
  // Without a word about it in the spec, which only an inventory of files can hold, the status has to be believed.
  if (entry === undefined) return specified.some(other => other['name'] === name) ? err('no_port') : usable(statusPort(object, name))
  const policy = entry['portPolicy'] ?? 'Dynamic'
  if (at === 'node' && policy === 'None') return err('port_not_on_node')
  if (at === 'pod' && policy !== 'None' && policy !== 'Passthrough') return usable(entry['containerPort'])
  return usable(statusPort(object, String(entry['name'])))
}

// With the node's network the API server sets both to the same number; whoever writes files may leave one out.
function podPort (object: KubeObject, name: string, at: AddressKind): Result<number, PortFailure> {
  const entry = containerEntry(object, name)
  if (entry === undefined || at !== 'node') return usable(entry?.['containerPort'])
  const port = portFrom(entry['hostPort']) ?? (isOnHostNetwork(object) ? portFrom(entry['containerPort']) : undefined)
  return port === undefined ? err('port_not_on_node') : ok(port)
}

function statusPort (object: KubeObject, name: string): unknown {
  return named(entriesOf(object['status'], 'ports'), name)?.['port']
}

function containerEntry (object: KubeObject, name: string): Entry | undefined {
  return named(entriesOf(object['spec'], 'containers').flatMap(container => entriesOf(container, 'ports')), name)
}

function named (entries: readonly Entry[], name: string): Entry | undefined {
  const called = (wanted: string): Entry | undefined => entries.find(entry => entry['name'] === wanted && isForUdp(entry))
  return called(name) ?? called(`${name}-udp`)
}

function isForUdp ({ protocol = 'UDP' }: Entry): boolean {
  return protocol === 'UDP' || protocol === 'TCPUDP'
}

function isGameServer ({ apiVersion, kind }: KubeObject): boolean {
  return kind === 'GameServer' && apiVersion.startsWith('agones.dev/')
}

function isPod ({ apiVersion, kind }: KubeObject): boolean {
  return kind === 'Pod' && apiVersion === 'v1'
}

function isOnHostNetwork ({ spec }: KubeObject): boolean {
  return isEntry(spec) && spec['hostNetwork'] === true
}

function entriesOf (parent: unknown, field: string): readonly Entry[] {
  const list = isEntry(parent) ? parent[field] : undefined
  return Array.isArray(list) ? list.filter(isEntry) : []
}

function isEntry (value: unknown): value is Entry {
  return typeof value === 'object' && value !== null
}
