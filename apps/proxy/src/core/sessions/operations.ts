// What control may ask of the core: grant tokens and make them void, name the default endpoint's candidates and the
// targets that are gone, look at sessions, move and end them; and the periodic sweep.
import type { DrainLeft } from '#core/drain.js'
import type { Slices } from '#core/slices.js'
import { formatAddress, formatEndpoint } from '#wire/address.js'
import { TOKEN_WORDS, writeTokenWords, type Token } from '#wire/token.js'
import { EndCause } from '../ledger/counters.js'
import { bindingOf, bindingsOf, tellElsewhere, type BindingsPage, type BindingsQuery, type BindingView, type Elsewhere } from './elsewhere.js'
import { leaveGoneTargets, type GoneKey } from './gone-targets.js'
import { Origin, originNames, type SessionTraffic } from '../tables/session-table.js'
import { defaultSlice, SliceWork, type SliceSize } from '../tables/slice-size.js'
import type { SessionState } from './session-state.js'
import type { HeldTarget, TargetFault, TargetSpec } from '../tables/target-table.js'

export type GrantFault = TargetFault | 'TOKEN_TABLE_FULL'

export interface Grant {
  readonly token: Token
  readonly target: TargetSpec
  readonly ttlMs: number
  /** Bit i is set if it has been redeemed on data port i already. */
  readonly consumed: number
  /** With shared claims, the number of the token's word. */
  readonly claim?: number | undefined
  /** Address words of the only client that may redeem it; default: anyone. */
  readonly client?: Uint32Array | undefined
}

/** A session as people see it. */
export interface SessionView extends SessionTraffic {
  readonly id: string
  readonly client: string
  readonly target: HeldTarget
  readonly origin: typeof originNames[number]
  readonly ageMs: number
  readonly idleMs: number
}

export class Operations {
  readonly #state: SessionState
  readonly #slice: SliceSize
  readonly #token = new Uint32Array(TOKEN_WORDS)
  // Of the default endpoint: those that have come so far, each of them held.
  #candidates: HeldTarget[] = []

  constructor (state: SessionState) {
    this.#state = state
    this.#slice = state.options.slice ?? defaultSlice
  }

