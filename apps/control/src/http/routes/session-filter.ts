// What `client` and `target` of a list of sessions may be. Pure.
import { addressWords } from '#wire/address.js'
import type { Fault } from '../problems/problem.js'

export interface SessionFilter {
  readonly client?: string
  readonly target?: string
}

const ENDPOINT = /^(?:\[([^\]]+)\]|([^:]+)):(\d{1,5})$/

/** What is wrong with a filter: it would find nothing, and its sender would take that for the truth. */
export function filterFaults ({ client, target }: SessionFilter): Fault[] {
  const faults: Fault[] = []
  if (client !== undefined && !isPlace(client)) faults.push({ path: '/client', message: 'must be an IP address, or one with a port: 192.0.2.1, 192.0.2.1:4711, 2001:db8::1, [2001:db8::1]:4711' })
  // A key has slashes: `resourceType/namespace/name`, or `address/…`.
  if (target !== undefined && !target.includes('/') && !isPlace(target)) faults.push({ path: '/target', message: 'must be a target\'s key, an IP address, or one with a port' })
  return faults
}

function isPlace (text: string): boolean {
  if (addressWords(text) !== undefined) return true
  const [, six, four, port] = ENDPOINT.exec(text) ?? []
  const address = six ?? four
  return address !== undefined && addressWords(address) !== undefined && (six !== undefined) === address.includes(':') && Number(port) <= 65535
}
