// One life of a control process: what the product's own wiring makes of a simulated platform. HTTP is left out: queries and
// operators' calls are made of the same features as the routes are.
import type { Selection } from '#config/schema.js'
import { seconds } from '#core/durations.js'
import type { RpcInput, RpcName, SessionsPage } from '#rpc/contract.js'
import type { Token } from '#wire/token.js'
import { requestedTarget } from '../../apps/control/src/http/routes/requested-target.js'
import { CALL_DEADLINE_MS } from '../../apps/control/src/proxies/call-bounds.js'
import { tokenRefusal } from '../../apps/control/src/tokens/token-gate.js'
import { wireControl, type Features, type Wiring } from '../../apps/control/src/wiring.js'
import type { FleetChange, GameServer } from '../cast/fleet.js'
import { NAMESPACE } from '../cast/objects.js'
import { AskBook } from '../checks/ask-book.js'
import { InventoryView } from '../checks/inventory-view.js'
import { isInStep, isKnown, type Promiser } from '../checks/promiser.js'
import { numberOfOperation } from '../checks/trace-words.js'
import { SimControlPlatform, type ControlSurroundings } from '../platform/control-platform.js'
import { wiringOptions } from '../platform/wiring-options.js'

const MAX_SESSION_IDS = 32

/** What a process may take to act on what is over: a turn or two. */
const ACTS_WITHIN_MS = 10

/** Whoever asks: one caller, as behind a matchmaker. */
const CALLER = 'players'

export interface ControlOptions extends Omit<ControlSurroundings, 'asks'> {
  readonly number: number
}

export class ControlLife implements Promiser {
  readonly number: number
  readonly view: InventoryView
  isAlive = true
  synchronisedMs = 0
  /** Ids of sessions an operator has seen, the last ones; some are over. */
  readonly sessionIds: string[] = []
  readonly #options: ControlOptions
  readonly #asks: AskBook
  readonly #platform: SimControlPlatform
  #wiring: Wiring | undefined
  #drainsSinceMs: number | undefined
  #hasDrained = false

  constructor (options: ControlOptions) {
    this.number = options.number
    this.#options = options
    this.view = new InventoryView(options.surroundings.time)
    const { time, watch, profile: { mostCallDelayMs, mostShardDelayMs, config: { limits: { storeDeadlineMs } } } } = options.surroundings
    // Answers go together: those before it may be on their way to the proxy, and what it says to them on its way back.
    this.#asks = new AskBook(time, watch, storeDeadlineMs + 2 * (mostCallDelayMs + mostShardDelayMs) + ACTS_WITHIN_MS)
    this.#platform = new SimControlPlatform({ ...options, asks: this.#asks }, this)
    void this.#start()
  }

  async #start (): Promise<void> {
    const wired = await wireControl(this.#platform, wiringOptions(this.#options.surroundings, () => { this.#synchronised() }))
    if (!wired.ok) throw new Error(wired.error)
    this.#wiring = wired.value
    wired.value.features.link.start()
  }

