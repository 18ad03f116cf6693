// One life of a control process: what the product's own wiring makes of a simulated platform. HTTP is left out: queries and
// operators' calls are made of the same features as the routes are.
import type { BaseLogger } from 'pino'
import type { Config, Selection } from '#config/schema.js'
import { seconds } from '#core/durations.js'
import { ok } from '#core/result.js'
import type { RpcBody, RpcInput, RpcName, SessionsPage } from '#rpc/contract.js'
import type { RpcTransport } from '#rpc/transport.js'
import type { Token } from '#wire/token.js'
import { requestedTarget } from '../../apps/control/src/http/routes/requested-target.js'
import { CALL_DEADLINE_MS, MAX_LINK_CALLS } from '../../apps/control/src/proxies/call-bounds.js'
import { tokenRefusal } from '../../apps/control/src/tokens/token-gate.js'
import { wireControl, type Features, type Wiring, type WiringMetrics } from '../../apps/control/src/wiring.js'
import type { Agreement } from '../checks/agreement.js'
import type { AnswerBook } from '../checks/answer-book.js'
import type { Fleet, FleetChange, GameServer } from '../cast/fleet.js'
import { InventoryView } from '../checks/inventory-view.js'
import type { Watch } from '../checks/invariants.js'
import { NAMESPACE } from '../cast/objects.js'
import type { Plant } from '../plants.js'
import { ProcessClock } from '../platform/process-clock.js'
import { isKnown, type Promiser } from '../checks/promiser.js'
import type { ProxyLife } from '../proxy-life.js'
import { randomToken } from '../cast/random-token.js'
import { SimInventory } from '../platform/sim-inventory.js'
import { SimResolver } from '../platform/sim-resolver.js'
import type { Surroundings } from '../platform/surroundings.js'
import type { TokenBook } from '../checks/token-book.js'
import { numberOfOperation } from '../checks/trace-words.js'
import { SimTransport } from '../platform/transport.js'

const nothing = (): undefined => undefined
const quiet: BaseLogger = { level: 'silent', msgPrefix: undefined, fatal: nothing, error: nothing, warn: nothing, info: nothing, debug: nothing, trace: nothing, silent: nothing }

// Lines are not kept, but the link says in one why it breaks, and nowhere else.
function attentive (watch: Watch): BaseLogger {
  const hear = (fields: { readonly code?: string }): void => {
    if (fields.code === 'BUSY') watch.hold('boundsHold', { of: 'calls of the link at once', size: MAX_LINK_CALLS + 1, most: MAX_LINK_CALLS })
  }
  return { ...quiet, warn: hear, debug: hear }
}

const uncounted: WiringMetrics = {
  linkSynchronised: nothing,
  batchPushed: nothing,
  requestRefused: nothing,
  tokenIssued: nothing,
  tokenRevoked: nothing,
  inventory: { listed: nothing, relisting: nothing, watchEnded: nothing, corrupted: nothing, eventTaken: nothing }
}

const MAX_SESSION_IDS = 32

/** What a process may take to act on what is over: a turn or two. */
const ACTS_WITHIN_MS = 10

/** Whoever asks: one caller, as behind a matchmaker. */
const CALLER = 'players'

export interface ControlOptions {
  readonly surroundings: Surroundings
  readonly number: number
  readonly fleet: Fleet
  readonly tokens: TokenBook
  readonly answers: AnswerBook
  readonly agreement: Agreement
  readonly proxy: () => ProxyLife | undefined
}

export class ControlLife implements Promiser {
  readonly number: number
  readonly view: InventoryView
  readonly inventory: SimInventory
  isAlive = true
  /** When it last came into step with a proxy. */
  synchronisedMs = 0
  /** Ids of sessions an operator has seen, the last ones; some are over. */
  readonly sessionIds: string[] = []
  readonly #options: ControlOptions
  readonly #clock: ProcessClock
  readonly #transports: SimTransport[] = []
  #wiring: Wiring | undefined
  #drainsSinceMs: number | undefined
  #hasDrained = false
  #isDrainAnswered = false

  constructor (options: ControlOptions) {
    const { surroundings: { random, time, profile, plant }, number, fleet, answers } = options
    this.number = number
    this.#options = options
    // Two of them may start within a millisecond, and the wall clock of one may be behind.
    this.#clock = new ProcessClock(time, random.between(0, 100_000), random.between(-50, 50))
    this.view = new InventoryView(time)
    this.inventory = new SimInventory({
      surroundings: options.surroundings,
      clock: this.#clock,
      config: profile.config,
      fleet,
      view: this.view,
      onChanged: key => { answers.changed(this, key) },
      onTold: keys => {
        this.view.told(keys)
        answers.told(this, keys)
      },
      isAlive: () => this.isAlive
    })
    void this.#start(plantedConfig(profile.config, plant))
  }

