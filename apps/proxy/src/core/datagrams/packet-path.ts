// The packet path: one datagram and `now` in, one verdict out. Allocates nothing for a datagram that is forwarded,
// consumed or dropped; docs/protocol.md has the state table whose rows the comments name.
import { ConsumedKind, Direction, EndCause, REASONS } from '../ledger/counters.js'
import { ADMITTED } from '../sessions/admission.js'
import { ADDRESS_WORDS } from '#wire/address.js'
import { TOKEN_WORDS } from '#wire/token.js'
import { classify, PacketKind } from './classify.js'
import { DropReason, tokenReasons } from '../ledger/drop-reason.js'
import type { ClientDrop } from '../ledger/observer.js'
import { NO_LOCAL } from './local-addresses.js'
import { CLIENT_KEY_WORDS, Origin } from '../tables/session-table.js'
import type { CoreState } from './core-state.js'
import { TokenState } from '../tables/token-table.js'

/** Send it on; `flow` says where to. The engine counts it as proxied or dropped when the system has answered. */
export const FORWARD = 0
/** It was for the director and ends here. */
export const CONSUMED = -1

/** FORWARD, CONSUMED, or why it was dropped. */
export type Verdict = typeof FORWARD | typeof CONSUMED | DropReason

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

export class PacketPath {
  readonly #state: CoreState
  readonly #client = new Uint32Array(CLIENT_KEY_WORDS)
  readonly #token = new Uint32Array(TOKEN_WORDS)
  #dataPort = 0
  #local = NO_LOCAL
  #now = 0

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
    if (verdict > 0) {
      counters.countDropped(Direction.toTarget, verdict as DropReason)
      if (isTokenReason[verdict] === 0 && this.#state.mayWarn(verdict as DropReason, now)) this.#state.observer.datagramDropped(this.#drop(verdict as DropReason))
    }
    this.#state.options.trace?.note(Direction.toTarget, dataPort, verdict, end - start, words, port)
    return verdict
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
    const slot = this.#state.liveSession(this.#client, this.#now)
    const refusal = slot < 0 ? this.#state.admission.refuseStranger(this.#client) : ADMITTED
    if (refusal !== ADMITTED) return refusal
    const kind = classify(bytes, start, end, options.magic, this.#token)
    if (kind === PacketKind.data) return slot < 0 ? this.#openDefault(byteCount) : this.#forward(slot, byteCount)
    if (kind === PacketKind.malformedControl) return this.#refuse(DropReason.tokenMalformed, true)
    return slot < 0 ? this.#tokenWithoutSession(kind, byteCount) : this.#tokenInSession(slot, kind, byteCount)
  }

  // Rows 1, 2, 3 and 3a.
  #tokenWithoutSession (kind: PacketKind, byteCount: number): Verdict {
    const { tokens, admission, options, counters } = this.#state
    const token = tokens.find(this.#token)
    const found = tokens.stateOf(token, this.#dataPort, this.#client, this.#now)
    // A token that is refused because of a bound stays live.
    const refusal = found === TokenState.live ? admission.refuseToken(this.#client) : ADMITTED
    if (refusal !== ADMITTED) return refusal
    const state = this.#redeem(token, found)
    if (state === TokenState.live) return this.#establish(token)
    const reason = refusals[state]
    if (kind === PacketKind.control) return this.#refuse(reason, true)
    counters.deadFirstTokens[reason]!++
    if (options.onInvalidToken === 'drop' || state === TokenState.notTheirs) return this.#refuse(reason, false)
    const verdict = this.#openDefault(byteCount)
    this.#warn(reason, false, verdict === FORWARD)
    return verdict
  }

  // Rows 4 to 8.
  #tokenInSession (slot: number, kind: PacketKind, byteCount: number): Verdict {
    const { tokens, sessions, flows, counters, admission } = this.#state
    const token = tokens.find(this.#token)
    const found = tokens.stateOf(token, this.#dataPort, this.#client, this.#now)
    const refusal = found === TokenState.live ? admission.refuseRedemption(slot, this.#client) : ADMITTED
    if (refusal !== ADMITTED) return refusal
    const state = this.#redeem(token, found)
    if (state === TokenState.live) return this.#rebind(slot, token)
    if (sessions.isOwnToken(slot, this.#token, this.#now)) {
      counters.consumed[ConsumedKind.retransmit]!++
      this.#noteLocal(flows.findInList(sessions.firstFlow(slot), this.#dataPort))
      return CONSUMED
    }
    // A token that is live for another client is forwarded to nobody, not even to this session's target.
    if (kind === PacketKind.control || state === TokenState.notTheirs) return this.#refuse(refusals[state], kind === PacketKind.control)
    return this.#forward(slot, byteCount)
  }

  // A live token is redeemed, unless another core was quicker: then it has been consumed.
  #redeem (token: number, state: TokenState): TokenState {
    return state === TokenState.live && !this.#state.tokens.consume(token, this.#dataPort) ? TokenState.consumed : state
  }

  // Rows 1 and 2.
  #establish (token: number): Verdict {
    const { tokens, targets, counters } = this.#state
    this.#state.makeRoom(this.#now)
    const slot = this.#state.createSession(this.#client, targets.get(tokens.targetOf(token)), Origin.token, this.#now)
    this.#noteRedemption(slot, token)
    counters.consumed[ConsumedKind.token]!++
    this.#state.announce(slot)
    return CONSUMED
  }

  // Rows 4 and 6. The session's own token on a further data port redeems it there and moves nothing.
  #rebind (slot: number, token: number): Verdict {
    const { tokens, targets, sessions, flows, counters } = this.#state
    const target = targets.get(tokens.targetOf(token))
    this.#state.promote(slot)
    this.#noteRedemption(slot, token)
    sessions.touch(slot, this.#now)
    const isMoved = this.#state.moveSession(slot, target, Origin.token, this.#now)
    if (!isMoved) this.#noteLocal(flows.findInList(sessions.firstFlow(slot), this.#dataPort))
    counters.consumed[isMoved ? ConsumedKind.reset : ConsumedKind.token]!++
    return CONSUMED
  }

  #noteRedemption (slot: number, token: number): void {
    const { tokens, sessions, counters, observer } = this.#state
    sessions.setToken(slot, this.#token, tokens.expiresAt(token))
    counters.redeemed[this.#dataPort]!++
    observer.tokenRedeemed(this.#token, this.#dataPort, slot)
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
