// The packet path: one datagram and `now` in, one verdict out. Allocates nothing for a datagram that is forwarded,
// consumed or dropped; docs/protocol.md has the state table whose rows the comments name.
import { AskKind, ConsumedKind, Direction, EndCause, REASONS } from '../ledger/counters.js'
import { ADMITTED } from '../sessions/admission.js'
import { ADDRESS_WORDS } from '#wire/address.js'
import { TOKEN_WORDS } from '#wire/token.js'
import { classify, PacketKind } from './classify.js'
import { DropReason, tokenReasons } from '../ledger/drop-reason.js'
import { CONSUMED, FORWARD, HELD, type Verdict } from '../ledger/verdict.js'
import { Mark } from '../asks/token-marks.js'
import type { Arrival } from '../asks/asking.js'
import type { HeldDatagram } from '../asks/held-datagrams.js'
import type { ClientDrop } from '../ledger/observer.js'
import { NO_LOCAL } from './local-addresses.js'
import { CLIENT_KEY_WORDS, Origin } from '../tables/session-table.js'
import type { CoreState } from './core-state.js'
import type { HeldTarget } from '../tables/target-table.js'
import { TokenState } from '../tables/token-table.js'

export { CONSUMED, FORWARD, HELD, type Verdict }

/** What a token that cannot be redeemed is refused for, by its state. */
const refusals = {
  [TokenState.consumed]: DropReason.tokenConsumed,
  [TokenState.expired]: DropReason.tokenExpired,
  [TokenState.targetGone]: DropReason.targetGone,
  [TokenState.notTheirs]: DropReason.tokenClient,
  [TokenState.unknown]: DropReason.tokenUnknown
} as const

/** By reason: whether it is reported as the refusal of a token, and not as the drop of a datagram. */
const isTokenReason = new Uint8Array(REASONS)
for (const reason of [...tokenReasons, DropReason.tokenMalformed]) isTokenReason[reason] = 1

// What presenting a token means: it is redeemed, the store has to be asked whether it is, or why it is refused.
const LIVE = 0
const ASK = -1
type Meaning = typeof LIVE | typeof ASK | DropReason

/** What a token can be redeemed for, by the word of the store. */
export interface Redeemable {
  readonly target: HeldTarget
  readonly expiresAt: number
}

const NOBODY_WAITS = -1
const NOT_REFUSED = 0

export class PacketPath {
  readonly #state: CoreState
  readonly #client = new Uint32Array(CLIENT_KEY_WORDS)
  readonly #token = new Uint32Array(TOKEN_WORDS)
  #dataPort = 0
  #local = NO_LOCAL
  #now = 0
  // Of a held datagram: whose, and what its answer said.
  #waiter = NOBODY_WAITS
  #redeemable: Redeemable | undefined
  #refused: DropReason | typeof NOT_REFUSED = NOT_REFUSED

  /** After FORWARD: the flow to send on (client's datagram) or received from (target's datagram). */
  flow = -1
  /** After FORWARD of a target's datagram: the session whose client gets it. */
  session = -1

  constructor (state: CoreState) {
    this.#state = state
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
    const { counters } = this.#state
    counters.countReceived(Direction.toTarget, dataPort)
    for (let word = 0; word < ADDRESS_WORDS; word++) this.#client[word] = words[word]!
    this.#client[ADDRESS_WORDS] = port
    this.#dataPort = dataPort
    this.#local = local
    this.#now = now
    const verdict = this.#judge(port, bytes, isTruncated, start, end)
    this.#conclude(verdict, end - start)
    return verdict
  }

  /**
   * The turn of a datagram that was HELD. HELD again: somebody was asked, and it stays where it is.
   * @param waiter whose it is
   * @param client its address words and port
   * @param refused why the store refuses its token; 0 if it does not
   * @param redeemable what the store says that its token is good for, if it was asked and says so
   */
  judgeHeld (waiter: number, held: HeldDatagram, client: Uint32Array, refused: number, redeemable: Redeemable | undefined, now: number): Verdict {
    this.#take(held, client, now)
    this.#waiter = waiter
    this.#refused = refused as DropReason | typeof NOT_REFUSED
    this.#redeemable = redeemable
    const verdict = this.#decide(held.bytes, 0, held.bytes.length)
    this.#waiter = NOBODY_WAITS
    this.#refused = NOT_REFUSED
    this.#redeemable = undefined
    if (verdict !== HELD) this.#conclude(verdict, held.bytes.length)
    return verdict
  }

