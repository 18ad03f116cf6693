// Where the director itself sends from. A datagram that seems to come from there was forged, or goes in a circle: answering
// it would be answering ourselves, for ever (CVE-2024-2169 is two services that do this to each other).
import { ADDRESS_WORDS, addressWords, isIPv4Words } from '#wire/address.js'
import type { LocalAddresses } from './local-addresses.js'
import { PortSet } from '../sessions/port-set.js'
import type { UpstreamPorts } from './upstream-ports.js'

export class OwnSources {
  readonly #addresses: readonly Uint32Array[]
  readonly #upstream: UpstreamPorts
  readonly #locals: Pick<LocalAddresses, 'hasAddress'> | undefined
  readonly #hasLoopback: boolean
  #dataPorts = new PortSet([])

  /**
   * @param addresses of this host at the start, as text; strings that are not IP addresses are ignored
   * @param locals those that clients have sent to since: a host's addresses change
   */
  constructor (addresses: readonly string[], upstream: UpstreamPorts, locals?: Pick<LocalAddresses, 'hasAddress'>) {
    this.#addresses = addresses.flatMap(address => addressWords(address) ?? [])
    this.#upstream = upstream
    this.#locals = locals
    this.#hasLoopback = this.#addresses.some(isLoopback)
  }

  /** The data ports as they are bound; the configuration may have left them to the system. */
  setDataPorts (ports: readonly number[]): void {
    this.#dataPorts = new PortSet(ports.map(port => [port, port]))
  }

  /** Whether a client address, with its port, is one of ours. */
  has (client: Uint32Array): boolean {
    const port = client[ADDRESS_WORDS]!
    if (!this.#dataPorts.has(port) && !this.#upstream.has(port)) return false
    for (const address of this.#addresses) if (isSame(address, client)) return true
    if (this.#hasLoopback && isLoopback(client)) return true
    return this.#locals?.hasAddress(client) ?? false
  }
}

// Interfaces name 127.0.0.1 only, and all of 127.0.0.0/8 is there.
function isLoopback (words: Uint32Array): boolean {
  return isIPv4Words(words) && words[3]! >>> 24 === 127
}

function isSame (left: Uint32Array, right: Uint32Array): boolean {
  for (let word = 0; word < ADDRESS_WORDS; word++) if (left[word] !== right[word]) return false
  return true
}
