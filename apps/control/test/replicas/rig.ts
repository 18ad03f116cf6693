// Directors on one twin of the store, without HTTP and without proxies: what their proxies would be told is written down, and what they
// would ask is asked by the test. One clock, which the test moves.
import { randomBytes, randomUUID } from 'node:crypto'
import { setImmediate as nextTurn } from 'node:timers/promises'
import pino from 'pino'
import type { Test } from 'tap'
import { markedToken } from '#wire/token-mac.js'
import type { Token } from '#wire/token.js'
import { err, ok } from '#core/result.js'
import type { Target, TokenGrant } from '#rpc/contract.js'
import type { Answer, Binding } from '#rpc/replica-schemas.js'
import { configFrom } from '#testkit/config-from.js'
import { createFakeClock, type FakeClock } from '#testkit/fake-clock.js'
import { until } from '#testkit/patience.js'
import { StoreTwin } from '#testkit/store/store-twin.js'
import { EventsHub } from '../../src/events/events-hub.js'
import type { HubEvent } from '../../src/events/hub-kinds.js'
import { SessionCounts } from '../../src/proxies/session-counts.js'
import { Replicas } from '../../src/replicas/replicas.js'
import { holdStore } from '../../src/replicas/store-holder.js'
import { createTargetPolicy } from '../../src/targets/target-policy.js'
import { TokenIssuer } from '../../src/tokens/token-issuer.js'
import { TokenKeys } from '../../src/tokens/token-keys.js'
import { TokenRegistry } from '../../src/tokens/token-registry.js'
import type { PushFailure } from '../../src/tokens/token-sink.js'

export const target: Target = { key: 'gameserver/games/a', address: '10.0.0.1', ports: { default: 7000, voice: 7001 } }

export interface RigOptions {
  /** YAML of `sharedState`, besides `urls`. */
  readonly shared?: string
  readonly limits?: string
}

export class ReplicaRig {
  /** Timers that have run. */
  #ran = 0
  readonly clock: FakeClock = this.#counted(createFakeClock(1000))
  readonly twin = new StoreTwin({ clock: this.clock, random: () => 0 })
  readonly #options: RigOptions
  readonly #all: TestReplica[] = []

  constructor (t: Test, options: RigOptions = {}) {
    this.#options = options
    t.teardown(async () => {
      await Promise.all(this.#all.map(async replica => { await replica.close() }))
      // What was on its way between them and the store comes to nobody.
      this.clock.advance(1000)
      if (this.clock.pending() > 0) throw new Error('A timer is left.')
    })
  }

  /** A replica that has not connected yet. */
  async add (name: string): Promise<TestReplica> {
    const { shared = '', limits = '' } = this.#options
    const config = configFrom(`
inventory: { provider: file, path: . }
allowedTargets: ["10.0.0.0/8"]
dataPorts: [{ name: default, port: 7777 }, { name: voice, port: 7778 }]
sharedState: { urls: ["valkey://store:6379"], ${shared} }
limits: { ${limits} }
`)
    const replica = await TestReplica.open(this, name, config)
    this.#all.push(replica)
    return replica
  }

  /** Replicas that are connected. */
  async start (...names: string[]): Promise<TestReplica[]> {
    const replicas = await Promise.all(names.map(async name => await this.add(name)))
    await this.settled(Promise.all(replicas.map(async ({ replicas }) => await replicas.start())))
    await this.settle()
    return replicas
  }

  /** Lets `ms` go by in small steps, and everything happen on the way: nothing here waits for anything but timers. */
  async settle (ms = 0): Promise<void> {
    const stepMs = Math.max(1, ms / 200)
    await this.#rest(0)
    for (let left = ms; left > 0; left -= stepMs) await this.#rest(Math.min(stepMs, left))
  }

  async #rest (ms: number): Promise<void> {
    await nextTurn()
    this.clock.advance(ms)
    for (let before = -1; before !== this.#ran;) {
      before = this.#ran
      await nextTurn()
      this.clock.advance(0)
    }
  }

  /** What comes of it, while `stepMs` go by again and again. */
  async settled<Value> (promise: Promise<Value>, stepMs = 0): Promise<Value> {
    const state = { isOver: false }
    const over = promise.finally(() => { state.isOver = true })
    await until(() => {
      if (!state.isOver) this.clock.advance(stepMs)
      return state.isOver
    })
    return await over
  }

  #counted (clock: FakeClock): FakeClock {
    const counted = (run: () => void) => () => {
      this.#ran++
      run()
    }
    return { ...clock, after: (ms, run) => clock.after(ms, counted(run)), every: (ms, run) => clock.every(ms, counted(run)) }
  }
}

export class TestReplica {
  readonly name: string
  readonly registry: TokenRegistry
  readonly keys: TokenKeys
  readonly replicas: Replicas
  readonly issuer: TokenIssuer
  readonly answers: Answer[] = []
  /** What the own proxy holds. */
  readonly tokens = new Map<string, TokenGrant>()
  readonly revoked: string[] = []
  readonly withdrawn: string[] = []
  readonly counted = { targetsRefused: 0, redeemedElsewhere: 0, calls: 0 }
  readonly heard: HubEvent[] = []
  /** Sessions of the own proxy. */
  bindings: Binding[] = []
  proxyFails: PushFailure | undefined
  keysTold = 0
  readonly #rig: ReplicaRig
  readonly #events: EventsHub
  #asked = 0

