// Whether and how the shared store is asked about a client, by way of control: within which bounds, who waits for it, and who was
// asked about a moment ago.
import { AskKind } from '../ledger/counters.js'
import { DropReason } from '../ledger/drop-reason.js'
import type { Observer } from '../ledger/observer.js'
import { HELD } from '../ledger/verdict.js'
import type { SessionOptions } from '../sessions/options.js'
import { ADDRESS_WORDS } from '#wire/address.js'
import type { Arrival } from './arrival.js'
import { AskBudget } from './ask-budget.js'
import { RestingClients } from './resting-clients.js'
import { Waiting } from './waiting.js'

// Strangers leave so much of the room to clients that have shown a token.
const STRANGERS_LEAVE = 0.5

const alone = { follow: false, firstAskId: 0, askIdStep: 1 } as const
const noAsks = { asksPerSecond: 0, asksPerPrefix: 0 } as const

export class Asking {
  /** Whether there is a store to be asked at all. */
  readonly isShared: boolean
  /** Whether control hears what is asked. */
  isOpen = false
  readonly waiting: Waiting
  readonly resting: RestingClients
  readonly #follow: boolean
  readonly #budget: AskBudget
  readonly #observer: Observer

  /** @param seed makes secrets for the tables' hashes */
  constructor ({ sharing, limits }: Pick<SessionOptions, 'sharing' | 'limits'>, observer: Observer, seed: () => number) {
    const { follow, firstAskId, askIdStep } = sharing ?? alone
    this.isShared = sharing !== undefined
    this.#follow = follow
    this.#observer = observer
    this.#budget = new AskBudget(this.isShared ? limits : noAsks, seed())
    this.resting = new RestingClients(seed(), this.isShared)
    this.waiting = new Waiting({
      capacity: this.isShared ? limits.heldDatagrams : 0,
      maxDatagramBytes: limits.maxDatagramBytes,
      deadlineMs: limits.storeDeadlineMs,
      firstAskId,
      askIdStep,
      seed: seed()
    })
  }

  /** Whether an ask would be heard now. */
  get isHeard (): boolean { return this.isOpen && this.isShared }

  /** Whether this client, which has no session here, may have one elsewhere, as far as anybody knows. */
  mayBeElsewhere ({ client, now }: Arrival): boolean {
    return this.#follow && this.isOpen && !this.resting.has(client, now)
  }

  /** Holds a datagram of a client that does not wait, and asks about it: HELD, or why it is dropped. */
  hold (kind: AskKind, arrival: Arrival, bytes: Uint8Array, start: number, end: number): typeof HELD | DropReason {
    if (!this.#hasRoom(kind, end - start)) return DropReason.heldLimit
    if (!this.#budget.take(kind, arrival.client, arrival.now)) return DropReason.askLimit
    const waiter = this.waiting.enter(arrival.client)
    this.waiting.append(waiter, arrival, bytes, start, end)
    this.#ask(waiter, kind, arrival)
    return HELD
  }

  /** Asks about the first datagram of a waiter, which is held already: HELD, or why it is dropped. */
  askAgain (waiter: number, kind: AskKind, arrival: Arrival): typeof HELD | DropReason {
    if (!this.#budget.take(kind, arrival.client, arrival.now)) return DropReason.askLimit
    this.#ask(waiter, kind, arrival)
    return HELD
  }

  /** Holds a datagram of a client that waits already: its turn comes after those before it. HELD, or why it is dropped. */
  wait (waiter: number, arrival: Arrival, bytes: Uint8Array, start: number, end: number): typeof HELD | DropReason {
    if (!this.waiting.hasRoomBehind(waiter) || !this.#hasRoom(this.waiting.kindOf(waiter), end - start)) return DropReason.heldLimit
    this.waiting.append(waiter, arrival, bytes, start, end)
    return HELD
  }

  #hasRoom (kind: AskKind, byteCount: number): boolean {
    return this.waiting.held.hasRoom(byteCount, kind === AskKind.follow ? STRANGERS_LEAVE : 0)
  }

  #ask (waiter: number, kind: AskKind, { client, clientPort, dataPort, token, now }: Arrival): void {
    const id = this.waiting.ask(waiter, kind, now)
    this.#observer.asked({ id, clientWords: client.subarray(0, ADDRESS_WORDS), clientPort, dataPort, token: kind === AskKind.token ? token : undefined })
  }
}
