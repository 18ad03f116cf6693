// Sockets that spare the usual datagram its price. A socket for every address has the kernel tell with each datagram which one
// it was sent to, and is told with each reply where that comes from; a socket that is bound to the address needs neither.
// So the addresses that the host has at the start get sockets of their own beside the one for all. The kernel gives a
// datagram to the socket that is bound to its address, if there is one (udp(7): the most exact match): what comes later, is left
// out here, or is not an address of an interface (127.0.0.2, a prefix that is local as a whole) goes through the socket for all, and is answered as well.
import { ANY_ADDRESS, ANY_IPV4, isUnspecified } from '#config/bind-addresses.js'
import { interfaceAddresses, type Interfaces } from '#config/own-listeners.js'
import { addressWords, formatAddress, isIPv4Words } from '#wire/address.js'

/** A host with more addresses than these serves somebody else, too: which are worth a socket cannot be told. */
const MAX_ADDRESSES = 8

/** Most sockets that are opened for it, over all data ports and workers. */
const MAX_SOCKETS = 512

// fe80::/10, its ten bits: datagrams from there are not served.
const LINK_LOCAL = 0xfe80 >>> 6

export interface ShortcutOptions {
  /** What the data ports are to be bound to. */
  readonly bindAddresses: readonly string[]
  readonly dataPorts: readonly unknown[]
  readonly workers: number
  readonly interfaces: Interfaces
}

/** The addresses that get sockets of their own; none where no socket is bound to every address. */
export function shortcuts ({ bindAddresses, dataPorts, workers, interfaces }: ShortcutOptions): readonly string[] {
  if (!bindAddresses.some(isUnspecified)) return []
  const ours = new Set(interfaceAddresses(interfaces).flatMap(address => {
    const words = addressWords(address)!
    const isCovered = bindAddresses.includes(ANY_ADDRESS) || (bindAddresses.includes(ANY_IPV4) && isIPv4Words(words))
    return isCovered && words[0]! >>> 22 !== LINK_LOCAL ? [formatAddress(words)] : []
  }))
  const isWorth = ours.size <= MAX_ADDRESSES && ours.size * dataPorts.length * workers <= MAX_SOCKETS
  return isWorth ? [...ours].filter(address => !bindAddresses.includes(address)) : []
}
