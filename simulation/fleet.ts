// The game servers: objects that come, go and are replaced, and behind each endpoint a program that answers.
import { addressWords } from '#wire/address.js'
import type { Target } from '#rpc/contract.js'
import type { TargetSpec } from '../apps/proxy/src/core/tables/target-table.js'
import { endpointOf } from './address-book.js'
import type { Profile } from './profile.js'
import type { Random } from './random.js'

export interface GameServer {
  readonly key: string
  /** As control knows it. */
  readonly target: Target
  /** As the proxy's core knows it. */
  readonly place: TargetSpec
  readonly words: Uint32Array
}

/** How many there are, gone ones included: keys have a number below this. */
const KEYS = 8
const FIRST_PORT = 7000

export const RESOURCE_TYPE = 'gameserver'
export const NAMESPACE = 'games'

export class Fleet {
  readonly #profile: Profile
  readonly #random: Random
  readonly #live = new Map<string, GameServer>()
  readonly #byEndpoint = new Map<number, GameServer>()
  readonly #endpoints: number[] = []
  #made = 0

  constructor (profile: Profile, random: Random) {
    this.#profile = profile
    this.#random = random
    for (let number = 0; number < profile.servers; number++) this.replace(number)
  }

  /** Those that are there now. */
  get live (): GameServer[] { return [...this.#live.values()] }

  /** Endpoints that ever were. */
  get endpoints (): readonly number[] { return this.#endpoints }

  get (key: string): GameServer | undefined {
    return this.#live.get(key)
  }

  /** Whose endpoint it is or was. */
  at (endpoint: number): GameServer | undefined {
    return this.#byEndpoint.get(endpoint)
  }

  /** One of the numbers that servers have. */
  anyNumber (): number {
    return this.#random.below(KEYS)
  }

  /** Removes a server; undefined if it was not there. */
  remove (number: number): GameServer | undefined {
    const server = this.#live.get(keyOf(number))
    if (server !== undefined) this.#live.delete(server.key)
    return server
  }

  /** Puts a new server there, in the place of the former one. */
  replace (number: number): GameServer {
    const made = ++this.#made
    const names = this.#profile.config.dataPorts.map(({ name }) => name)
    const address = made % 5 === 4 ? `2001:db8::a:${made.toString(16)}` : `10.1.${made >> 8}.${made & 255}`
    // Some have no port for some data port.
    const ports = names.map((_, index) => index > 0 && this.#random.chance(0.2) ? 0 : FIRST_PORT + index)
    const target: Target = { key: keyOf(number), address, ports: Object.fromEntries(names.flatMap((name, index) => ports[index] === 0 ? [] : [[name, ports[index]!]])) }
    const words = addressWords(address)!
    const server = { key: target.key, target, place: { key: target.key, address, ports }, words }
    this.#live.set(server.key, server)
    for (const port of ports) if (port > 0) this.#addEndpoint(endpointOf(words, port), server)
    return server
  }

  #addEndpoint (endpoint: number, server: GameServer): void {
    this.#byEndpoint.set(endpoint, server)
    this.#endpoints.push(endpoint)
  }
}

function keyOf (number: number): string {
  return `${RESOURCE_TYPE}/${NAMESPACE}/server-${number}`
}
