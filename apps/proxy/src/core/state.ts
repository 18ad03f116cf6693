// Everything the proxy knows, and the few ways a session comes, changes and goes. The packet path and the operations
// of control both work on this one state. Pure: bytes and `now` come in, no clock, no socket, no promise.
import { Admission } from './admission.js'
import { Budget } from './budget.js'
import { Counters, EndCause, REASONS } from './counters.js'
import { DefaultEndpoint } from './default-endpoint.js'
import type { DropReason } from './drop-reason.js'
import { FlowTable } from './flow-table.js'
import { LocalAddresses } from './local-addresses.js'
import type { Observer } from './observer.js'
import type { CoreOptions } from './options.js'
import { Origin, SessionTable } from './session-table.js'
import { TargetTable, type Target } from './target-table.js'
import { TokenTable } from './token-table.js'
import { UpstreamPorts } from './upstream-ports.js'

export class CoreState {
  readonly options: CoreOptions
  readonly observer: Observer
  readonly sessions: SessionTable
  readonly tokens: TokenTable
  readonly targets: TargetTable
  readonly flows: FlowTable
  readonly defaults: DefaultEndpoint
  readonly counters: Counters
  readonly upstreamPorts: UpstreamPorts
  readonly locals: LocalAddresses
  readonly admission: Admission
  /** No new session on the default endpoint; tokens and sessions go on. */
  isDraining = false
  readonly #warnings: readonly Budget[]

  constructor (options: CoreOptions, observer: Observer) {
    const { limits, dataPorts } = options
    const seed = (): number => Math.floor(options.random() * 0x1_0000_0000)
    this.options = options
    this.observer = observer
    this.targets = new TargetTable(limits.maxTargets)
    const secret = seed()
    this.sessions = new SessionTable(limits.maxSessions, secret, options.sessionTimeoutMs)
    this.tokens = new TokenTable(limits.maxTokens, seed(), id => { this.targets.release(id) }, options.claims)
    this.flows = new FlowTable({
      // Every session on every data port, and as many again that linger after a reset or an end.
      capacity: limits.maxSessions * dataPorts * 2,
      maxEndpoints: limits.maxTargets * dataPorts * 2,
      maxSockets: limits.maxUpstreamSockets,
      lingerMs: limits.upstreamLingerMs,
      seed: seed()
    })
    this.defaults = new DefaultEndpoint(this.targets, options.defaultChoice, options.random)
    this.counters = new Counters(dataPorts)
    this.upstreamPorts = new UpstreamPorts(limits.maxUpstreamSockets)
    this.locals = new LocalAddresses(secret)
    this.admission = new Admission(options, this.sessions, this.upstreamPorts, seed(), this.locals)
    this.#warnings = Array.from({ length: REASONS }, () => new Budget(limits.warningsPerSecond))
  }

  /** Whether one more warning for this reason may be given now. */
  mayWarn (reason: DropReason, now: number): boolean {
    return this.#warnings[reason]!.allows(now)
  }

  /** Warnings for this reason that were not given since this was last asked. */
  takeUnwarned (reason: DropReason): number {
    return this.#warnings[reason]!.takeLeftOut()
  }

  get warningsSuppressed (): number {
    return this.#warnings.reduce((sum, budget) => sum + budget.suppressed, 0)
  }

  isExpired (slot: number, now: number): boolean {
    return now - this.sessions.lastSeen(slot) > this.options.sessionTimeoutMs
  }

  /** Whether there is a session in this slot that is not idle too long: what is swept later is not there any more. */
  isLive (slot: number, now: number): boolean {
    return this.sessions.isLive(slot) && !this.isExpired(slot, now)
  }

  /** The client's session, or -1. One that has been idle too long ends here and is not used any more. */
  liveSession (client: Uint32Array, now: number): number {
    const slot = this.sessions.find(client)
    if (slot < 0 || !this.isExpired(slot, now)) return slot
    this.endSession(slot, EndCause.timeout, now)
    return -1
  }

  /** A new session on `target`; -1 if the table is full. Call `announce` once it is complete. */
  createSession (client: Uint32Array, target: Target, origin: Origin, now: number): number {
    const slot = this.sessions.insert(client, now)
    if (slot < 0) return slot
    this.targets.holdId(target.id)
    this.targets.addSessions(target.key, 1)
    this.sessions.bind(slot, target.id, origin)
    if (origin === Origin.token) this.sessions.setRedeemed(slot)
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

  /** Ends a default-endpoint session if the table is full: one with a token is to come. */
  makeRoom (now: number): void {
    const slot = this.admission.victim()
    if (slot >= 0) this.endSession(slot, this.isExpired(slot, now) ? EndCause.timeout : EndCause.evicted, now)
  }

  announce (slot: number): void {
    this.counters.sessionsCreated[this.sessions.origin(slot)]!++
    this.observer.sessionChanged('established', slot)
  }

  /**
   * Points a session at another target. From this moment replies of the former one are stale. Returns false, and
   * changes only the origin, if it is there already.
   */
  moveSession (slot: number, target: Target, origin: Origin, now: number): boolean {
    const former = this.targets.get(this.sessions.target(slot))
    this.sessions.bind(slot, target.id, origin)
    if (former.id === target.id) return false
    this.targets.holdId(target.id)
    this.targets.addSessions(target.key, 1)
    this.targets.addSessions(former.key, -1)
    this.targets.release(former.id)
    this.#leaveFlows(slot, now)
    this.counters.sessionsReset[origin]!++
    this.observer.sessionChanged(origin === Origin.token ? 'reset' : 'moved', slot)
    return true
  }

  endSession (slot: number, cause: EndCause, now: number): void {
    this.counters.sessionsEnded[cause]!++
    this.observer.sessionChanged(cause === EndCause.timeout ? 'expired' : 'ended', slot)
    this.discardSession(slot, now)
  }

  /** Takes a session out of the tables without a word: one that was never announced. */
  discardSession (slot: number, now: number): void {
    const target = this.targets.get(this.sessions.target(slot))
    this.#leaveFlows(slot, now)
    this.targets.addSessions(target.key, -1)
    this.targets.release(target.id)
    this.admission.leave(slot)
    this.sessions.remove(slot)
  }

  #leaveFlows (slot: number, now: number): void {
    this.flows.detachList(this.sessions.firstFlow(slot), now)
    this.sessions.setFirstFlow(slot, -1)
  }
}
