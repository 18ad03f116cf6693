// Ports in Kubernetes objects, by the names that people know them by.
import type { KubeObject } from '../inventory/inventory.js'

type Entry = Readonly<Record<string, unknown>>

/**
 * The port called `name`, from the first place that has one: `status.ports` (Agones GameServers; also as `name-udp`,
 * which is what protocol TCPUDP makes of `name`), `spec.ports` (Services), or `spec.containers[*].ports` (Pods).
 * Undefined if no place has it, or the port there is none (Agones writes 0 for one that was not allocated). An entry
 * that says it is for TCP or SCTP is passed over.
 */
export function findPort (object: KubeObject, name: string): number | undefined {
  const { status, spec } = object
  const statusPorts = entriesOf(status, 'ports')
  const containerPorts = entriesOf(spec, 'containers').flatMap(container => entriesOf(container, 'ports'))
  const found = named(statusPorts, name)?.['port'] ?? named(statusPorts, `${name}-udp`)?.['port'] ??
    named(entriesOf(spec, 'ports'), name)?.['port'] ?? named(containerPorts, name)?.['containerPort']
  return portFrom(found)
}

/** A usable port number, 1–65535, from a number or its decimal digits (annotations are text); undefined otherwise. */
export function portFrom (value: unknown): number | undefined {
  const port = typeof value === 'string' && /^\d{1,5}$/.test(value) ? Number(value) : value
  return typeof port === 'number' && Number.isInteger(port) && port >= 1 && port <= 65_535 ? port : undefined
}

function named (entries: readonly Entry[], name: string): Entry | undefined {
  return entries.find(entry => entry['name'] === name && (entry['protocol'] ?? 'UDP') === 'UDP')
}

function entriesOf (parent: unknown, field: string): readonly Entry[] {
  const list = isEntry(parent) ? parent[field] : undefined
  return Array.isArray(list) ? list.filter(isEntry) : []
}

function isEntry (value: unknown): value is Entry {
  return typeof value === 'object' && value !== null
}
