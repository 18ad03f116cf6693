// What happened to every datagram, as plain arrays of numbers. The ledger that must balance, per direction:
//   received = proxied + consumed + dropped + held + in flight (accepted by the engine, not yet taken by the kernel)
import { DropReason } from './drop-reason.js'

/** Which way a datagram travels. */
export const Direction = Object.freeze({ toTarget: 0, toClient: 1 } as const)
export type Direction = typeof Direction[keyof typeof Direction]
export const directionNames = ['to_target', 'to_client'] as const

/** What a datagram that was for the director itself did. */
export const ConsumedKind = Object.freeze({ token: 0, reset: 1, retransmit: 2 } as const)
export type ConsumedKind = typeof ConsumedKind[keyof typeof ConsumedKind]
export const consumedKindNames = ['token', 'reset', 'retransmit'] as const

/** Why a session ended. */
export const EndCause = Object.freeze({ timeout: 0, operator: 1, targetGone: 2, evicted: 3, elsewhere: 4 } as const)
export type EndCause = typeof EndCause[keyof typeof EndCause]
export const endCauseNames = ['timeout', 'operator', 'target_gone', 'evicted', 'elsewhere'] as const

/** What became of the sessions whose target was gone. */
export const GoneAction = Object.freeze({ keep: 0, close: 1, default: 2 } as const)
export type GoneActionName = keyof typeof GoneAction
export const goneActionNames = ['keep', 'close', 'default'] as const satisfies readonly GoneActionName[]

/** What the shared store is asked about: whether a token can be redeemed, or whether a client has a session elsewhere. */
export const AskKind = Object.freeze({ token: 0, follow: 1 } as const)
export type AskKind = typeof AskKind[keyof typeof AskKind]
export const askKindNames = ['token', 'follow'] as const

/** How an ask ended. `late`: control says that the store is silent. `unanswered`: control did not say anything in time. `unheard`: control went away. */
export const AskOutcome = Object.freeze({ live: 0, refused: 1, followed: 2, none: 3, late: 4, unanswered: 5, unheard: 6 } as const)
export type AskOutcome = typeof AskOutcome[keyof typeof AskOutcome]
export const askOutcomeNames = ['live', 'refused', 'followed', 'none', 'late', 'unanswered', 'unheard'] as const

/** Length of the list of drop reasons, the free 0 included. */
export const REASONS = Math.max(...Object.values(DropReason)) + 1

/** Where a direction and data port are in the arrays by both, when there are `dataPorts`. The one after the last is for datagrams of no data port. */
export function columnOf (dataPorts: number, direction: Direction, dataPort: number): number {
  return direction * (dataPorts + 1) + dataPort
}

export class Counters {
  readonly dataPorts: number
  /** By direction × data port: `[direction * dataPorts + dataPort]`. */
  readonly received: Float64Array
  readonly proxied: Float64Array
  readonly bytes: Float64Array
  /** By direction × drop reason: `[direction * reasons + reason]`. */
  readonly dropped = new Float64Array(2 * REASONS)
  readonly consumed = new Float64Array(consumedKindNames.length)
  readonly redeemed: Float64Array
  /** First datagrams that were a token which cannot be redeemed, by what would be its drop reason: they may be forwarded all the same. */
  readonly deadFirstTokens = new Float64Array(REASONS)
  /** By what bound them to their target: `Origin`. */
  readonly sessionsCreated = new Float64Array(4)
  readonly sessionsReset = new Float64Array(4)
  readonly sessionsEnded = new Float64Array(endCauseNames.length)
  /** Targets with sessions that were gone, by action. */
  readonly targetsGone = new Float64Array(goneActionNames.length)
  /** Asks that ended, by kind × outcome: `[kind * askOutcomeNames.length + outcome]`. */
  readonly asks = new Float64Array(askKindNames.length * askOutcomeNames.length)

  /** @param dataPorts how many data ports there are */
  constructor (dataPorts: number) {
    this.dataPorts = dataPorts
    // Replies whose flow is unknown belong to no data port: one more column takes them.
    this.received = new Float64Array(2 * (dataPorts + 1))
    this.proxied = new Float64Array(2 * (dataPorts + 1))
    this.bytes = new Float64Array(2 * (dataPorts + 1))
    this.redeemed = new Float64Array(dataPorts)
  }

  /** The column of datagrams that belong to no data port. */
  get noDataPort (): number { return this.dataPorts }

  column (direction: Direction, dataPort: number): number {
    return columnOf(this.dataPorts, direction, dataPort)
  }

  countReceived (direction: Direction, dataPort: number): void {
    this.received[this.column(direction, dataPort)]!++
  }

  countProxied (direction: Direction, dataPort: number, bytes: number): void {
    const column = this.column(direction, dataPort)
    this.proxied[column]!++
    this.bytes[column]! += bytes
  }

  countAsk (kind: AskKind, outcome: AskOutcome): void {
    this.asks[kind * askOutcomeNames.length + outcome]!++
  }

  countDropped (direction: Direction, reason: DropReason): void {
    this.dropped[direction * REASONS + reason]!++
  }

  /** Counts as lost what the process before this one had received and not sent on: then the ledger balances again. */
  settleInFlight (): void {
    for (const direction of [Direction.toTarget, Direction.toClient]) {
      const lost = this.inFlight(direction)
      // More went than came only if what was saved was wrong.
      if (lost >= 0) this.dropped[direction * REASONS + DropReason.restart]! += lost
      else this.received[this.column(direction, this.noDataPort)]! -= lost
    }
  }

  /** Datagrams received one way that are neither proxied, consumed nor dropped yet: those that are held, and those on their way through the engine. */
  inFlight (direction: Direction): number {
    const start = this.column(direction, 0)
    const sum = (array: Float64Array, from: number, length: number): number =>
      array.subarray(from, from + length).reduce((total, value) => total + value, 0)
    const consumed = direction === Direction.toTarget ? sum(this.consumed, 0, this.consumed.length) : 0
    return sum(this.received, start, this.dataPorts + 1) - sum(this.proxied, start, this.dataPorts + 1) -
      sum(this.dropped, direction * REASONS, REASONS) - consumed
  }
}
