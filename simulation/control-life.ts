// One life of a control process: real registry, issuer, link, push queue and departures over a simulated RPC client and
// the simulated fleet, which stands in for the inventory.
import type { BaseLogger } from 'pino'
import { ok, err } from '#core/result.js'
import { rpcClientOver, type RpcClient } from '#rpc/client.js'
import type { GoneTarget, RpcInput, RpcName } from '#rpc/contract.js'
import type { Token } from '#wire/token.js'
import type { EventRelay } from '../apps/control/src/events/event-sink.js'
import { CALL_DEADLINE_MS, MAX_LINK_CALLS, MAX_OPERATOR_CALLS } from '../apps/control/src/proxies/call-bounds.js'
import { ProxyPeer } from '../apps/control/src/proxies/proxy-peer.js'
import { Departures } from '../apps/control/src/targets/watch/departures.js'
import { TargetLoad } from '../apps/control/src/proxies/target-load.js'
import { TokenIssuer } from '../apps/control/src/tokens/token-issuer.js'
import { TokenRegistry } from '../apps/control/src/tokens/token-registry.js'
import { NAMESPACE, RESOURCE_TYPE, type Fleet } from './fleet.js'
import { ProcessClock } from './process-clock.js'
import type { ProxyLife } from './proxy-life.js'
import { SimTransport } from './transport.js'
import { randomToken } from './random-token.js'
import type { Surroundings } from './surroundings.js'
import type { TokenBook } from './token-book.js'
import { numberOfOperation } from './trace-words.js'

const quiet: BaseLogger = {
  level: 'silent',
  msgPrefix: undefined,
  fatal: () => undefined,
  error: () => undefined,
  warn: () => undefined,
  info: () => undefined,
  debug: () => undefined,
  trace: () => undefined,
  silent: () => undefined
}

// Nobody reads.
const nowhere: EventRelay = { publish: () => undefined, lost: () => undefined, isRead: () => false, onDemand: () => () => undefined }

const MAX_SESSION_IDS = 32

export interface ControlOptions {
  readonly surroundings: Surroundings
  readonly number: number
  readonly fleet: Fleet
  readonly book: TokenBook
  readonly proxy: () => ProxyLife | undefined
  /** Default endpoint's candidates at the start. */
  readonly defaultTargets: readonly string[]
}

export class ControlLife {
  readonly number: number
  readonly link: ProxyPeer
  readonly registry: TokenRegistry
  isAlive = true
  /** Ids of sessions it has heard of, the last ones; some are over. */
  readonly sessionIds: string[] = []
  readonly #options: ControlOptions
  readonly #clock: ProcessClock
  readonly #operator: RpcClient
  readonly #transports: SimTransport[] = []
  #isReading = false
  readonly #departures: Departures

