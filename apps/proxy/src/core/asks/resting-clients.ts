// Clients that have no session elsewhere, for a second: they are not asked about again. A table of a fixed size in which a newer
// client takes the place of an older one, which then costs one more ask.
import { CLIENT_KEY_WORDS } from '../tables/session-table.js'

/** How long, in ms. */
export const REST_MS = 1000

const BITS = 14
const PLACES = 1 << BITS

export class RestingClients {
  readonly #seed: number
  readonly #keys: Uint32Array
  readonly #until: Float64Array

  /**
   * @param seed secret: whoever knows it can choose addresses that take another's place
   * @param isUsed false where nobody ever rests
   */
  constructor (seed: number, isUsed = true) {
    const places = isUsed ? PLACES : 1
    this.#seed = seed
    this.#keys = new Uint32Array(places * CLIENT_KEY_WORDS)
    this.#until = new Float64Array(places)
  }

  add (client: Uint32Array, now: number): void {
    const place = this.#placeOf(client)
    for (let word = 0; word < CLIENT_KEY_WORDS; word++) this.#keys[place * CLIENT_KEY_WORDS + word] = client[word]!
    this.#until[place] = now + REST_MS
  }

  has (client: Uint32Array, now: number): boolean {
    const place = this.#placeOf(client)
    if (now >= this.#until[place]!) return false
    for (let word = 0; word < CLIENT_KEY_WORDS; word++) if (this.#keys[place * CLIENT_KEY_WORDS + word] !== client[word]) return false
    return true
  }

  // Fowler, Noll and Vo's hash by words, keyed, with the finaliser of MurmurHash3.
  #placeOf (client: Uint32Array): number {
    let hash = this.#seed
    for (let word = 0; word < CLIENT_KEY_WORDS; word++) hash = Math.imul(hash ^ client[word]!, 0x01000193)
    hash = Math.imul(hash ^ hash >>> 16, 0x85ebca6b)
    hash = Math.imul(hash ^ hash >>> 13, 0xc2b2ae35)
    return (hash ^ hash >>> 16) & this.#until.length - 1
  }
}