  async #start (config: Config): Promise<void> {
    const { surroundings, tokens, answers, fleet } = this.#options
    const { random, watch } = surroundings
    const wired = await wireControl({
      clock: this.#clock,
      random: random.next,
      makeToken: () => {
        const token = randomToken(random)
        tokens.made(this, token)
        return token
      },
      openInventory: async () => await Promise.resolve(ok(this.inventory)),
      openResolver: () => new SimResolver({ surroundings, fleet, view: this.view, onChanged: key => { answers.changed(this, key) }, isAlive: () => this.isAlive }),
      openTransport: calls => this.#transport(calls),
      networkInterfaces: () => ({})
    }, { config, metrics: { ...uncounted, linkSynchronised: () => { this.#synchronised() } }, log: attentive(watch) })
    if (!wired.ok) throw new Error(wired.error)
    this.#wiring = wired.value
    wired.value.features.link.start()
  }

  #transport (calls: number): RpcTransport {
    const { surroundings, number, proxy, agreement } = this.#options
    const { time, watch, plant } = surroundings
    const transport = new SimTransport({ surroundings, control: number, calls, proxy, isAlive: () => this.isAlive })
    this.#transports.push(transport)
    const { call, openLines, openEvents, close } = transport
    return {
      openLines,
      openEvents,
      close,
      call: async (name, parts, signal) => {
        const askedMs = time.nowMs
        signal.addEventListener('abort', () => { watch.hold('boundsHold', { of: 'ms before its deadline that a call was given up', size: askedMs + CALL_DEADLINE_MS - time.nowMs, most: 0 }) })
        const life = proxy()
        if (name === 'leaveTargets' && life !== undefined) {
          agreement.leaving(this, (parts.body as RpcBody<'leaveTargets'>).gone.map(({ key }) => key), life)
          if (plant === 'goneUntold') return { status: 200, text: JSON.stringify({ instanceId: life.instanceId, sessions: {} }) }
        }
        const answer = await call(name, parts, signal)
        this.#isDrainAnswered ||= name === 'drain' && answer.status === 200
        return answer
      }
    }
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
    const { surroundings: { time, trace, watch, plant, profile: { config: { tokenTtlSeconds, limits: { maxTokensPerCaller } } } }, answers, number } = this.#options
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
      answers.answered(this, { token, target, selection, untilMs: askedMs + ttlSeconds * 1000 })
      return token
    }
    if (issued.error.code === 'TOO_MANY_TOKENS') watch.hold('answersMatch', held >= maxTokensPerCaller, CALLER, `holds ${held} tokens and may have no more`)
    return undefined
  }

  /** An operator takes a token back. */
  async revoke (token: Token): Promise<void> {
    const { surroundings: { time, trace }, tokens, number } = this.#options
    tokens.takenBack(token)
    const outcome = await this.#features.issuer.revoke(token)
    if (!this.isAlive) return
    const isAcknowledged = outcome.ok || outcome.error.code === 'TOKEN_NOT_FOUND'
    trace.note('operator', time.nowMs, number, numberOfOperation.revoke, isAcknowledged ? 1 : 0)
    if (isAcknowledged) tokens.revoked(this, token)
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
    if (!this.#isDrainAnswered && proxy !== undefined && state !== 'superseded' && this.#features.load.total > 0) {
      watch.hold('drainHolds', time.nowMs >= untilMs, `control ${number} gives up ${this.#features.load.total} sessions`)
    }
    await this.#wiring?.close()
    this.#end()
  }

  /** The fleet has changed. */
  hear (changes: readonly FleetChange[]): void {
    for (const change of changes) this.inventory.hear(change)
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

  crash (): void {
    const { surroundings: { trace, time }, number } = this.#options
    trace.note('controlCrashes', time.nowMs, number, this.registry.size)
    this.#end()
  }

  #end (): void {
    this.isAlive = false
    this.#clock.stop()
    for (const transport of this.#transports) transport.crash()
  }

  #keepId (id: string): void {
    if (this.sessionIds.includes(id)) return
    this.sessionIds.push(id)
    if (this.sessionIds.length > MAX_SESSION_IDS) this.sessionIds.shift()
  }
}

function plantedConfig (config: Config, plant: Plant | undefined): Config {
  const { limits } = config
  if (plant === 'tokensOverBound') return { ...config, limits: { ...limits, maxTokens: limits.maxTokens * 2 } }
  if (plant === 'drainsTooLong') return { ...config, drainTimeoutSeconds: config.drainTimeoutSeconds * 2 + 10 }
  if (plant === 'defaultElsewhere' && config.defaultEndpoint !== undefined) return { ...config, defaultEndpoint: { ...config.defaultEndpoint, labelSelector: { pool: 'match' } } }
  return config
}
