// Clients that wait for an answer, and their datagrams in the order in which they came. There is one ask for each at a time, about
// the first of its datagrams; the others wait behind it, whatever they are.
//
//   client ── waiter ──┬─ first held datagram ── the next ── … ── the last
//                      └─ ask: id, kind, due at
import { ADDRESS_WORDS } from '#wire/address.js'
import type { AskKind } from '../ledger/counters.js'
import { CLIENT_KEY_WORDS } from '../tables/session-table.js'
import { RecordTable } from '../tables/record-table.js'
import { SlotHeap } from '../tables/slot-heap.js'
import type { Arrival } from './arrival.js'
import { HeldDatagrams, type HeldDatagram } from './held-datagrams.js'

/** Most datagrams of one client that wait at once. */
export const HELD_PER_CLIENT = 16

const NONE = -1

export interface WaitingOptions {
  /** Most datagrams that wait at once, and so most clients. 0: none ever does. */
  readonly capacity: number
  readonly maxDatagramBytes: number
  readonly deadlineMs: number
  readonly firstAskId: number
  readonly askIdStep: number
  readonly seed: number
}

export class Waiting {
  readonly held: HeldDatagrams
  /** Whether any client waits. */
  isAnyone = false
  readonly #options: WaitingOptions
  readonly #clients: RecordTable
  readonly #byDue: SlotHeap
  // By waiter.
  readonly #dueAt: Float64Array
  readonly #serial: Float64Array
  readonly #kind: Uint8Array
  readonly #isAsking: Uint8Array
  readonly #first: Int32Array
  readonly #last: Int32Array
  readonly #count: Uint8Array
  #nextSerial = 1
  #lastHeld = NONE

  constructor (options: WaitingOptions) {
    const { capacity, maxDatagramBytes, seed } = options
    this.#options = options
    this.held = new HeldDatagrams(capacity, maxDatagramBytes)
    this.#clients = new RecordTable({ capacity, keyWords: CLIENT_KEY_WORDS, stride: CLIENT_KEY_WORDS, seed })
    this.#dueAt = new Float64Array(capacity)
    this.#byDue = new SlotHeap(this.#dueAt)
    this.#serial = new Float64Array(capacity)
    this.#kind = new Uint8Array(capacity)
    this.#isAsking = new Uint8Array(capacity)
    this.#first = new Int32Array(capacity)
    this.#last = new Int32Array(capacity)
    this.#count = new Uint8Array(capacity)
  }

  /** Clients that wait. */
  get size (): number { return this.#clients.size }

  /** When the first ask is over without an answer; Infinity if there is none. */
  get nextDueAt (): number { return this.#byDue.size === 0 ? Infinity : this.#dueAt[this.#byDue.first]! }

  /** The waiter whose ask is due first, or -1. */
  get firstDue (): number { return this.#byDue.first }

  /** The client's waiter, or -1. */
  find (client: Uint32Array): number {
    return this.#clients.find(client)
  }

  /** A waiter for a client that has none. Its first datagram comes next. */
  enter (client: Uint32Array): number {
    const waiter = this.#clients.insert(client)
    this.isAnyone = true
    this.#first[waiter] = NONE
    this.#last[waiter] = NONE
    this.#count[waiter] = 0
    this.#isAsking[waiter] = 0
    return waiter
  }

  /** Whether one more datagram of this waiter is within its bound. */
  hasRoomBehind (waiter: number): boolean {
    return this.#count[waiter]! < HELD_PER_CLIENT
  }

  /** Copies a datagram behind those of the waiter. Call only if there is room. */
  append (waiter: number, arrival: Arrival, bytes: Uint8Array, start: number, end: number): void {
    const slot = this.held.add(arrival, bytes, start, end)
    const last = this.#last[waiter]!
    if (last === NONE) this.#first[waiter] = slot
    else this.held.setNext(last, slot)
    this.#last[waiter] = slot
    this.#count[waiter]!++
    this.#lastHeld = slot
  }

  /** Notes the IP mark of the datagram that came last. */
  noteMark (mark: number): void {
    if (this.#lastHeld !== NONE) this.held.setMark(this.#lastHeld, mark)
  }

  /** The waiter's first datagram, or -1. */
  first (waiter: number): number { return this.#first[waiter]! }

  /** Takes the waiter's first datagram out. */
  shift (waiter: number): void {
    const slot = this.#first[waiter]!
    this.#first[waiter] = this.held.next(slot)
    if (this.#first[waiter] === NONE) this.#last[waiter] = NONE
    this.#count[waiter]!--
    if (slot === this.#lastHeld) this.#lastHeld = NONE
    this.held.remove(slot)
  }

  /** The waiter has no datagram any more. */
  leave (waiter: number): void {
    this.#clients.remove(waiter)
    this.isAnyone = this.#clients.size > 0
  }

  /** Somebody is asked about the waiter's first datagram. Returns the id that the answer has to name. */
  ask (waiter: number, kind: AskKind, now: number): number {
    const { deadlineMs, firstAskId, askIdStep, capacity } = this.#options
    // Ids stay below what a double counts exactly.
    if ((this.#nextSerial + 1) * capacity * askIdStep > Number.MAX_SAFE_INTEGER) this.#nextSerial = 1
    this.#serial[waiter] = this.#nextSerial++
    this.#kind[waiter] = kind
    this.#dueAt[waiter] = now + deadlineMs
    this.#isAsking[waiter] = 1
    this.#byDue.add(waiter)
    return (this.#serial[waiter] * capacity + waiter) * askIdStep + firstAskId
  }

  /** The waiter that this ask is of, or -1 if it is over. */
  waiterOf (id: number): number {
    const { firstAskId, askIdStep, capacity } = this.#options
    const number = (id - firstAskId) / askIdStep
    if (capacity === 0 || !Number.isSafeInteger(number) || number < 0) return NONE
    const waiter = number % capacity
    const isSame = this.#clients.isLive(waiter) && this.#isAsking[waiter] === 1 && this.#serial[waiter] === Math.floor(number / capacity)
    return isSame ? waiter : NONE
  }

  kindOf (waiter: number): AskKind { return this.#kind[waiter] as AskKind }

  /** The ask is over. */
  settle (waiter: number): void {
    this.#isAsking[waiter] = 0
    this.#byDue.remove(waiter)
  }

  /** Copies the waiter's client, address words and port, to `client`. */
  readClient (waiter: number, client: Uint32Array): void {
    for (let word = 0; word <= ADDRESS_WORDS; word++) client[word] = this.#clients.words[waiter * CLIENT_KEY_WORDS + word]!
  }

  /** Copies the waiter's first datagram to `into`. */
  read (waiter: number, into: HeldDatagram): void {
    this.held.read(this.#first[waiter]!, into)
  }
}
