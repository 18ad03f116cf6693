// The game servers as they are: objects of a cluster that come, change, move, are replaced and go, and behind each endpoint
// a program that answers. Control processes hear of it late, each through an inventory of its own.
import { addressWords } from '#wire/address.js'
import type { Target } from '#rpc/contract.js'
import type { KubeObject } from '../../apps/control/src/inventory/objects/inventory.js'
import { SERVICES_TYPE } from '../../apps/control/src/inventory/objects/resource-types.js'
import { endpointOf, FOREIGN_ADDRESS } from './address-book.js'
import { changedFeatures, drawFeatures, hostNameOf, isNamed, NAMESPACE, objectOf, serviceOf, typesByNumber, type Features, type HeldType, type ObjectParts, type Place } from './objects.js'
import type { Profile } from './profile.js'
import type { Random } from '../basics/random.js'

export interface GameServer extends ObjectParts {
  readonly number: number
  readonly key: string
}

/** What became of one object of the cluster. */
export interface FleetChange {
  readonly heldType: HeldType
  readonly server: GameServer
  /** Undefined if it is gone. */
  readonly object: KubeObject | undefined
}

/** What may happen to a server. */
export const fleetEvents = ['remove', 'replace', 'change', 'move'] as const
export type FleetEvent = typeof fleetEvents[number]

/** How many there are, gone ones included: keys have a number below this. */
const KEYS = typesByNumber.length
const FIRST_PORT = 7000

export class Fleet {
  readonly #profile: Profile
  readonly #random: Random
  readonly #live = new Map<number, GameServer>()
  readonly #wordsOf = new Map<number, Uint32Array>()
  readonly #endpoints: number[] = []
  #places = 0
  #versions = 0

  constructor (profile: Profile, random: Random) {
    this.#profile = profile
    this.#random = random
    const foreign = addressWords(FOREIGN_ADDRESS)!
    for (const index of profile.config.dataPorts.keys()) this.#wordsOf.set(endpointOf(foreign, FIRST_PORT + index), foreign)
    for (let number = 0; number < profile.servers; number++) this.#replace(number)
  }

  /** Those that are there now. */
  get live (): GameServer[] { return [...this.#live.values()] }

  /** Endpoints that ever were. */
  get endpoints (): readonly number[] { return this.#endpoints }

  /** The address words of an endpoint that is or was. */
  at (endpoint: number): Uint32Array | undefined {
    return this.#wordsOf.get(endpoint)
  }

  /** The server of this host name. */
  named (hostName: string): GameServer | undefined {
    return this.live.find(({ said }) => said.address === hostName)
  }

  /** One of the numbers that servers have. */
  anyNumber (): number {
    return this.#random.below(KEYS)
  }

  /** Does it to a server, and says what others may see of it. A server that is not there can only be put there. */
  happen (event: FleetEvent, number: number): readonly FleetChange[] {
    const server = this.#live.get(number)
    if (event === 'remove') return server === undefined ? [] : this.#remove(server)
    if (event === 'replace' || server === undefined) return this.#replace(number)
    return event === 'change' ? this.#change(server) : this.#move(server)
  }

  /** All objects of a held type. */
  list (heldType: HeldType): Array<FleetChange & { readonly object: KubeObject }> {
    return this.live.filter(server => heldTypesOf(server).includes(heldType)).map(server => shown(heldType, server))
  }

  #remove (server: GameServer): readonly FleetChange[] {
    this.#live.delete(server.number)
    return heldTypesOf(server).map(heldType => ({ heldType, server, object: undefined }))
  }

  #replace (number: number): readonly FleetChange[] {
    const { config: { inventory: { provider } }, hasUids, hasNames } = this.#profile
    const resourceType = typesByNumber[number]!
    const uid = hasUids || provider === 'kubernetes' ? `uid-${this.#places}` : undefined
    const features = drawFeatures(this.#random)
    const name = `server-${number}`
    const place = this.#newPlace(resourceType)
    const said = hasNames && resourceType === 'relay' ? { ...place, address: hostNameOf(name) } : place
    return this.#put({ number, resourceType, name, key: `${resourceType}/${NAMESPACE}/${name}`, uid, version: 0, features, place, said }, heldTypesOf({ resourceType }))
  }

  #change (server: GameServer): readonly FleetChange[] {
    const features: Features = changedFeatures(server.features, this.#random)
    return this.#put({ ...server, features }, [server.resourceType])
  }

  #move (server: GameServer): readonly FleetChange[] {
    const place = this.#newPlace(server.resourceType)
    // Of a name nobody hears until they ask the DNS again.
    return isNamed(server.said) ? this.#put({ ...server, place }, []) : this.#put({ ...server, place, said: place }, heldTypesOf(server).slice(-1))
  }

  #put (parts: GameServer, heldTypes: readonly HeldType[]): readonly FleetChange[] {
    const server = { ...parts, version: ++this.#versions }
    this.#live.set(server.number, server)
    return heldTypes.map(heldType => shown(heldType, server))
  }

  #newPlace (resourceType: GameServer['resourceType']): Place {
    const made = ++this.#places
    const names = this.#profile.config.dataPorts.map(({ name }) => name)
    const address = made % 5 === 4 ? `2001:db8::a:${made.toString(16)}` : `10.1.${made >> 8}.${made & 255}`
    const served = resourceType === 'relay' ? names.slice(0, 1) : names
    const ports = Object.fromEntries(served.map((name, index) => [name, resourceType === 'hosted' ? FIRST_PORT : FIRST_PORT + index]))
    const words = addressWords(address)!
    for (const port of new Set(Object.values(ports))) this.#addEndpoint(endpointOf(words, port), words)
    return { address, ports }
  }

  #addEndpoint (endpoint: number, words: Uint32Array): void {
    this.#wordsOf.set(endpoint, words)
    this.#endpoints.push(endpoint)
  }
}

/** The key of the server that has, or had, this host name: only relays have one. */
export function keyOfHost (hostName: string): string {
  return `relay/${NAMESPACE}/${hostName.slice(0, hostName.indexOf('.'))}`
}

/** Where control should tell the proxy that a server is. */
export function targetOf ({ key, place }: Pick<GameServer, 'key' | 'place'>): Target {
  return { key, address: place.address, ports: { ...place.ports } }
}

function shown (heldType: HeldType, server: GameServer): FleetChange & { readonly object: KubeObject } {
  return { heldType, server, object: heldType === SERVICES_TYPE ? serviceOf(server) : objectOf(server) }
}

// The object that says where it is comes last.
function heldTypesOf ({ resourceType }: Pick<GameServer, 'resourceType'>): readonly HeldType[] {
  return resourceType === 'hosted' ? [resourceType, SERVICES_TYPE] : [resourceType]
}
