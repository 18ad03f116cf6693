// The packet path: one datagram and `now` in, one verdict out. Allocates nothing for a datagram that is forwarded,
// consumed or dropped; docs/protocol.md has the state table whose rows the comments name.
import { AskKind, ConsumedKind, Direction, REASONS } from '../ledger/counters.js'
import { DropReason, tokenReasons } from '../ledger/drop-reason.js'
import type { ClientDrop } from '../ledger/observer.js'
import type { TraceRing } from '../ledger/trace-ring.js'
import { CONSUMED, FORWARD, HELD, type Verdict } from '../ledger/verdict.js'
import { Origin } from '../tables/session-table.js'
import type { HeldTarget } from '../tables/target-table.js'
import { ADMITTED } from '../sessions/admission.js'
import { Arrival } from '../asks/arrival.js'
import type { HeldDatagram } from '../asks/held-datagrams.js'
import type { Waiting } from '../asks/waiting.js'
import { ADDRESS_WORDS } from '#wire/address.js'
import { classify, PacketKind } from './classify.js'
import type { CoreState } from './core-state.js'
import { NO_LOCAL } from './local-addresses.js'
import { judgeReply } from './reply-path.js'
import { ASK, LIVE, meaningOf, type Meaning, type StoreWord } from './token-meaning.js'

export { CONSUMED, FORWARD, HELD, type Verdict }

/** By reason: whether it is reported as the refusal of a token, and not as the drop of a datagram. */
const isTokenReason = new Uint8Array(REASONS)
for (const reason of [...tokenReasons, DropReason.tokenMalformed]) isTokenReason[reason] = 1

// In place of a waiter.
const NOBODY = -1

/** A held datagram's turn. */
export interface Turn extends StoreWord {
  /** Whose it is. */
  readonly waiter: number
}

export class PacketPath {
  readonly #state: CoreState
  readonly #waiting: Waiting
  readonly #trace: TraceRing | undefined
  readonly #arrival = new Arrival()
  // Of a datagram that was held.
  #turn: Turn | undefined

  /** After FORWARD: the flow to send on (client's datagram) or received from (target's datagram). */
  flow = -1
  /** After FORWARD of a target's datagram: the session whose client gets it. */
  session = -1

  constructor (state: CoreState) {
    this.#state = state
    this.#waiting = state.asking.waiting
    this.#trace = state.options.trace
  }

