// Which of a data port's sockets a reply leaves from: the one that is bound to the address its client sent to, or else one
// that can reach the client at all. All data ports are bound to the same addresses.
import { addressWords, isIPv4Words } from '#wire/address.js'
import { MAX_LOCALS, NO_LOCAL, type LocalAddresses } from '../core/datagrams/local-addresses.js'

const NOWHERE = -1

export class ReplyRoutes {
  /** Sockets of each data port. */
  readonly width: number
  readonly #locals: readonly number[]
  readonly #isEverywhere: readonly boolean[]
  // By number of the local address: place among a data port's sockets.
  readonly #places = new Int8Array(MAX_LOCALS + 1).fill(NOWHERE)
  readonly #placeOfIPv4: number
  readonly #placeOfIPv6: number

  /** @param addresses of the sockets of a data port, in their order */
  constructor (addresses: readonly string[], locals: LocalAddresses) {
    const all = addresses.map(address => addressWords(address) ?? new Uint32Array(4))
    this.width = addresses.length
    this.#isEverywhere = all.map(words => words[3] === 0 && words[0] === 0 && words[1] === 0)
    this.#locals = all.map((words, place) => this.#isEverywhere[place]! ? NO_LOCAL : locals.intern(words, 0))
    for (const [place, local] of this.#locals.entries()) {
      if (local === NO_LOCAL) continue
      locals.pin(local)
      this.#places[local] = place
    }
    // One for every address is the first choice; the one for `::` takes IPv4 too.
    const isIPv4 = all.map(words => isIPv4Words(words))
    const place = (isWanted: (place: number) => boolean): number | undefined => [...all.keys()].find(isWanted)
    const anyIPv6 = place(at => this.#isEverywhere[at]! && !isIPv4[at]!)
    this.#placeOfIPv4 = place(at => this.#isEverywhere[at]! && isIPv4[at]!) ?? anyIPv6 ?? place(at => isIPv4[at]!) ?? 0
    this.#placeOfIPv6 = anyIPv6 ?? place(at => !isIPv4[at]!) ?? 0
  }

  /** The number of the address that the socket at `place` is bound to; NO_LOCAL if that is every address. */
  localOf (place: number): number {
    return this.#locals[place]!
  }

  /** Whether the socket at `place` can send from any address of this host. */
  isEverywhere (place: number): boolean {
    return this.#isEverywhere[place]!
  }

  /** The place of the socket that replies to a client of this family leave from, who has sent to `local`. */
  place (local: number, isIPv4: boolean): number {
    const place = this.#places[local]!
    if (place !== NOWHERE) return place
    return isIPv4 ? this.#placeOfIPv4 : this.#placeOfIPv6
  }
}
