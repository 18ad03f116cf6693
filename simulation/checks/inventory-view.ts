// What one control process can have known of the fleet, moment by moment: what its inventory was given, in books of its own.
import type { Selection } from '#config/schema.js'
import type { Target } from '#rpc/contract.js'
import { SERVICES_TYPE } from '../../apps/control/src/inventory/objects/resource-types.js'
import type { FleetChange, GameServer } from '../cast/fleet.js'
import { isNamed, isWanted, type Features, type HeldType, type Place } from '../cast/objects.js'
import type { VirtualTime } from '../basics/virtual-time.js'

/** A server as the inventory has it; `features` and `place` are missing while the object that says so is. */
export interface Seen {
  readonly sinceMs: number
  /** As it was when last heard of. */
  readonly server: GameServer
  readonly features: Features | undefined
  readonly place: Place | undefined
}

/** Longer than a query can take. */
const KEPT_MS = 10_000

export class InventoryView {
  readonly #time: VirtualTime
  // By key, the latest last.
  readonly #seen = new Map<string, Seen[]>()
  readonly #toldMs = new Map<string, number>()
  // By host name, the latest last; undefined where the DNS denied it.
  readonly #resolved = new Map<string, Array<string | undefined>>()
  /** When it last changed. */
  changedMs = 0

  constructor (time: VirtualTime) {
    this.#time = time
  }

  /** The inventory has an object, or (without one) has it no more. */
  take ({ heldType, server, object }: FleetChange): void {
    const { key, resourceType, features, said: place } = server
    const former = this.now(key)
    const isService = heldType === SERVICES_TYPE
    const isThere = object !== undefined
    const seen = {
      sinceMs: this.#time.nowMs,
      server,
      features: isService ? former?.features : isThere ? features : undefined,
      place: isService || resourceType !== 'hosted' ? isThere ? place : undefined : former?.place
    }
    if (former?.features !== seen.features || former?.place !== seen.place) this.#add(key, seen)
  }

  /** Whoever listens has been told of changes of these servers. */
  told (keys: Iterable<string>): void {
    for (const key of keys) this.#toldMs.set(key, this.#time.nowMs)
  }

  /** When they were last told of one of these servers, at the earliest. */
  toldOf (keys: readonly string[]): number {
    return Math.min(...keys.map(key => this.#toldMs.get(key) ?? 0))
  }

  /** The DNS has said this of a name. */
  resolved (hostName: string, address: string | undefined): void {
    const known = this.#resolved.get(hostName) ?? []
    this.#resolved.set(hostName, known)
    if (known.length === 0 || known.at(-1) !== address) known.push(address)
  }

  /** Whether that place may be at an address: if it is a name, at one that the DNS ever said. */
  mayBe (place: Place | undefined, address: string): boolean {
    return place !== undefined && (place.address === address || this.#resolved.get(place.address)?.includes(address) === true)
  }

  /** Whether a target may be at that place. */
  mayBeAt (place: Place, { address, ports }: Target): boolean {
    const names = Object.keys(ports)
    return this.mayBe(place, address) && names.length === Object.keys(place.ports).length && names.every(name => ports[name] === place.ports[name])
  }

  /** The same; if it is a name, at the address that the DNS said last. */
  isAt (place: Place, target: Target): boolean {
    return this.mayBeAt(place, target) && (!isNamed(place) || this.#resolved.get(place.address)?.at(-1) === target.address)
  }

  /** Servers of which it has an object of this type. */
  servers (heldType: HeldType): GameServer[] {
    return [...this.#seen.values()].map(states => states.at(-1)!).filter(({ server: { resourceType }, features, place }) =>
      heldType === SERVICES_TYPE ? resourceType === 'hosted' && place !== undefined : resourceType === heldType && features !== undefined).map(({ server }) => server)
  }

  /** A server as it is now, if it was ever there. */
  now (key: string): Seen | undefined {
    return this.#seen.get(key)?.at(-1)
  }

  /** Every state that a server had since then. */
  since (key: string, sinceMs: number): readonly Seen[] {
    const states = this.#seen.get(key) ?? []
    return states.filter((_, at) => (states[at + 1]?.sinceMs ?? Infinity) >= sinceMs)
  }

  /** Keys and places of all that match now, by key. */
  matching (selection: Selection): Map<string, Place> {
    const found = new Map<string, Place>()
    for (const [key, states] of this.#seen) {
      const seen = states.at(-1)!
      if (isAnswer(seen, selection)) found.set(key, seen.place!)
    }
    return found
  }

  #add (key: string, seen: Seen): void {
    const states = this.#seen.get(key) ?? []
    const oldMs = this.#time.nowMs - KEPT_MS
    while (states.length > 1 && states[1]!.sinceMs < oldMs) states.shift()
    states.push(seen)
    this.#seen.set(key, states)
    this.changedMs = this.#time.nowMs
  }
}

/** Whether a server in that state is what a selection finds. */
export function isAnswer ({ server: { resourceType }, features, place }: Seen, selection: Selection): boolean {
  return resourceType === selection.resourceType && place !== undefined && features !== undefined && isWanted(features, selection)
}

/** Whether that is as good as gone: a hosted one that has lost its Service is, too. */
export function isGone ({ server: { resourceType }, features, place }: Seen): boolean {
  return features === undefined || features.isDeleting || (resourceType === 'hosted' && place === undefined)
}