  /** Drops a datagram that was HELD. */
  dropHeld (held: HeldDatagram, client: Uint32Array, reason: DropReason, now: number): void {
    this.#take(held, client, now)
    this.#conclude(reason, held.bytes.length)
  }

  #take ({ dataPort, local }: HeldDatagram, client: Uint32Array, now: number): void {
    this.#client.set(client)
    this.#dataPort = dataPort
    this.#local = local
    this.#now = now
  }

  // Counts a verdict on a client's datagram, and tells who wants to know.
  #conclude (verdict: Verdict, byteCount: number): void {
    const { counters, options } = this.#state
    if (verdict > 0) {
      const reason = verdict as DropReason
      counters.countDropped(Direction.toTarget, reason)
      if (isTokenReason[reason] === 0 && this.#state.mayWarn(reason, this.#now)) this.#state.observer.datagramDropped(this.#drop(reason))
    }
    options.trace?.note(Direction.toTarget, this.#dataPort, verdict, byteCount, this.#client, this.#client[ADDRESS_WORDS]!)
  }

  /**
   * A datagram from a target, or from anybody who found the socket.
   * @param socket number of the upstream socket it arrived on
   * @param byteCount its length
   */
  fromTarget (socket: number, words: Uint32Array, port: number, byteCount: number, isTruncated: boolean, now: number): Verdict {
    const { counters, flows } = this.#state
    const flow = flows.findBySource(socket, words, port)
    counters.countReceived(Direction.toClient, flow < 0 ? counters.noDataPort : flows.dataPort(flow))
    const verdict = flow < 0 ? DropReason.replySource : this.#judgeReply(flow, byteCount, isTruncated, now)
    if (verdict > 0) counters.countDropped(Direction.toClient, verdict as DropReason)
    this.#state.options.trace?.note(Direction.toClient, flow < 0 ? counters.noDataPort : flows.dataPort(flow), verdict, byteCount, words, port)
    return verdict
  }

  #judge (port: number, bytes: Uint8Array, isTruncated: boolean, start: number, end: number): Verdict {
    const { options } = this.#state
    const byteCount = end - start
    if (isTruncated) return DropReason.truncated
    if (byteCount > options.limits.maxDatagramBytes) return DropReason.oversize
    if (port === 0) return DropReason.badSource
    const { asking } = this.#state
    if (asking.waiting.isAnyone) {
      const waiter = asking.waiting.find(this.#client)
      if (waiter >= 0) return asking.wait(waiter, this.#arrival, bytes, start, end)
    }
    return this.#decide(bytes, start, end)
  }

  #decide (bytes: Uint8Array, start: number, end: number): Verdict {
    const { options } = this.#state
    const byteCount = end - start
    const slot = this.#state.liveSession(this.#client, this.#now)
    const refusal = slot < 0 ? this.#state.admission.refuseStranger(this.#client) : ADMITTED
    if (refusal !== ADMITTED) return refusal
    const kind = classify(bytes, start, end, options.magic, this.#token)
    if (kind === PacketKind.data) return slot < 0 ? this.#stranger(bytes, start, end) : this.#forward(slot, byteCount)
    if (kind === PacketKind.malformedControl) return this.#refuse(DropReason.tokenMalformed, true)
    return slot < 0 ? this.#tokenWithoutSession(kind, bytes, start, end) : this.#tokenInSession(slot, kind, bytes, start, end)
  }

  // Rows 1, 1a, 2, 3 and 3a.
  #tokenWithoutSession (kind: PacketKind, bytes: Uint8Array, start: number, end: number): Verdict {
    const { tokens, admission, options, counters } = this.#state
    const token = tokens.find(this.#token)
    const meaning = this.#meaningOf(token)
    // A token that is refused because of a bound stays live.
    const refusal = meaning === LIVE || meaning === ASK ? admission.refuseToken(this.#client) : ADMITTED
    if (refusal !== ADMITTED) return refusal
    if (meaning === ASK) return this.#ask(AskKind.token, bytes, start, end)
    const reason = this.#redeem(token, meaning)
    if (reason === LIVE) return this.#establish(token)
    if (reason === DropReason.storeLate) return reason
    if (kind === PacketKind.control) return this.#refuse(reason, true)
    const isDropped = options.onInvalidToken === 'drop' || reason === DropReason.tokenClient
    // What nobody issued is asked about by nobody: any number of it costs nothing.
    if (!isDropped && reason !== DropReason.tokenForged && this.#wantsFollow()) return this.#ask(AskKind.follow, bytes, start, end)
    counters.deadFirstTokens[reason]!++
    if (isDropped) return this.#refuse(reason, false)
    const verdict = this.#openDefault(end - start)
    this.#warn(reason, false, verdict === FORWARD)
    return verdict
  }

  // Rows 4, 4a and 5 to 8.
  #tokenInSession (slot: number, kind: PacketKind, bytes: Uint8Array, start: number, end: number): Verdict {
    const { tokens, sessions, flows, counters, admission } = this.#state
    const token = tokens.find(this.#token)
    const meaning = this.#meaningOf(token)
    // The session's own token, which is not live here on this data port.
    if (meaning !== LIVE && (meaning !== ASK || token < 0) && sessions.isOwnToken(slot, this.#token, this.#now)) {
      counters.consumed[ConsumedKind.retransmit]!++
      this.#noteLocal(flows.findInList(sessions.firstFlow(slot), this.#dataPort))
      return CONSUMED
    }
    const refusal = meaning === LIVE || meaning === ASK ? admission.refuseRedemption(slot, this.#client) : ADMITTED
    if (refusal !== ADMITTED) return refusal
    if (meaning === ASK) return this.#ask(AskKind.token, bytes, start, end)
    const reason = this.#redeem(token, meaning)
    if (reason === LIVE) return this.#rebind(slot, token)
    if (reason === DropReason.storeLate) return reason
    // A token that is live for another client is forwarded to nobody, not even to this session's target.
    if (kind === PacketKind.control || reason === DropReason.tokenClient) return this.#refuse(reason, kind === PacketKind.control)
    return this.#forward(slot, end - start)
  }

  // What presenting the token means, which is in `token` of this core's table, or in none (-1).
  #meaningOf (token: number): Meaning {
    const { tokens, asking, marks } = this.#state
    const found = tokens.stateOf(token, this.#dataPort, this.#client, this.#now)
    if (this.#redeemable !== undefined) return found === TokenState.targetGone ? DropReason.targetGone : LIVE
    if (this.#refused !== NOT_REFUSED) return this.#refused
    if (found === TokenState.live) return asking.isHeard ? ASK : LIVE
    if (found !== TokenState.unknown) return refusals[found]
    const mark = marks.of(this.#token)
    if (mark === Mark.forged) return DropReason.tokenForged
    if (!asking.isShared) return DropReason.tokenUnknown
    return mark === Mark.ours && asking.isHeard ? ASK : DropReason.storeLate
  }

  // A live token is redeemed, unless another core was quicker: then it has been consumed. What the store says holds in any case.
  #redeem (token: number, meaning: typeof LIVE | DropReason): typeof LIVE | DropReason {
    if (meaning !== LIVE || token < 0) return meaning
    const isFirst = this.#state.tokens.consume(token, this.#dataPort)
    return isFirst || this.#redeemable !== undefined ? LIVE : DropReason.tokenConsumed
  }

  #wantsFollow (): boolean {
    return this.#state.asking.wantsFollow(this.#client, this.#now)
  }

  // Row 3, or 3b.
  #stranger (bytes: Uint8Array, start: number, end: number): Verdict {
    return this.#wantsFollow() ? this.#ask(AskKind.follow, bytes, start, end) : this.#openDefault(end - start)
  }

  #ask (kind: AskKind, bytes: Uint8Array, start: number, end: number): Verdict {
    const { asking } = this.#state
    if (this.#waiter !== NOBODY_WAITS) return asking.askAgain(this.#waiter, kind, this.#arrival, this.#now)
    return asking.ask(kind, this.#arrival, bytes, start, end, this.#now)
  }

  // Allocates, for the few datagrams that wait.
  get #arrival (): Arrival {
    return { client: this.#client, dataPort: this.#dataPort, local: this.#local, token: this.#token }
  }

  // Rows 1 and 2.
  #establish (token: number): Verdict {
    const { counters } = this.#state
    this.#state.makeRoom(this.#now)
    const slot = this.#state.createSession(this.#client, this.#targetOf(token), Origin.token, this.#now)
    this.#noteRedemption(slot, token)
    counters.consumed[ConsumedKind.token]!++
    this.#state.announce(slot)
    return CONSUMED
  }

  // Rows 4 and 6. The session's own token on a further data port redeems it there and moves nothing.
  #rebind (slot: number, token: number): Verdict {
    const { sessions, flows, counters } = this.#state
    const target = this.#targetOf(token)
    this.#state.promote(slot)
    this.#noteRedemption(slot, token)
    sessions.touch(slot, this.#now)
    const isMoved = this.#state.moveSession(slot, target, Origin.token, this.#now)
    if (!isMoved) {
      this.#noteLocal(flows.findInList(sessions.firstFlow(slot), this.#dataPort))
      this.#state.tellBinding('reset', slot)
    }
    counters.consumed[isMoved ? ConsumedKind.reset : ConsumedKind.token]!++
    return CONSUMED
  }

  #noteRedemption (slot: number, token: number): void {
    const { tokens, sessions, counters, observer } = this.#state
    sessions.setToken(slot, this.#token, token < 0 ? this.#redeemable!.expiresAt : tokens.expiresAt(token))
    counters.redeemed[this.#dataPort]!++
    observer.tokenRedeemed(this.#token, this.#dataPort, slot)
  }

  // Of a token that is not in the table only the store's word is there.
  #targetOf (token: number): HeldTarget {
    const { tokens, targets } = this.#state
    return token < 0 ? this.#redeemable!.target : targets.get(tokens.targetOf(token))
  }

  // Row 3. A datagram that cannot be forwarded makes no session.
  #openDefault (byteCount: number): Verdict {
    const target = this.#state.defaults.choose()
    if (target === undefined) return DropReason.noSession
    if (this.#state.isDraining) return DropReason.draining
    if (target.ports[this.#dataPort] === 0) return DropReason.noPort
    const refusal = this.#state.admission.refuseDefault(this.#client, this.#now)
    if (refusal !== ADMITTED) return refusal
    const slot = this.#state.createSession(this.#client, target, Origin.default, this.#now)
    const verdict = this.#forward(slot, byteCount)
    if (verdict === FORWARD) this.#state.announce(slot)
    else this.#state.discardSession(slot, this.#now)
    return verdict
  }

  // Row 8.
  #forward (slot: number, byteCount: number): Verdict {
    const { sessions, flows } = this.#state
    let flow = flows.findInList(sessions.firstFlow(slot), this.#dataPort)
    if (flow < 0) {
      const target = this.#state.targets.get(sessions.target(slot))
      const port = target.ports[this.#dataPort]!
      if (port === 0) return DropReason.noPort
      flow = flows.open(slot, this.#dataPort, target, port, sessions.firstFlow(slot), sessions.hasRedeemed(slot), this.#local)
      if (flow < 0) return DropReason.upstreamLimit
      sessions.setFirstFlow(slot, flow)
    } else this.#noteLocal(flow)
    sessions.touch(slot, this.#now)
    sessions.countToTarget(slot, byteCount)
    this.flow = flow
    return FORWARD
  }

  // Replies come from where the client sent to last. A datagram that does not say, a broadcast for one, changes nothing.
  #noteLocal (flow: number): void {
    if (flow >= 0 && this.#local !== NO_LOCAL) this.#state.flows.setLocal(flow, this.#local)
  }

  #judgeReply (flow: number, byteCount: number, isTruncated: boolean, now: number): Verdict {
    const { flows, sessions, options } = this.#state
    const slot = flows.session(flow)
    if (slot >= 0 && this.#state.isExpired(slot, now)) this.#state.endSession(slot, EndCause.timeout, now)
    if (flows.isLingering(flow)) {
      flows.touchLingering(flow, now)
      return DropReason.staleTarget
    }
    if (isTruncated) return DropReason.truncated
    if (byteCount > options.limits.maxDatagramBytes) return DropReason.oversize
    const { amplificationFactor } = options.limits
    if (amplificationFactor > 0 && sessions.wouldAmplify(slot, byteCount, amplificationFactor)) return DropReason.amplification
    if (options.refreshOn === 'both') sessions.touch(slot, now)
    sessions.countToClient(slot, byteCount)
    this.flow = flow
    this.session = slot
    return FORWARD
  }

  #refuse (reason: DropReason, isControlPacket: boolean): Verdict {
    this.#warn(reason, isControlPacket, false)
    return reason
  }

  #warn (reason: DropReason, isControlPacket: boolean, isForwarded: boolean): void {
    if (this.#state.mayWarn(reason, this.#now)) this.#state.observer.tokenRefused({ ...this.#drop(reason), isControlPacket, isForwarded })
  }

  // Allocates, for the few datagrams that are reported.
  #drop (reason: DropReason): ClientDrop {
    return { reason, dataPort: this.#dataPort, clientWords: this.#client.subarray(0, ADDRESS_WORDS), clientPort: this.#client[ADDRESS_WORDS]! }
  }
}
