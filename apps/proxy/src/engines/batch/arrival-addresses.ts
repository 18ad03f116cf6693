// Which address of this host a datagram was sent to, as the core's number. Most often that of the datagram before.
import { ADDRESS_WORDS } from '#wire/address.js'
import { NO_LOCAL, type LocalAddresses } from '../../core/datagrams/local-addresses.js'
import type { ControlBlocks } from './system/control-blocks.js'

export class ArrivalAddresses {
  readonly #locals: LocalAddresses
  readonly #isUnicast: (words: Uint32Array) => boolean
  readonly #words = new Uint32Array(ADDRESS_WORDS)
  #last = NO_LOCAL
  // The latest one that nothing can come from: a broadcast address, say. The system is not asked again for each datagram.
  readonly #refused = new Uint32Array(ADDRESS_WORDS)

  /** @param isUnicast whether a reply may come from this address */
  constructor (locals: LocalAddresses, isUnicast: (words: Uint32Array) => boolean) {
    this.#locals = locals
    this.#isUnicast = isUnicast
  }

  /** NO_LOCAL if the kernel did not tell, or a reply cannot come from there: the kernel chooses then. */
  of (told: ControlBlocks): number {
    if (!told.hasLocal) return NO_LOCAL
    const zone = told.readLocal(this.#words)
    if (!this.#locals.matches(this.#last, this.#words, zone)) this.#last = this.#find(zone)
    return this.#last
  }

  /** Forgets what was refused: networks change. */
  forget (): void {
    this.#refused.fill(0)
  }

  #find (zone: number): number {
    const known = this.#locals.find(this.#words, zone)
    if (known !== NO_LOCAL) return known
    if (this.#words.every((word, at) => word === this.#refused[at])) return NO_LOCAL
    if (this.#isUnicast(this.#words)) return this.#locals.intern(this.#words, zone)
    this.#refused.set(this.#words)
    return NO_LOCAL
  }
}