  /** Makes a token redeemable, at once. Undefined is success. */
  grant (grant: Grant, now: number): GrantFault | undefined {
    const { targets, tokens } = this.#state
    const target = targets.hold(grant.target)
    if (typeof target === 'string') return target
    writeTokenWords(grant.token, this.#token)
    if (tokens.add(this.#token, target.id, grant.consumed, now + grant.ttlMs, now, grant.claim, grant.client)) return undefined
    targets.release(target.id)
    return 'TOKEN_TABLE_FULL'
  }

  /** Makes a token void, at once; an unknown one is left alone. */
  revoke (token: Token): void {
    writeTokenWords(token, this.#token)
    this.#state.tokens.revoke(this.#token)
  }

  /** Makes a token void because its target is gone; that is remembered until its TTL ends, if there is room for it. */
  withdraw (token: Token): void {
    writeTokenWords(token, this.#token)
    this.#state.tokens.withdraw(this.#token)
  }

  /** Remembers for so long that a token is void because its target is gone: a former life knew it. */
  rememberWithdrawn (token: Token, holdMs: number, now: number): void {
    writeTokenWords(token, this.#token)
    this.#state.tokens.remember(this.#token, now + holdMs)
  }

  /** These targets are gone; see `leaveGoneTargets`. */
  leaveTargets (gone: readonly GoneKey[], now: number): Slices<ReadonlyMap<string, number>> {
    return leaveGoneTargets(this.#state, gone, now)
  }

  /**
   * Replaces the default endpoint's candidates, best first. With `more` they are kept until the rest of them comes in
   * another call. Returns why some were left out, by key. Call `forgetCandidates` afterwards.
   */
  setDefaultTargets (specs: readonly TargetSpec[], more = false): ReadonlyMap<string, TargetFault> {
    const faults = new Map<string, TargetFault>()
    for (const spec of specs) {
      const target = this.#state.targets.hold(spec)
      if (typeof target === 'string') faults.set(spec.key, target)
      else this.#candidates.push(target)
    }
    if (more) return faults
    this.#state.defaults.replace(this.#candidates)
    this.#candidates = []
    return faults
  }

  /** Lets go of the candidates that were replaced. */
  * forgetCandidates (): Slices<undefined> {
    const { changes } = this.#slice
    while (this.#state.defaults.forget(changes) === changes) yield
    return undefined
  }

  /** While draining, no new session is made on the default endpoint. */
  setDraining (isDraining: boolean): void {
    this.#state.isDraining = isDraining
  }

  /**
   * What a drain waits for. Tokens are counted first, so that one that is redeemed meanwhile counts once or twice, but is
   * never missed. A session that has timed out does not count, whether it was swept or not.
   */
  * left (startedAt: number): Slices<DrainLeft> {
    const { sessions, tokens } = this.#state
    const work = new SliceWork(this.#slice)
    const left = { sessions: 0, unredeemedTokens: 0 }
    let now = startedAt
    for (let slot = 0; slot < tokens.highWater; slot++) {
      if (tokens.isUnredeemed(slot, now)) left.unredeemedTokens++
      work.look()
      if (work.isOver()) now = yield
    }
    for (let slot = 0; slot < sessions.highWater; slot++) {
      if (this.#state.isLive(slot, now)) left.sessions++
      work.look()
      if (work.isOver()) now = yield
    }
    return left
  }

  /** Ends sessions that have timed out, forgets old tokens, frees what sessions have left. Its value is how many sessions ended. */
  * sweep (startedAt: number): Slices<number> {
    const { sessions, tokens, forwarder } = this.#state
    const { changes } = this.#slice
    const work = new SliceWork(this.#slice)
    let now = startedAt
    let ended = 0
    for (let slot = 0; slot < sessions.highWater; slot++) {
      if (sessions.isLive(slot) && this.#state.isExpired(slot, now)) {
        this.#state.endSession(slot, EndCause.timeout, now)
        ended++
        work.change()
      }
      work.look()
      if (work.isOver()) now = yield
    }
    while (tokens.sweep(now, changes) === changes) now = yield
    yield * forwarder.sweep(now)
    return ended
  }

  /** The slot of the session with this id, or -1 if it is gone. */
  slotOf (id: string, now: number): number {
    const prefix = this.#state.options.sessionIdPrefix ?? ''
    if (!id.startsWith(prefix)) return -1
    const match = /^([0-9a-z]{1,7})-([0-9a-z]{1,7})$/.exec(id.slice(prefix.length))
    if (match === null) return -1
    const slot = Number.parseInt(match[1]!, 36)
    const { sessions } = this.#state
    const isThere = slot < sessions.highWater &&
      this.#state.isLive(slot, now) && sessions.serial(slot) === Number.parseInt(match[2]!, 36)
    return isThere ? slot : -1
  }

  endSession (slot: number, now: number): void {
    this.#state.endSession(slot, EndCause.operator, now)
  }

  /** Moves a live session because an operator said so. Undefined is success. */
  moveSession (slot: number, spec: TargetSpec, now: number): TargetFault | undefined {
    const { targets } = this.#state
    const target = targets.hold(spec)
    if (typeof target === 'string') return target
    this.#state.moveSession(slot, target, Origin.operator, now)
    targets.release(target.id)
    return undefined
  }

  /** Does what other replicas told of clients that have a session here, too. Returns how many have one. */
  tellElsewhere (items: readonly Elsewhere[], now: number): number {
    return tellElsewhere(this.#state, items, now)
  }

  /** A page of the sessions that have redeemed a token, by slot; see `bindingsOf`. */
  bindings (query: BindingsQuery, now: number): BindingsPage {
    return bindingsOf(this.#state, query, now)
  }

  /** The session in `slot` as other replicas know it. */
  bindingOf (slot: number, now: number): BindingView {
    return bindingOf(this.#state, slot, now)
  }

  viewOf (slot: number, now: number): SessionView {
    const { sessions, targets } = this.#state
    return {
      id: this.idOf(slot),
      client: this.clientOf(slot),
      target: targets.get(sessions.target(slot)),
      origin: originNames[sessions.origin(slot)],
      ageMs: Math.round(now - sessions.createdAt(slot)),
      idleMs: Math.round(now - this.#state.lastSeen(slot)),
      ...sessions.traffic(slot)
    }
  }

  /** Opaque to others: the slot, and the serial that tells its successive tenants apart. */
  idOf (slot: number): string {
    const { sessionIdPrefix = '' } = this.#state.options
    return `${sessionIdPrefix}${slot.toString(36)}-${this.#state.sessions.serial(slot).toString(36)}`
  }

  clientOf (slot: number): string {
    const { sessions } = this.#state
    return formatEndpoint(formatAddress(sessions.clientWords(slot)), sessions.clientPort(slot))
  }

  targetOf (slot: number): HeldTarget {
    return this.#state.targets.get(this.#state.sessions.target(slot))
  }
}