  #synchronised (): void {
    const { surroundings: { time, trace }, number, proxy, tokens } = this.#options
    const life = proxy()
    this.synchronisedMs = time.nowMs
    trace.note('synchronised', time.nowMs, number, life?.number ?? 0, this.registry.size)
    if (life !== undefined && isKnown(this, life)) tokens.synchronised(this, life)
  }

  get #features (): Features {
    if (this.#wiring === undefined) throw new Error('a control process is asked before it has started')
    return this.#wiring.features
  }

  /** Whether its inventory is open, and everything made. */
  get hasStarted (): boolean { return this.#wiring !== undefined }

  get link (): Features['link'] { return this.#features.link }

  get registry (): Features['registry'] { return this.#features.registry }

  get load (): Features['load'] { return this.#features.load }

  get isDraining (): boolean { return this.#drainsSinceMs !== undefined }

  /** A query of a client: the token of a 200, or undefined. */
  async query (selection: Selection): Promise<Token | undefined> {
    const { surroundings: { time, trace, watch, plant, shared, profile: { config: { tokenTtlSeconds, limits: { maxTokensPerCaller } } } }, answers, number, director } = this.#options
    const { chooser, issuer } = this.#features
    const askedMs = time.nowMs
    const wasDraining = this.isDraining
    if (plant !== 'drainIssues' && tokenRefusal(this.#features) !== undefined) return undefined
    let held = 0
    const choose = (): ReturnType<typeof chooser.choose> => {
      const chosen = chooser.choose(selection, CALLER)
      held = this.registry.held(CALLER)
      if (!(chosen instanceof Promise)) answers.chosen(this, selection, chosen)
      return chosen
    }
    const issued = await issuer.issue(choose, { selection, ttlSeconds: tokenTtlSeconds, via: 'query', holder: { caller: CALLER } })
    if (!this.isAlive) return undefined
    trace.note('query', time.nowMs, number, askedMs, issued.ok ? 1 : 0)
    if (issued.ok) {
      const { token, target, ttlSeconds } = issued.value
      watch.hold('drainHolds', !wasDraining, `a query of control ${number} got token ${token}`)
      watch.hold('boundsHold', { of: 'tokens of a caller', size: held + 1, most: maxTokensPerCaller })
      const untilMs = askedMs + ttlSeconds * 1000
      shared?.answered(token, { control: this, director, target, untilMs })
      answers.answered(this, { token, target, selection, untilMs })
      return token
    }
    if (issued.error.code === 'TOO_MANY_TOKENS') watch.hold('answersMatch', held >= maxTokensPerCaller, CALLER, `holds ${held} tokens and may have no more`)
    return undefined
  }

  /** An operator takes a token back. */
  async revoke (token: Token): Promise<void> {
    const { surroundings: { time, trace, shared }, tokens, number } = this.#options
    tokens.takenBack(token)
    const outcome = await this.#features.issuer.revoke(token)
    if (!this.isAlive) return
    const isAcknowledged = outcome.ok || outcome.error.code === 'TOKEN_NOT_FOUND'
    trace.note('operator', time.nowMs, number, numberOfOperation.revoke, isAcknowledged ? 1 : 0)
    if (!isAcknowledged) return
    tokens.revoked(this, token)
    shared?.revoked(token)
  }

  /** An operator's call about sessions. */
  async ask<Name extends RpcName> (name: Name, input: RpcInput<Name>): Promise<void> {
    const { surroundings: { time, trace }, number } = this.#options
    const answer = await this.#features.proxy.call(name, input)
    if (!this.isAlive) return
    trace.note('operator', time.nowMs, number, numberOfOperation.session, answer.ok ? 1 : 0)
    if (answer.ok && name === 'listSessions') for (const { id } of (answer.value as SessionsPage).sessions) this.#keepId(id)
  }

  /** An operator moves a session to a server, by its name. */
  async move (id: string, { resourceType, name }: GameServer): Promise<void> {
    const target = requestedTarget({ resourceType, namespace: NAMESPACE, name }, this.#features)
    if (target.ok) await this.ask('moveSession', { params: { id }, body: { target: target.value } })
  }

  /** It is asked to stop: it drains, then closes. */
  async stop (): Promise<void> {
    const { surroundings: { time, trace, watch, profile: { config } }, number } = this.#options
    this.#drainsSinceMs = time.nowMs
    const untilMs = time.nowMs + seconds(config.drainTimeoutSeconds)
    trace.note('controlDrains', time.nowMs, number, this.registry.size)
    await this.#features.drain.run()
    this.#hasDrained = true
    // With a proxy that has said nothing of the drain, what this process knows of counts.
    const { state, proxy } = this.link.status()
    if (!this.#platform.isDrainAnswered && proxy !== undefined && state !== 'superseded' && this.#features.load.total > 0) {
      watch.hold('drainHolds', time.nowMs >= untilMs, `control ${number} gives up ${this.#features.load.total} sessions`)
    }
    await this.#wiring?.close()
    this.#end()
  }

  /** The fleet has changed. */
  hear (changes: readonly FleetChange[]): void {
    for (const change of changes) this.#platform.inventory.hear(change)
  }

  /** Its inventory loses what was on its way, and reads all objects of a type anew. */
  relist (): void {
    this.#platform.inventory.relist()
  }

  /** What must hold whenever nothing is under way in this process. */
  check (): void {
    const { watch, time, profile: { config: { limits, drainTimeoutSeconds } } } = this.#options.surroundings
    if (!this.hasStarted) return
    watch.hold('boundsHold', { of: 'tokens of control', size: this.registry.size, most: limits.maxTokens })
    for (const { table, entries, capacity } of this.#features.tables.readings()) watch.hold('boundsHold', { of: table, size: entries, most: capacity })
    if (this.#drainsSinceMs === undefined || this.#hasDrained) return
    const lateMs = time.nowMs - this.#drainsSinceMs - seconds(drainTimeoutSeconds) - CALL_DEADLINE_MS
    watch.hold('drainHolds', lateMs <= ACTS_WITHIN_MS, `control ${this.number} waits for ${lateMs} ms more than it may`)
  }

  /** Whether it has answered what it was asked. */
  scan (): void {
    const { surroundings: { time }, proxy } = this.#options
    const life = proxy()
    if (this.hasStarted && life !== undefined) this.#asks.scan(life, isInStep(this, life) ? this.synchronisedMs : time.nowMs)
  }

  crash (): void {
    const { surroundings: { trace, time }, number } = this.#options
    trace.note('controlCrashes', time.nowMs, number, this.hasStarted ? this.registry.size : 0)
    this.#end()
  }

  #end (): void {
    this.isAlive = false
    this.#platform.stop()
  }

  #keepId (id: string): void {
    if (this.sessionIds.includes(id)) return
    this.sessionIds.push(id)
    if (this.sessionIds.length > MAX_SESSION_IDS) this.sessionIds.shift()
  }
}
