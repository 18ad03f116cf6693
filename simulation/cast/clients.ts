// Players: each has one socket, asks for tokens, sends them and its data, and stops repeating a token when it is answered.
import type { Token } from '#wire/token.js'
import { addresses, type Address } from './address-book.js'
import { dataOf, type Datagram } from './datagram.js'
import type { Random } from '../basics/random.js'

export interface Client {
  readonly number: number
  address: Address
  /** Tokens it has got and not used. */
  readonly tokens: Token[]
  /** The one it has sent last, while nobody has answered. */
  unanswered: Token | undefined
}

export class Clients {
  readonly all: readonly Client[]
  readonly #random: Random
  readonly #byAddress = new Map<Address, Client>()
  #serial = 0

  constructor (count: number, random: Random) {
    this.#random = random
    this.all = Array.from({ length: count }, (_, number) => {
      const client: Client = { number, address: addresses[number]!, tokens: [], unanswered: undefined }
      this.#byAddress.set(client.address, client)
      return client
    })
  }

  any (): Client {
    return this.#random.pick(this.all)
  }

  data (address: Address, dataPort: number): Datagram {
    return dataOf(address, dataPort, ++this.#serial)
  }

  /** The next number of a datagram. */
  serial (): number {
    return ++this.#serial
  }

  /** A NAT gives a client another port or another address; somebody may have had it before. */
  rebind (client: Client): void {
    const address = this.#random.pick(addresses)
    if (this.#byAddress.has(address)) return
    this.#byAddress.delete(client.address)
    this.#byAddress.set(address, client)
    client.address = address
  }

  readonly receive = (address: Address): void => {
    const client = this.#byAddress.get(address)
    if (client !== undefined) client.unanswered = undefined
  }
}
