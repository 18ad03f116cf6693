// Who is who on the simulated network: client addresses by number, and endpoints as numbers.
import { ADDRESS_WORDS, addressWords, formatAddress, formatEndpoint, isIPv4Words } from '#wire/address.js'
import type { TargetSpec } from '../../apps/proxy/src/core/tables/target-table.js'

/** A client address: ip and port. */
export interface Address {
  readonly id: number
  readonly words: Uint32Array
  readonly port: number
  /** What bounds by prefix go by: the IPv4 address, or the /64 of IPv6. */
  readonly prefix: number
  /** Address words and port, as the core's session table has them. */
  readonly key: Uint32Array
}

/** Where no server is, and no director may send: there is somebody who only listens. */
export const FOREIGN_ADDRESS = '192.0.2.66'

/** How many client addresses there are. Several share an IP, as behind a NAT. */
export const ADDRESSES = 96

function wordsOf (text: string): Uint32Array {
  const words = addressWords(text)
  if (words === undefined) throw new Error(`${text} is not an address`)
  return words
}

function makeAddress (id: number): Address {
  const host = id >> 2
  const words = wordsOf(id % 16 === 15 ? `2001:db8::c0:${(id + 1).toString(16)}` : `198.51.100.${host + 1}`)
  const port = 20_000 + (id & 3)
  return { id, words, port, prefix: isIPv4Words(words) ? words[3]! : words[1]!, key: Uint32Array.from([...words, port]) }
}

export const addresses: readonly Address[] = Array.from({ length: ADDRESSES }, (_, id) => makeAddress(id))

const byText = new Map(addresses.map(address => [clientOf(address), address]))
const byEndpoint = new Map(addresses.map(({ words, port, id }) => [endpointOf(words, port), id]))

/** An address and port as one number; the last word tells all addresses of a simulation apart. */
export function endpointOf (words: ArrayLike<number>, port: number): number {
  return (words[ADDRESS_WORDS - 1]! >>> 0) * 65_536 + port
}

/** The client address with these words and port. */
export function addressOf (words: ArrayLike<number>, port: number): Address {
  const id = byEndpoint.get(endpointOf(words, port))
  if (id === undefined) throw new Error('a datagram goes to an address that nobody ever had')
  return addresses[id]!
}

/** A client address as people see it. */
export function clientOf ({ words, port }: Address): string {
  return formatEndpoint(formatAddress(words), port)
}

/** The client address that people see as `text`. */
export function addressFromText (text: string): Address {
  const address = byText.get(text)
  if (address === undefined) throw new Error(`${text} is not a client of this simulation`)
  return address
}

const placeEndpoints = new WeakMap<TargetSpec, number[]>()

/** Where a target's datagrams of a data port go; -1 if it has no port for it. */
export function endpointOfPlace (place: TargetSpec, dataPort: number): number {
  let endpoints = placeEndpoints.get(place)
  if (endpoints === undefined) {
    const words = wordsOf(place.address)
    endpoints = place.ports.map(port => port === 0 ? -1 : endpointOf(words, port))
    placeEndpoints.set(place, endpoints)
  }
  return endpoints[dataPort]!
}

/** Whether two targets are the same one: key, address and ports. */
export function isSamePlace (one: TargetSpec | undefined, other: TargetSpec | undefined): boolean {
  if (one === other) return true
  if (one === undefined || other === undefined) return false
  return one.key === other.key && one.address === other.address && one.ports.every((port, index) => port === other.ports[index])
}