  /**
   * A datagram from a client.
   * @param dataPort index of the data port it arrived on
   * @param words the source address; a source that cannot be answered has port 0
   * @param isTruncated true if this is not all of it
   * @param now in ms, never less than in the call before
   * @param start where it begins in `bytes`; an engine that receives many into one buffer makes no view of each
   * @param end where it ends in `bytes`
   * @param local number of the address of ours that it was sent to
   */
  fromClient (dataPort: number, words: Uint32Array, port: number, bytes: Uint8Array, isTruncated: boolean, now: number, start = 0, end = bytes.length, local = NO_LOCAL): Verdict {
    this.#state.counters.countReceived(Direction.toTarget, dataPort)
    this.#arrival.set(words, port, dataPort, local, now)
    const verdict = this.#judge(port, bytes, isTruncated, start, end)
    if (verdict > 0 || this.#trace !== undefined) this.#conclude(verdict, end - start)
    return verdict
  }

  /** The turn of a datagram that was HELD. HELD again: somebody was asked, and it stays where it is. */
  judgeHeld ({ dataPort, local, bytes }: HeldDatagram, client: Uint32Array, turn: Turn, now: number): Verdict {
    this.#arrival.set(client, client[ADDRESS_WORDS]!, dataPort, local, now)
    this.#turn = turn
    const verdict = this.#decide(bytes, 0, bytes.length)
    this.#turn = undefined
    if (verdict !== HELD) this.#conclude(verdict, bytes.length)
    return verdict
  }

  /** Drops a datagram that was HELD. */
  dropHeld ({ dataPort, local, bytes }: HeldDatagram, client: Uint32Array, reason: DropReason, now: number): void {
    this.#arrival.set(client, client[ADDRESS_WORDS]!, dataPort, local, now)
    this.#conclude(reason, bytes.length)
  }

  /**
   * A datagram from a target, or from anybody who found the socket.
   * @param socket number of the upstream socket it arrived on
   * @param byteCount its length
   */
  fromTarget (socket: number, words: Uint32Array, port: number, byteCount: number, isTruncated: boolean, now: number): Verdict {
    const { counters, flows } = this.#state
    const flow = flows.findBySource(socket, words, port)
    const dataPort = flow < 0 ? counters.noDataPort : flows.dataPort(flow)
    counters.countReceived(Direction.toClient, dataPort)
    const verdict = flow < 0 ? DropReason.replySource : judgeReply(this.#state, flow, byteCount, isTruncated, now)
    if (verdict === FORWARD) {
      this.flow = flow
      this.session = flows.session(flow)
    } else counters.countDropped(Direction.toClient, verdict as DropReason)
    this.#trace?.note(Direction.toClient, dataPort, verdict, byteCount, words, port)
    return verdict
  }

  // Counts a verdict on a client's datagram, and tells who wants to know.
  #conclude (verdict: Verdict, byteCount: number): void {
    const { counters, observer } = this.#state
    const { client, clientPort, dataPort, now } = this.#arrival
    if (verdict > 0) {
      const reason = verdict as DropReason
      counters.countDropped(Direction.toTarget, reason)
      if (isTokenReason[reason] === 0 && this.#state.mayWarn(reason, now)) observer.datagramDropped(this.#drop(reason))
    }
    this.#trace?.note(Direction.toTarget, dataPort, verdict, byteCount, client, clientPort)
  }

  #judge (port: number, bytes: Uint8Array, isTruncated: boolean, start: number, end: number): Verdict {
    if (isTruncated) return DropReason.truncated
    if (end - start > this.#state.options.limits.maxDatagramBytes) return DropReason.oversize
    if (port === 0) return DropReason.badSource
    const waiter = this.#waiting.isAnyone ? this.#waiting.find(this.#arrival.client) : NOBODY
    return waiter === NOBODY ? this.#decide(bytes, start, end) : this.#state.asking.wait(waiter, this.#arrival, bytes, start, end)
  }

  #decide (bytes: Uint8Array, start: number, end: number): Verdict {
    const { client, token, now } = this.#arrival
    const slot = this.#state.liveSession(client, now)
    const kind = classify(bytes, start, end, this.#state.options.magic, token)
    return slot >= 0 && kind === PacketKind.data ? this.#forward(slot, end - start) : this.#other(slot, kind, bytes, start, end)
  }

  // Anything but data in a session. Apart, so that the way of nearly all datagrams is short enough to be compiled as one.
  #other (slot: number, kind: PacketKind, bytes: Uint8Array, start: number, end: number): Verdict {
    const refusal = slot < 0 ? this.#state.admission.refuseStranger(this.#arrival.client) : ADMITTED
    if (refusal !== ADMITTED) return refusal
    if (kind === PacketKind.data) return this.#stranger(bytes, start, end)
    if (kind === PacketKind.malformedControl) return this.#refuse(DropReason.tokenMalformed, true)
    return slot < 0 ? this.#tokenWithoutSession(kind, bytes, start, end) : this.#tokenInSession(slot, kind, bytes, start, end)
  }

  // Rows 1, 1a, 2, 3 and 3a.
  #tokenWithoutSession (kind: PacketKind, bytes: Uint8Array, start: number, end: number): Verdict {
    const { tokens, admission, options, counters } = this.#state
    const token = tokens.find(this.#arrival.token)
    const meaning = meaningOf(this.#state, token, this.#arrival, this.#turn)
    // A token that is refused because of a bound stays live.
    const refusal = meaning === LIVE || meaning === ASK ? admission.refuseToken(this.#arrival.client) : ADMITTED
    if (refusal !== ADMITTED) return refusal
    if (meaning === ASK) return this.#ask(AskKind.token, bytes, start, end)
    const reason = this.#redeem(token, meaning)
    if (reason === LIVE) return this.#establish(token)
    if (reason === DropReason.storeLate) return reason
    if (kind === PacketKind.control) return this.#refuse(reason, true)
    const isDropped = options.onInvalidToken === 'drop' || reason === DropReason.tokenClient
    // Nobody is asked about what nobody issued: any number of it costs nothing.
    if (!isDropped && reason !== DropReason.tokenForged && this.#mayBeElsewhere()) return this.#ask(AskKind.follow, bytes, start, end)
    counters.deadFirstTokens[reason]!++
    if (isDropped) return this.#refuse(reason, false)
    const verdict = this.#openDefault(end - start)
    this.#warn(reason, false, verdict === FORWARD)
    return verdict
  }

  // Rows 4, 4a and 5 to 8.
  #tokenInSession (slot: number, kind: PacketKind, bytes: Uint8Array, start: number, end: number): Verdict {
    const { tokens, sessions, flows, counters, admission } = this.#state
    const { client, token, dataPort, now } = this.#arrival
    const known = tokens.find(token)
    const meaning = meaningOf(this.#state, known, this.#arrival, this.#turn)
    const isLive = meaning === LIVE || meaning === ASK
    const refusal = isLive ? admission.refuseRedemption(slot, client) : ADMITTED
    if (refusal !== ADMITTED) return refusal
    // The store need not be asked about the session's own token, unless it is live here on another data port.
    const isOwn = meaning !== LIVE && (meaning !== ASK || known < 0) && sessions.isBoundBy(slot, token)
    if (isOwn && sessions.isOwnToken(slot, token, now)) {
      counters.consumed[ConsumedKind.retransmit]!++
      this.#noteLocal(flows.findInList(sessions.firstFlow(slot), dataPort))
      return CONSUMED
    }
    if (meaning === ASK && !isOwn) return this.#ask(AskKind.token, bytes, start, end)
    const isOver = isOwn && (meaning === ASK || meaning === DropReason.storeLate)
    const reason = isOver || meaning === ASK ? DropReason.tokenExpired : this.#redeem(known, meaning)
    if (reason === LIVE) return this.#rebind(slot, known)
    if (reason === DropReason.storeLate) return reason
    // A token that is live for another client is forwarded to nobody, not even to this session's target.
    if (kind === PacketKind.control || reason === DropReason.tokenClient) return this.#refuse(reason, kind === PacketKind.control)
    return this.#forward(slot, end - start)
  }

  // A live token is redeemed, unless another core was quicker: then it has been consumed. What the store says holds in any case.
  #redeem (token: number, meaning: Exclude<Meaning, typeof ASK>): Exclude<Meaning, typeof ASK> {
    if (meaning !== LIVE || token < 0) return meaning
    const isFirst = this.#state.tokens.consume(token, this.#arrival.dataPort)
    return isFirst || this.#turn?.redeemable !== undefined ? LIVE : DropReason.tokenConsumed
  }

  // Rows 1 and 2.
  #establish (token: number): Verdict {
    const { client, now } = this.#arrival
    this.#state.makeRoom(now)
    const slot = this.#state.createSession(client, this.#targetOf(token), Origin.token, now)
    this.#noteRedemption(slot, token)
    this.#state.counters.consumed[ConsumedKind.token]!++
    this.#state.announce(slot)
    return CONSUMED
  }

  // Rows 4 and 6. The session's own token on a further data port redeems it there and moves nothing.
  #rebind (slot: number, token: number): Verdict {
    const { sessions, flows, counters } = this.#state
    const { dataPort, now } = this.#arrival
    const target = this.#targetOf(token)
    this.#state.promote(slot)
    this.#noteRedemption(slot, token)
    sessions.touch(slot, now)
    const isMoved = this.#state.moveSession(slot, target, Origin.token, now)
    if (!isMoved) {
      this.#noteLocal(flows.findInList(sessions.firstFlow(slot), dataPort))
      this.#state.tellBinding('reset', slot)
    }
    counters.consumed[isMoved ? ConsumedKind.reset : ConsumedKind.token]!++
    return CONSUMED
  }

  #noteRedemption (slot: number, known: number): void {
    const { tokens, sessions, counters, observer } = this.#state
    const { token, dataPort } = this.#arrival
    sessions.setToken(slot, token, known < 0 ? this.#turn!.redeemable!.expiresAt : tokens.expiresAt(known))
    counters.redeemed[dataPort]!++
    observer.tokenRedeemed(token, dataPort, slot)
  }

  // There may be no room for a token in the table: then only the store's word is there.
  #targetOf (token: number): HeldTarget {
    const { tokens, targets } = this.#state
    return token < 0 ? this.#turn!.redeemable!.target : targets.get(tokens.targetOf(token))
  }

