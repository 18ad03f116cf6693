// Whose datagrams wait for the shared store in one shard, in the order in which they came, and what was asked and answered about
// them. What is let go has to be the first of its client, as it came.
import { addressFromText, type Address } from '../cast/address-book.js'
import type { Datagram } from '../cast/datagram.js'
import type { Watch } from './invariants.js'
import type { Word } from './ledger-entries.js'
import type { SharedAsk } from './shared-book.js'

export class HeldBook {
  readonly #watch: Watch
  readonly #waiting = new Map<number, Datagram[]>()
  // Under way, by client address: there is one at a time.
  readonly #asks = new Map<number, SharedAsk>()
  // Clients whose first datagram has a token that was refused: something else may have been asked about it since.
  readonly #refused = new Set<number>()
  // Said, and nobody has been judged by it yet; by client address.
  readonly #words = new Map<number, Word>()
  #size = 0

  constructor (watch: Watch) {
    this.#watch = watch
  }

  /** How many datagrams wait. */
  get size (): number { return this.#size }

  waits (address: number): boolean { return this.#waiting.has(address) }

  asked (asked: Omit<SharedAsk, 'address'>): void {
    const ask = { ...asked, address: addressFromText(asked.client) }
    this.#asks.set(ask.address.id, ask)
    this.#words.delete(ask.address.id)
  }

  /** An answer has reached the shard, which is about to act on it; undefined if nobody waits for it any more. */
  answered (id: number, word: Word): SharedAsk | undefined {
    const ask = [...this.#asks.values()].find(ask => ask.id === id)
    if (ask !== undefined) this.#words.set(ask.address.id, word)
    return ask
  }

  /** It is held: it waits behind the others of its client. */
  held (datagram: Datagram): void {
    const { id } = datagram.source
    this.#waiting.set(id, [...this.#waiting.get(id) ?? [], datagram])
    this.#size++
  }

  /** A datagram of a client goes on at once. */
  passed ({ source }: Datagram): void {
    this.#watch.hold('heldKeepOrder', !this.waits(source.id), source.id, 'went on before those that wait')
  }

  /** It is the turn of a datagram that was held. */
  turn (address: Address, bytes: Uint8Array): Datagram {
    const first = this.#waiting.get(address.id)?.[0]
    this.#watch.hold('heldKeepOrder', first !== undefined && Buffer.compare(first.bytes, bytes) === 0, address.id, 'went on before its turn, or is another than what came')
    return first ?? { source: address, dataPort: 0, meaning: 0, token: undefined, bytes }
  }

  /** The time of an ask is over, and the shard did not wait: what was answered since then came too late. */
  tooLate (address: number, askedBeforeMs: number): void {
    const ask = this.#asks.get(address)
    if (ask !== undefined && ask.askedMs <= askedBeforeMs) this.#words.delete(address)
  }

  /** What was answered about a client, for the datagram whose turn it is; whatever it was, the ask is over. */
  takeWord (address: number): Word | undefined {
    const word = this.#words.get(address)
    if (word?.verdict === 'refused') this.#refused.add(address)
    this.#words.delete(address)
    this.#asks.delete(address)
    // Whatever was asked about since, and answered or not: its token stays refused.
    if (this.#refused.has(address)) return { verdict: 'refused', ...word, isRefused: true }
    return word
  }

  /** The first of a client waits no more. */
  done (address: number): void {
    const left = this.#waiting.get(address)?.slice(1) ?? []
    this.#size--
    this.#refused.delete(address)
    if (left.length > 0) this.#waiting.set(address, left)
    else this.#waiting.delete(address)
  }
}
