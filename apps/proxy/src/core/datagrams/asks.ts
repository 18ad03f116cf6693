// What was asked, answered: the datagrams that wait for it are judged again, in the order in which they came. The verdict
// HELD begins it (packet-path.ts); control's answer, its silence or its going ends it.
import { AskKind, AskOutcome } from '../ledger/counters.js'
import { DropReason } from '../ledger/drop-reason.js'
import { FORWARD, HELD } from '../ledger/verdict.js'
import { ADMITTED } from '../sessions/admission.js'
import type { Grant } from '../sessions/operations.js'
import { CLIENT_KEY_WORDS, Origin } from '../tables/session-table.js'
import type { TargetFault } from '../tables/target-table.js'
import type { AnswerReason, AskAnswer, FollowedSession } from '../asks/answer.js'
import type { HeldDatagram } from '../asks/held-datagrams.js'
import type { Waiting } from '../asks/waiting.js'
import { TOKEN_WORDS, writeTokenWords } from '#wire/token.js'
import { classify } from './classify.js'
import type { CoreState } from './core-state.js'
import type { PacketPath } from './packet-path.js'
import type { Redeemable } from './token-meaning.js'

/** A held datagram that goes on now. Valid during the call only. */
export interface Forwarded extends HeldDatagram {
  /** The client's address words and port. */
  readonly client: Uint32Array
}

/** Sends it by `packets.flow`. Must not call what changes the core. */
export type Forward = (held: Forwarded) => void

// Clients that are settled in one call: with 16 datagrams each as many as a slice has changes.
const SETTLED_AT_ONCE = 16

const reasons: Readonly<Record<AnswerReason, DropReason>> = {
  unknown: DropReason.tokenUnknown,
  expired: DropReason.tokenExpired,
  consumed: DropReason.tokenConsumed,
  void: DropReason.tokenUnknown,
  not_theirs: DropReason.tokenClient
}

/** What the datagram is dropped for whose target cannot be had. Its client keeps what it has in the store, and may try again. */
const faults: Readonly<Record<TargetFault, DropReason>> = {
  INVALID_TARGET: DropReason.targetGone,
  TARGET_TABLE_FULL: DropReason.sessionLimit
}

export class Asks {
  readonly #state: CoreState
  readonly #packets: PacketPath
  readonly #waiting: Waiting
  readonly #client = new Uint32Array(CLIENT_KEY_WORDS)
  readonly #token = new Uint32Array(TOKEN_WORDS)
  readonly #granted = new Uint32Array(TOKEN_WORDS)
  // The datagram whose turn it is.
  readonly #head: Forwarded = { dataPort: 0, local: 0, mark: 0, bytes: new Uint8Array(0), client: this.#client }

  constructor (state: CoreState, packets: PacketPath) {
    this.#state = state
    this.#packets = packets
    this.#waiting = state.asking.waiting
  }