  // Rows 3 and 3b.
  #stranger (bytes: Uint8Array, start: number, end: number): Verdict {
    return this.#mayBeElsewhere() ? this.#ask(AskKind.follow, bytes, start, end) : this.#openDefault(end - start)
  }

  #mayBeElsewhere (): boolean {
    return this.#state.asking.mayBeElsewhere(this.#arrival)
  }

  #ask (kind: AskKind, bytes: Uint8Array, start: number, end: number): Verdict {
    const { asking } = this.#state
    return this.#turn === undefined ? asking.hold(kind, this.#arrival, bytes, start, end) : asking.askAgain(this.#turn.waiter, kind, this.#arrival)
  }

  // Row 3. A datagram that cannot be forwarded makes no session.
  #openDefault (byteCount: number): Verdict {
    const { client, dataPort, now } = this.#arrival
    const target = this.#state.defaults.choose()
    if (target === undefined) return DropReason.noSession
    if (this.#state.isDraining) return DropReason.draining
    if (target.ports[dataPort] === 0) return DropReason.noPort
    const refusal = this.#state.admission.refuseDefault(client, now)
    if (refusal !== ADMITTED) return refusal
    const slot = this.#state.createSession(client, target, Origin.default, now)
    const verdict = this.#forward(slot, byteCount)
    if (verdict === FORWARD) this.#state.announce(slot)
    else this.#state.discardSession(slot, now)
    return verdict
  }

  // Row 8.
  #forward (slot: number, byteCount: number): Verdict {
    const { sessions, flows } = this.#state
    const flow = flows.findInList(sessions.firstFlow(slot), this.#arrival.dataPort)
    if (flow < 0) return this.#openFlow(slot, byteCount)
    this.#noteLocal(flow)
    return this.#passOn(slot, flow, byteCount)
  }

  // The first datagram of a session on this data port.
  #openFlow (slot: number, byteCount: number): Verdict {
    const { sessions, flows, targets } = this.#state
    const { dataPort, local } = this.#arrival
    const target = targets.get(sessions.target(slot))
    const port = target.ports[dataPort]!
    if (port === 0) return DropReason.noPort
    const flow = flows.open(slot, dataPort, target, port, sessions.firstFlow(slot), sessions.hasRedeemed(slot), local)
    if (flow < 0) return DropReason.upstreamLimit
    sessions.setFirstFlow(slot, flow)
    return this.#passOn(slot, flow, byteCount)
  }

  #passOn (slot: number, flow: number, byteCount: number): Verdict {
    const { sessions } = this.#state
    sessions.touch(slot, this.#arrival.now)
    sessions.countToTarget(slot, byteCount)
    this.flow = flow
    return FORWARD
  }

  // Replies come from where the client sent to last. A datagram that does not say, a broadcast for one, changes nothing.
  #noteLocal (flow: number): void {
    const { local } = this.#arrival
    if (flow >= 0 && local !== NO_LOCAL) this.#state.flows.setLocal(flow, local)
  }

  #refuse (reason: DropReason, isControlPacket: boolean): Verdict {
    this.#warn(reason, isControlPacket, false)
    return reason
  }

  #warn (reason: DropReason, isControlPacket: boolean, isForwarded: boolean): void {
    const { observer } = this.#state
    if (this.#state.mayWarn(reason, this.#arrival.now)) observer.tokenRefused({ ...this.#drop(reason), isControlPacket, isForwarded })
  }

  // Allocates, for the few datagrams that are reported.
  #drop (reason: DropReason): ClientDrop {
    const { client, clientPort, dataPort } = this.#arrival
    return { reason, dataPort, clientWords: client.subarray(0, ADDRESS_WORDS), clientPort }
  }
}
