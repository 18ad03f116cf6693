// Whether and how somebody is asked about a client, and what is remembered of it: who waits, who was asked about, how often.
import { AskKind } from '../ledger/counters.js'
import { DropReason } from '../ledger/drop-reason.js'
import type { Observer } from '../ledger/observer.js'
import { HELD } from '../ledger/verdict.js'
import type { SessionOptions } from '../sessions/options.js'
import { ADDRESS_WORDS } from '#wire/address.js'
import { AskBudget } from './ask-budget.js'
import { RestingClients } from './resting-clients.js'
import { Waiting } from './waiting.js'

// Strangers' datagrams leave so much of the room to those of clients with a token.
const FOLLOW_LEAVES = 0.5

/** A client's datagram, as it is copied. */
export interface Arrival {
  /** Address words and port. */
  readonly client: Uint32Array
  readonly dataPort: number
  readonly local: number
  /** The number of its token, if it has one. */
  readonly token: Uint32Array
}

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

  constructor ({ sharing, limits }: Pick<SessionOptions, 'sharing' | 'limits'>, observer: Observer, seed: () => number) {
    this.isShared = sharing !== undefined
    this.#follow = sharing?.follow ?? false
    this.#observer = observer
    this.#budget = new AskBudget(limits, seed())
    this.resting = new RestingClients(seed())
    this.waiting = new Waiting({
      capacity: sharing === undefined ? 0 : limits.heldDatagrams,
      maxDatagramBytes: limits.maxDatagramBytes,
      deadlineMs: limits.storeDeadlineMs,
      firstAskId: sharing?.firstAskId ?? 0,
      askIdStep: sharing?.askIdStep ?? 1,
      seed: seed()
    })
  }

  /** Whether an ask would be heard now. */
  get isHeard (): boolean { return this.isOpen && this.isShared }

  /** Whether this client, which has no session here, may have one elsewhere. */
  wantsFollow (client: Uint32Array, now: number): boolean {
    return this.#follow && this.isOpen && !this.resting.has(client, now)
  }

  /** Holds a datagram and asks about it: HELD, or why it is dropped. */
  ask (kind: AskKind, { client, dataPort, local, token }: Arrival, bytes: Uint8Array, start: number, end: number, now: number): typeof HELD | DropReason {
    if (!this.waiting.held.hasRoom(end - start, kind === AskKind.follow ? FOLLOW_LEAVES : 0)) return DropReason.heldLimit
    if (!this.#budget.take(kind, client, now)) return DropReason.askLimit
    const waiter = this.waiting.enter(client)
    this.waiting.append(waiter, dataPort, local, bytes, start, end)
    this.#tell(waiter, kind, client, dataPort, token, now)
    return HELD
  }

  /** Asks about the first datagram of a waiter, which is held already. */
  askAgain (waiter: number, kind: AskKind, { client, dataPort, token }: Arrival, now: number): typeof HELD | DropReason {
    if (!this.#budget.take(kind, client, now)) return DropReason.askLimit
    this.#tell(waiter, kind, client, dataPort, token, now)
    return HELD
  }

  /** Holds a datagram of a client that waits already: its turn comes after those before it. */
  wait (waiter: number, { dataPort, local }: Arrival, bytes: Uint8Array, start: number, end: number): typeof HELD | DropReason {
    const share = this.waiting.kindOf(waiter) === AskKind.follow ? FOLLOW_LEAVES : 0
    if (!this.waiting.hasRoomBehind(waiter) || !this.waiting.held.hasRoom(end - start, share)) return DropReason.heldLimit
    this.waiting.append(waiter, dataPort, local, bytes, start, end)
    return HELD
  }

  #tell (waiter: number, kind: AskKind, client: Uint32Array, dataPort: number, token: Uint32Array, now: number): void {
    const id = this.waiting.ask(waiter, kind, now)
    this.#observer.asked({ id, clientWords: client.subarray(0, ADDRESS_WORDS), clientPort: client[ADDRESS_WORDS]!, dataPort, token: kind === AskKind.token ? token : undefined })
  }
}
