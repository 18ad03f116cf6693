// What `client` and `target` of a list of sessions may be, and which session a path names. Pure.
import { addressWords, formatAddress, formatEndpoint } from '#wire/address.js'
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

/** The client address that `text` is, in canonical form; undefined if it is none. */
export function clientAddressFrom (text: string): string | undefined {
  const [, six, four, port] = ENDPOINT.exec(text) ?? []
  const address = six ?? four
  if (address === undefined || (six !== undefined) !== address.includes(':') || Number(port) > 65535) return undefined
  const words = addressWords(address)
  return words && formatEndpoint(formatAddress(words), Number(port))
}

function isPlace (text: string): boolean {
  return addressWords(text) !== undefined || clientAddressFrom(text) !== undefined
}
