// What the proxy knows of tokens, sessions and targets, and the few ways a session comes, changes and goes. Who forwards for
// a session is somebody else's business. Pure: `now` comes in, no clock, no socket, no promise.
import type { Slices } from '#core/slices.js'
import { EndCause, type Counters } from '../ledger/counters.js'
import type { BindingChange, Observer } from '../ledger/observer.js'
import { Origin, SessionTable } from '../tables/session-table.js'
import { TargetTable, type HeldTarget } from '../tables/target-table.js'
import { TokenTable } from '../tables/token-table.js'
import { Admission, type AdmissionSurroundings } from './admission.js'
import { DefaultCandidates } from './default-candidates.js'
import type { SessionOptions } from './options.js'

/** Who forwards between a session's client and its target. */
export interface Forwarder {
  /** The session in `slot` leaves its target: from now on nothing that comes from there reaches its client. */
  readonly leave: (sessions: SessionTable, slot: number, now: number) => void
  /** Frees what sessions have left behind and what is not needed any more. */
  readonly sweep: (startedAt: number) => Slices<undefined>
}

/** Who knows when a session was last active: the session table does, of what the packet path has seen. */
export interface ActivitySource {
  /** In ms of the proxy's clock. `slot` has a session. */
  readonly lastSeen: (slot: number) => number
}

export interface SessionSurroundings {
  readonly observer: Observer
  readonly counters: Counters
  readonly forwarder: Forwarder
  readonly isOwnSource: AdmissionSurroundings['isOwnSource']
  /** A new secret for a table's hash. */
  readonly seed: () => number
}

export class SessionState {
  readonly options: SessionOptions
  readonly observer: Observer
  readonly counters: Counters
  readonly forwarder: Forwarder
  readonly sessions: SessionTable
  readonly tokens: TokenTable
  readonly targets: TargetTable
  readonly defaults: DefaultCandidates
  readonly admission: Admission
  /** No new session on the default endpoint; tokens and sessions go on. */
  isDraining = false
  /** Who is asked when a session was last active. An engine that forwards past the packet path knows better than the table. */
  activity: ActivitySource

  constructor (options: SessionOptions, { observer, counters, forwarder, isOwnSource, seed }: SessionSurroundings) {
    const { limits } = options
    this.options = options
    this.observer = observer
    this.counters = counters
    this.forwarder = forwarder
    this.targets = new TargetTable(limits.maxTargets)
    this.sessions = new SessionTable(limits.maxSessions, seed(), options.sessionTimeoutMs)
    this.activity = this.sessions
    this.tokens = new TokenTable(limits.maxTokens, seed(), id => { this.targets.release(id) }, options.claims)
    this.defaults = new DefaultCandidates(this.targets, options.defaultChoice, options.random)
    this.admission = new Admission(options, { sessions: this.sessions, lastSeen: slot => this.lastSeen(slot), isOwnSource, seed: seed() })
  }

  /** When the session in `slot` was last active, in ms of the proxy's clock. */
  lastSeen (slot: number): number {
    return this.activity.lastSeen(slot)
  }

  /** Whether the session in `slot` has been idle for longer than its timeout. */
  isExpired (slot: number, now: number): boolean {
    return now - this.lastSeen(slot) > this.options.sessionTimeoutMs
  }

  /** Whether there is a session in this slot that has not timed out. One that has is gone, though a sweep has yet to remove it. */
  isLive (slot: number, now: number): boolean {
    return this.sessions.isLive(slot) && !this.isExpired(slot, now)
  }

  /** The client's session, or -1. One that has timed out ends here. */
  liveSession (client: Uint32Array, now: number): number {
    const slot = this.sessions.find(client)
    if (slot < 0 || !this.isExpired(slot, now)) return slot
    this.endSession(slot, EndCause.timeout, now)
    return -1
  }

  /** A new session on `target`; -1 if the table is full. Call `announce` once it is complete. */
  createSession (client: Uint32Array, target: HeldTarget, origin: Origin, now: number): number {
    const slot = this.sessions.insert(client, now)
    if (slot < 0) return slot
    this.targets.holdId(target.id)
    this.targets.addSessions(target.key, 1)
    this.sessions.bind(slot, target.id, origin)
    if (origin === Origin.token || origin === Origin.followed) this.sessions.setRedeemed(slot)
    this.admission.enter(slot)
    return slot
  }

  /** From now on the session is one that has redeemed a token. */
  promote (slot: number): void {
    if (this.sessions.hasRedeemed(slot)) return
    this.admission.leave(slot)
    this.sessions.setRedeemed(slot)
    this.admission.enter(slot)
  }

  /** Ends a default-endpoint session if the table is full, to make room for one with a token. */
  makeRoom (now: number): void {
    const slot = this.admission.victim()
    if (slot >= 0) this.endSession(slot, this.isExpired(slot, now) ? EndCause.timeout : EndCause.evicted, now)
  }

  /** Counts a new session, and tells the observer. */
  announce (slot: number): void {
    this.counters.sessionsCreated[this.sessions.origin(slot)]!++
    this.observer.sessionChanged('established', slot)
    this.tellBinding(this.sessions.origin(slot) === Origin.followed ? 'followed' : 'established', slot)
  }

  /** Tells other replicas what became of this session, if it is theirs to know. */
  tellBinding (change: BindingChange, slot: number): void {
    if (this.options.sharing !== undefined && this.sessions.hasRedeemed(slot)) this.observer.bindingChanged(change, slot)
  }

  /**
   * Points a session at another target. From this moment replies of the former one are stale. Returns false, and
   * changes only the origin, if it is there already.
   * @param isTold another replica did it: then others know
   */
  moveSession (slot: number, target: HeldTarget, origin: Origin, now: number, isTold = false): boolean {
    const former = this.targets.get(this.sessions.target(slot))
    this.sessions.bind(slot, target.id, origin)
    if (former.id === target.id) return false
    this.targets.holdId(target.id)
    this.targets.addSessions(target.key, 1)
    this.targets.addSessions(former.key, -1)
    this.targets.release(former.id)
    this.forwarder.leave(this.sessions, slot, now)
    this.counters.sessionsReset[origin]!++
    const change = origin === Origin.token ? 'reset' : 'moved'
    this.observer.sessionChanged(change, slot)
    if (!isTold) this.tellBinding(change, slot)
    return true
  }

  endSession (slot: number, cause: EndCause, now: number): void {
    this.counters.sessionsEnded[cause]!++
    const change = cause === EndCause.timeout ? 'expired' : 'ended'
    this.observer.sessionChanged(change, slot)
    if (cause !== EndCause.elsewhere) this.tellBinding(change, slot)
    this.discardSession(slot, now)
  }

  /** Takes a session out of the tables and tells nobody: for one that was never announced. */
  discardSession (slot: number, now: number): void {
    const target = this.targets.get(this.sessions.target(slot))
    this.forwarder.leave(this.sessions, slot, now)
    this.targets.addSessions(target.key, -1)
    this.targets.release(target.id)
    this.admission.leave(slot)
    this.sessions.remove(slot)
  }
}