  constructor (options: ControlOptions) {
    const { surroundings, number, fleet, book, proxy } = options
    const { random, time, profile: { config: { limits } }, trace, plant } = surroundings
    this.number = number
    this.#options = options
    // Two of them may start within a millisecond, and the wall clock of one may be behind.
    const clock = this.#clock = new ProcessClock(time, random.between(0, 100_000), random.between(-50, 50))
    const registry = this.registry = new TokenRegistry(clock, plant === 'tokensOverBound' ? limits.maxTokens * 2 : limits.maxTokens)
    const client = (deadlineMs: number, maxInFlight: number): RpcClient => {
      const transport = new SimTransport({
        surroundings,
        control: number,
        calls: maxInFlight,
        proxy,
        isAlive: () => this.isAlive
      })
      this.#transports.push(transport)
      return rpcClientOver(transport, { deadlineMs, maxInFlight, clock })
    }
    this.#operator = client(CALL_DEADLINE_MS, MAX_OPERATOR_CALLS)
    const link: ProxyPeer = this.link = new ProxyPeer({
      client: client(CALL_DEADLINE_MS, MAX_LINK_CALLS),
      clock,
      random: random.next,
      log: quiet,
      registry,
      events: nowhere,
      limits,
      onSynchronised: () => {
        const life = proxy()
        void this.#readIds()
        trace.note('synchronised', time.nowMs, number, life?.number ?? 0, registry.size)
        if (life !== undefined && link.status().proxy?.instanceId === life.instanceId) book.synchronised(this, life)
        for (const key of departures.told()) departures.gone(key)
        void departures.send()
      },
      onCounts: keys => {
        for (const key of keys) if (fleet.get(key) === undefined) departures.gone(key)
        void departures.send()
      }
    })
    const load = new TargetLoad([link.counts], registry)
    const departures = this.#departures = new Departures({
      ready: async () => { await Promise.resolve() },
      leave: async (gone: GoneTarget[]) => await link.leaveTargets(gone),
      sessionsOf: key => load.sessions(key)
    })
    this.setDefaultTargets(options.defaultTargets)
    link.start()
  }

  /** A query of a client: the token of a 200, or undefined. */
  async query (): Promise<Token | undefined> {
    const { surroundings: { random, time, trace, profile: { config } }, fleet, book, number } = this.#options
    const issuedMs = time.nowMs
    const choose = () => {
      const servers = fleet.live
      return servers.length === 0 ? err({ code: 'NO_MATCHING_RESOURCE' as const, detail: 'none' }) : ok(random.pick(servers).target)
    }
    const ttlSeconds = config.tokenTtlSeconds
    const tried: Token[] = []
    const issued = await this.#issuer(tried).issue(choose, { selection: { resourceType: RESOURCE_TYPE, namespace: NAMESPACE }, ttlSeconds, via: 'query', holder: {} })
    if (!this.isAlive) return undefined
    trace.note('query', time.nowMs, number, issuedMs, issued.ok ? 1 : 0)
    const token = issued.ok ? issued.value.token : undefined
    for (const other of tried) if (other !== token) book.failed(this, other, config.limits.pushDeadlineMs)
    if (token !== undefined) book.answered(this, token, issuedMs + ttlSeconds * 1000)
    return token
  }

  /** An operator takes a token back. */
  async revoke (token: Token): Promise<void> {
    const { surroundings: { time, trace }, book, number } = this.#options
    book.takenBack(token)
    const outcome = await this.#issuer([]).revoke(token)
    if (!this.isAlive) return
    const isAcknowledged = outcome.ok || outcome.error.code === 'TOKEN_NOT_FOUND'
    trace.note('operator', time.nowMs, number, numberOfOperation.revoke, isAcknowledged ? 1 : 0)
    if (isAcknowledged) book.revoked(this, token)
  }

  /** What target-watch does when an object is gone or has been replaced. */
  targetChanged (key: string): void {
    const { fleet, book } = this.#options
    const dead = [...this.registry.unredeemed(key)].map(({ token }) => token)
    for (const token of dead) book.takenBack(token)
    if (dead.length > 0) this.#issuer([]).withdraw(dead)
    const server = fleet.get(key)
    if (server === undefined) this.#departures.gone(key)
    else this.#departures.replaced(key, server.target)
    void this.#departures.send()
  }

  setDefaultTargets (keys: readonly string[]): void {
    this.link.setDefaultTargets(keys.flatMap(key => this.#options.fleet.get(key)?.target ?? []))
  }

  /** An operator's call about sessions. */
  async ask<Name extends RpcName> (name: Name, input: RpcInput<Name>): Promise<void> {
    const { surroundings: { time, trace }, number } = this.#options
    const answer = await this.#operator.call(name, input)
    if (this.isAlive) trace.note('operator', time.nowMs, number, numberOfOperation.session, answer.ok ? 1 : 0)
  }

  /** What must hold whenever nothing is under way in this process. */
  check (): void {
    const { watch, profile: { config: { limits } } } = this.#options.surroundings
    watch.hold('boundsHold', { of: 'tokens of control', size: this.registry.size, most: limits.maxTokens })
  }

  crash (): void {
    const { surroundings: { trace, time }, number } = this.#options
    trace.note('controlCrashes', time.nowMs, number, this.registry.size)
    this.isAlive = false
    this.#clock.stop()
    for (const transport of this.#transports) transport.crash()
  }

  // It keeps nothing, so every query has its own, and it is known which tokens it has tried.
  #issuer (tried: Token[]): TokenIssuer {
    const { registry, link } = this
    const makeToken = (): Token => {
      const token = randomToken(this.#options.surroundings.random)
      tried.push(token)
      return token
    }
    return new TokenIssuer({ clock: this.#clock, events: nowhere, registry, sink: link, expect: () => undefined, maxTokensPerCaller: Infinity, metrics: { tokenIssued: () => undefined, tokenRevoked: () => undefined }, makeToken })
  }

  // Somebody looks on, and knows the ids of sessions.
  async #readIds (): Promise<void> {
    if (this.#isReading) return
    this.#isReading = true
    await this.#operator.events(event => { if (event.type === 'session') this.#keepId(event.sessionId) }, new AbortController().signal, ['session'])
    this.#isReading = false
  }

  #keepId (id: string): void {
    if (this.sessionIds.includes(id)) return
    this.sessionIds.push(id)
    if (this.sessionIds.length > MAX_SESSION_IDS) this.sessionIds.shift()
  }
}