  static async open (rig: ReplicaRig, name: string, config: ReturnType<typeof configFrom>): Promise<TestReplica> {
    const { clock, twin } = rig
    const held = await holdStore(async ({ replica, deadlineMs, events }) => await Promise.resolve(ok(twin.open(replica, events, deadlineMs))), {
      sharedState: config.sharedState!, replica: name, deadlineMs: config.limits.storeDeadlineMs, clock, random: () => 0, log: pino({ level: 'silent' })
    })
    if (!held.ok) throw new Error(held.error)
    return new TestReplica(rig, name, config, held.value)
  }

  private constructor (rig: ReplicaRig, name: string, config: ReturnType<typeof configFrom>, held: ConstructorParameters<typeof Replicas>[0]['held']) {
    const { clock } = rig
    this.#rig = rig
    this.name = name
    const events = this.#events = new EventsHub(clock)
    const reader = events.read({ kinds: ['store', 'token_void'], wake: () => { for (let item = reader.take(); item !== undefined; item = reader.take()) if (item.kind !== 'missed') this.heard.push(item) } })
    this.registry = new TokenRegistry(clock, config.limits.maxTokens)
    const makeTokenKey = (): string => randomBytes(16).toString('hex')
    this.keys = new TokenKeys(makeTokenKey(), () => { this.keysTold++ }, true)
    this.replicas = new Replicas({
      held,
      replica: name,
      sharedState: config.sharedState!,
      config,
      clock,
      random: () => 0,
      log: pino({ level: 'silent' }),
      events,
      registry: this.registry,
      keys: this.keys,
      makeTokenKey,
      policy: createTargetPolicy({ allowedTargets: config.allowedTargets, ownAddresses: [], ownPorts: [] }),
      metrics: {
        targetRefused: () => { this.counted.targetsRefused++ },
        redeemedElsewhere: () => { this.counted.redeemedElsewhere++ },
        storeCalled: () => { this.counted.calls++ },
        newerRecord: () => undefined
      },
      staysOnGone: () => true,
      judge: () => 'there',
      counts: new SessionCounts(),
      version: '1.0.0',
      link: {
        push: async grant => {
          if (this.proxyFails === undefined) this.tokens.set(grant.token, grant)
          return await Promise.resolve(this.proxyFails === undefined ? ok(undefined) : err(this.proxyFails))
        },
        revoke: async tokens => {
          this.revoked.push(...tokens)
          return await Promise.resolve(this.proxyFails === undefined ? ok(undefined) : err(this.proxyFails))
        },
        withdraw: tokens => { this.withdrawn.push(...tokens) },
        isRevoking: () => false
      },
      proxy: {
        isSynchronised: true,
        answer: answer => { this.answers.push(answer) },
        tellElsewhere: async () => await Promise.resolve(true),
        find: async client => await Promise.resolve(this.bindings.find(binding => binding.client === client)),
        bindings: () => this.#pages()
      }
    })
    this.issuer = new TokenIssuer({
      clock,
      events: this.#events,
      registry: this.registry,
      sink: this.replicas.sink,
      metrics: { tokenIssued: () => undefined, tokenRevoked: () => undefined },
      expect: () => undefined,
      maxTokensPerCaller: 1_000_000,
      makeToken: () => markedToken(randomUUID() as string as Token, this.keys.marking)
    })
  }

  /** A query: the token, or the code of its failure. */
  async query (holder: { readonly client?: string } = {}, ttlSeconds = 30): Promise<string> {
    const issued = await this.#rig.settled(this.issuer.issue(() => ok(target), { selection: undefined, ttlSeconds, via: 'tokens', holder }), 10)
    return issued.ok ? issued.value.token : issued.error.code
  }

  /** An operator takes a token back: `void`, or the code of the failure. */
  async revoke (token: string): Promise<string> {
    const revoked = await this.#rig.settled(this.issuer.revoke(token as Token), 10)
    return revoked.ok ? 'void' : revoked.error.code
  }

  /** The own proxy asks; answers come into `answers`. */
  asks (token: string, client: string, dataPort = 'default'): number {
    const id = this.#asked++
    this.replicas.hear({ type: 'asked', id, client, dataPort, token })
    return id
  }

  /** The own proxy asks and is answered: the verdict, with the reason of a refusal. */
  async ask (token: string, client: string, dataPort = 'default'): Promise<string> {
    const id = this.asks(token, client, dataPort)
    await this.#rig.settle()
    // The store is slow.
    if (this.verdictOf(id) === 'none yet') await this.#rig.settle(300)
    return this.verdictOf(id)
  }

  verdictOf (id: number): string {
    const answer = this.answers.find(answer => answer.id === id)
    return answer === undefined ? 'none yet' : answer.reason ?? answer.verdict
  }

  async close (): Promise<void> {
    this.registry.close()
    await this.replicas.close()
  }

  async * #pages (): AsyncGenerator<readonly Binding[]> {
    await nextTurn()
    yield this.bindings
  }
}
