// What stands in front of several directors: gives each flow (a client address and a data port) to one of them, as well as
// it knows who is there. No two kinds of it promise the same, and none promises much.
import type { Address } from './address-book.js'
import type { Random } from '../basics/random.js'
import type { VirtualTime } from '../basics/virtual-time.js'

export interface BalancerProfile {
  /** How a flow that it has not seen before comes to a director: by hash modulo their number, by the highest hash of any of them, or at random. */
  readonly picks: 'modulo' | 'highest' | 'random'
  /** How long it remembers where a silent flow went, in ms; 0: not at all, which a random choice cannot do. */
  readonly remembersMs: number
  /** Whether all data ports of a client address are one flow. */
  readonly isByClient: boolean
}

/** More than any world has. */
const MOST_DATA_PORTS = 8

interface Remembered {
  readonly member: number
  usedMs: number
}

export class Balancer {
  readonly #profile: BalancerProfile
  readonly #random: Random
  readonly #time: VirtualTime
  // That it takes for alive, by number; new flows come to those that do not leave.
  readonly #members: number[] = []
  readonly #leaving = new Set<number>()
  readonly #flows = new Map<number, Remembered>()
  #salt = 0

  constructor (profile: BalancerProfile, random: Random, time: VirtualTime) {
    this.#profile = profile
    this.#random = random
    this.#time = time
  }

  /** Where a client's datagram goes: the number of a director, or undefined if there is none. */
  pick ({ id }: Address, dataPort: number): number | undefined {
    if (this.#members.length < 2) return this.#members[0]
    const flow = id * MOST_DATA_PORTS + (this.#profile.isByClient ? 0 : dataPort)
    const { remembersMs } = this.#profile
    const { nowMs } = this.#time
    const known = this.#flows.get(flow)
    if (known !== undefined && nowMs - known.usedMs <= remembersMs) {
      known.usedMs = nowMs
      return known.member
    }
    const member = this.#choose(flow)
    if (member !== undefined && remembersMs > 0) this.#flows.set(flow, { member, usedMs: nowMs })
    return member
  }

  /** A director is there. */
  add (member: number): void {
    this.#members.push(member)
  }

  /** New flows go elsewhere. */
  drain (member: number): void {
    if (this.#members.includes(member)) this.#leaving.add(member)
  }

  /** A director is gone, and this knows. */
  remove (member: number): void {
    const at = this.#members.indexOf(member)
    if (at >= 0) this.#members.splice(at, 1)
    this.#leaving.delete(member)
    for (const [flow, known] of this.#flows) if (known.member === member) this.#flows.delete(flow)
  }

  /** It forgets every flow, as when it starts anew. */
  forget (): void {
    this.#flows.clear()
  }

  /** From now on new flows are dealt in another way. */
  rehash (): void {
    this.#salt++
  }

  #choose (flow: number): number | undefined {
    const staying = this.#members.filter(member => !this.#leaving.has(member))
    const able = staying.length > 0 ? staying : this.#members
    if (able.length < 2) return able[0]
    if (this.#profile.picks === 'random') return this.#random.pick(able)
    if (this.#profile.picks === 'modulo') return able[hashOf(flow, this.#salt) % able.length]
    return able.reduce((best, member) => this.#rank(flow, member) > this.#rank(flow, best) ? member : best)
  }

  #rank (flow: number, member: number): number {
    return hashOf(hashOf(flow, this.#salt), member)
  }
}

// The finisher of MurmurHash3 (Austin Appleby, public domain).
function hashOf (value: number, salt: number): number {
  let mixed = value + Math.imul(salt + 1, 0x9e3779b9)
  mixed = Math.imul(mixed ^ mixed >>> 16, 0x85ebca6b)
  mixed = Math.imul(mixed ^ mixed >>> 13, 0xc2b2ae35)
  return (mixed ^ mixed >>> 16) >>> 0
}
