// Everything the proxy knows: sessions, and the flows by which their datagrams go. The packet path and the operations of
// control both work on this one state.
import type { Slices } from '#core/slices.js'
import { Asking } from '../asks/asking.js'
import { TokenMarks } from '../asks/token-marks.js'
import { Budget } from '../ledger/budget.js'
import { Counters, REASONS } from '../ledger/counters.js'
import type { DropReason } from '../ledger/drop-reason.js'
import type { Observer } from '../ledger/observer.js'
import { SessionState, type Forwarder } from '../sessions/session-state.js'
import type { SessionTable } from '../tables/session-table.js'
import { defaultSlice } from '../tables/slice-size.js'
import { FlowTable } from './flow-table.js'
import { LocalAddresses } from './local-addresses.js'
import type { CoreOptions } from './options.js'
import { OwnSources } from './own-sources.js'
import { UpstreamPorts } from './upstream-ports.js'

export class CoreState extends SessionState {
  declare readonly options: CoreOptions
  readonly flows: FlowTable
  readonly upstreamPorts: UpstreamPorts
  readonly locals: LocalAddresses
  readonly ownSources: OwnSources
  /** Which tokens can be ours. */
  readonly marks = new TokenMarks()
  /** Who waits for the shared store. */
  readonly asking: Asking
  readonly #warnings: readonly Budget[]

  constructor (options: CoreOptions, observer: Observer) {
    const { limits, dataPorts, ownAddresses = [] } = options
    const seed = (): number => Math.floor(options.random() * 0x1_0000_0000)
    const secret = seed()
    const flows = new FlowTable({
      // Every session on every data port, and as many again that linger after a reset or an end.
      capacity: limits.maxSessions * dataPorts * 2,
      maxEndpoints: limits.maxTargets * dataPorts * 2,
      maxSockets: limits.maxUpstreamSockets,
      lingerMs: limits.upstreamLingerMs,
      seed: secret
    })
    const upstreamPorts = new UpstreamPorts(limits.maxUpstreamSockets)
    const locals = new LocalAddresses(secret)
    const ownSources = new OwnSources(ownAddresses, upstreamPorts, locals)
    const forwarder = new FlowForwarder(flows, locals, (options.slice ?? defaultSlice).changes)
    super(options, { observer, counters: new Counters(dataPorts), forwarder, isOwnSource: client => ownSources.has(client), seed })
    this.flows = flows
    this.upstreamPorts = upstreamPorts
    this.locals = locals
    this.ownSources = ownSources
    this.asking = new Asking(options, observer, seed)
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
}

/** Forwards by flows: a session knows the first of its own. */
class FlowForwarder implements Forwarder {
  readonly #flows: FlowTable
  readonly #locals: LocalAddresses
  readonly #looks: number

  /** @param looks at lingering flows in a slice of a sweep */
  constructor (flows: FlowTable, locals: LocalAddresses, looks: number) {
    this.#flows = flows
    this.#locals = locals
    this.#looks = looks
  }

  leave (sessions: SessionTable, slot: number, now: number): void {
    this.#flows.detachList(sessions.firstFlow(slot), now)
    sessions.setFirstFlow(slot, -1)
  }

  * sweep (startedAt: number): Slices<undefined> {
    const flows = this.#flows
    let now = startedAt
    for (let at = flows.sweep(0, this.#looks, now); at < flows.lingering; at = flows.sweep(at, this.#looks, now)) now = yield
    this.#locals.forgetUnused(local => flows.usesOfLocal(local))
    return undefined
  }
}
