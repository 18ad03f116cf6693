// Where the director itself sends from. A datagram that seems to come from there was forged, or goes in a circle: answering
// it would be answering ourselves, for ever (CVE-2024-2169 is two services that do this to each other).
import { ADDRESS_WORDS, addressWords } from '#wire/address.js'
import { PortSet } from './port-set.js'
import type { UpstreamPorts } from './upstream-ports.js'

export class OwnSources {
  readonly #addresses: readonly Uint32Array[]
  readonly #upstream: UpstreamPorts
  #dataPorts = new PortSet([])

  /** @param addresses of this host, as text; what is none is left out */
  constructor (addresses: readonly string[], upstream: UpstreamPorts) {
    this.#addresses = addresses.flatMap(address => addressWords(address) ?? [])
    this.#upstream = upstream
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
    return false
  }
}

function isSame (left: Uint32Array, right: Uint32Array): boolean {
  for (let word = 0; word < ADDRESS_WORDS; word++) if (left[word] !== right[word]) return false
  return true
}