  /** Datagrams that wait. */
  get heldCount (): number { return this.#waiting.held.size }

  /** When `expire` has something to do, in ms; Infinity if nobody waits. */
  get nextDueAt (): number {
    if (!this.#waiting.isAnyone) return Infinity
    return this.#state.asking.isOpen ? this.#waiting.nextDueAt : 0
  }

  /** The keys of our tokens, the newest first; a few former ones are kept. */
  setKeys (keys: readonly Uint32Array[]): void {
    this.#state.marks.setKeys(keys)
  }

  /** Whether control hears what is asked. If not, nobody waits for it any more: `expire` has to settle them, and is due at once. */
  open (isOpen: boolean): void {
    this.#state.asking.isOpen = isOpen
  }

  /** Notes the IP mark of the datagram that was HELD just now. */
  noteMark (mark: number): void {
    this.#waiting.noteMark(mark)
  }

  /**
   * Goes on with the client that was asked about. Returns false, and changes nothing, if the answer fits no ask: it comes late or
   * twice, is of another token or client, or answers something else.
   */
  answer (answer: AskAnswer, now: number, forward: Forward): boolean {
    const waiter = this.#waiting.waiterOf(answer.id)
    if (waiter < 0 || !this.#fits(waiter, answer)) return false
    this.#end(waiter, AskOutcome[answer.verdict])
    if (answer.verdict === 'live') this.#live(waiter, answer.grant, now, forward)
    else if (answer.verdict === 'followed') this.#dropOrGoOn(waiter, this.#follow(answer.session, now), now, forward)
    else if (answer.verdict === 'late') this.#dropOrGoOn(waiter, DropReason.storeLate, now, forward)
    else {
      if (answer.verdict === 'refused') this.#waiting.held.setNote(this.#waiting.first(waiter), reasons[answer.reason])
      else this.#state.asking.resting.add(this.#client, now)
      this.#goOn(waiter, now, forward)
    }
    return true
  }

  /** Settles those whose time is over, some of them: while `nextDueAt` is not later than `now` afterwards, there are more. */
  expire (now: number, forward: Forward): void {
    for (let settled = 0; settled < SETTLED_AT_ONCE && this.nextDueAt <= now; settled++) {
      const waiter = this.#waiting.firstDue
      const { isOpen } = this.#state.asking
      this.#waiting.readClient(waiter, this.#client)
      this.#end(waiter, isOpen ? AskOutcome.unanswered : AskOutcome.unheard)
      this.#dropOrGoOn(waiter, isOpen ? DropReason.storeLate : ADMITTED, now, forward)
    }
  }

  #end (waiter: number, outcome: AskOutcome): void {
    this.#state.counters.countAsk(this.#waiting.kindOf(waiter), outcome)
    this.#waiting.settle(waiter)
  }

  // Reads the waiter's client on the way; for a token that is live, the datagram with it as well.
  #fits (waiter: number, answer: AskAnswer): boolean {
    this.#waiting.readClient(waiter, this.#client)
    if (answer.verdict === 'late') return true
    const isOfToken = answer.verdict === 'live' || answer.verdict === 'refused'
    if (isOfToken !== (this.#waiting.kindOf(waiter) === AskKind.token)) return false
    if (answer.verdict === 'followed') return answer.session.client === undefined || isSame(answer.session.client, this.#client)
    if (answer.verdict !== 'live') return true
    this.#waiting.read(waiter, this.#head)
    const { bytes } = this.#head
    classify(bytes, 0, bytes.length, this.#state.options.magic, this.#token)
    writeTokenWords(answer.grant.token, this.#granted)
    return isSame(this.#token, this.#granted)
  }

  // The token is redeemed whether or not there is room to remember it: the store knows that it is.
  #live (waiter: number, grant: Grant, now: number, forward: Forward): void {
    const { targets, tokens, options } = this.#state
    const target = targets.hold(grant.target)
    if (typeof target === 'string') {
      this.#dropOrGoOn(waiter, faults[target], now, forward)
      return
    }
    const expiresAt = now + grant.ttlMs
    if (options.claims === undefined || grant.claim !== undefined) {
      targets.holdId(target.id)
      const elsewhere = grant.consumed & ~(1 << this.#head.dataPort)
      if (!tokens.add(this.#granted, target.id, elsewhere, expiresAt, now, grant.claim, grant.client)) targets.release(target.id)
    }
    this.#goOn(waiter, now, forward, { target, expiresAt })
    targets.release(target.id)
  }

  // Gives the client its session here. Returns why it cannot be had, or ADMITTED.
  #follow ({ target: spec, token, tokenTtlMs = 0 }: FollowedSession, now: number): DropReason | typeof ADMITTED {
    const { targets, admission, sessions } = this.#state
    if (this.#state.liveSession(this.#client, now) >= 0) return ADMITTED
    const refusal = admission.refuseToken(this.#client)
    if (refusal !== ADMITTED) return refusal
    const target = targets.hold(spec)
    if (typeof target === 'string') return faults[target]
    this.#state.makeRoom(now)
    const slot = this.#state.createSession(this.#client, target, Origin.followed, now)
    targets.release(target.id)
    if (token !== undefined && tokenTtlMs > 0) {
      writeTokenWords(token, this.#token)
      sessions.setToken(slot, this.#token, now + tokenTtlMs)
    }
    this.#state.announce(slot)
    return ADMITTED
  }

  // The first datagram of the waiter is dropped for `reason`, if there is one; then it is the turn of the others.
  #dropOrGoOn (waiter: number, reason: DropReason | typeof ADMITTED, now: number, forward: Forward): void {
    if (reason !== ADMITTED) {
      this.#waiting.read(waiter, this.#head)
      this.#packets.dropHeld(this.#head, this.#client, reason, now)
      this.#waiting.shift(waiter)
    }
    this.#goOn(waiter, now, forward)
  }

  // Judges what the waiter has, until somebody has to be asked again or nothing is left. What can be redeemed is of the first.
  #goOn (waiter: number, now: number, forward: Forward, first?: Redeemable): void {
    let redeemable = first
    for (let slot = this.#waiting.first(waiter); slot >= 0; slot = this.#waiting.first(waiter)) {
      this.#waiting.read(waiter, this.#head)
      const refused = this.#waiting.held.note(slot) as DropReason | 0
      const verdict = this.#packets.judgeHeld(this.#head, this.#client, { waiter, refused, redeemable }, now)
      if (verdict === HELD) return
      if (verdict === FORWARD) forward(this.#head)
      this.#waiting.shift(waiter)
      redeemable = undefined
    }
    this.#waiting.leave(waiter)
  }
}

function isSame (one: Uint32Array, other: Uint32Array): boolean {
  return one.every((word, index) => word === other[index])
}
