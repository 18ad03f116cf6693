// The store on Valkey or Redis, through iovalkey. It is up when it is connected, suitable, and may do what directors do; what it was
// asked is answered within the deadline, or is `late`. While it is not up nothing is sent, and it goes on connecting for ever.
import type { Redis, RedisOptions } from 'iovalkey'
import type { BaseLogger } from 'pino'
import type { SharedState } from '#config/schema.js'
import type { Cancel, Clock } from '#core/clock.js'
import { err, ok } from '#core/result.js'
import type { ScriptName } from '../scripts.js'
import type { StoreRefusal, StoreResult, StoreStatus } from '../shared-store.js'
import type { BackendEvents, StoreBackend } from '../store-backend.js'
import { commandOf, connectionOptions, createClient, renew, type Client, type Iovalkey } from './connection.js'
import { clauseOf, failureOf, isAftermath, refusalOf } from './failures.js'
import type { FollowedSecrets } from './secrets.js'
import { Subscriber } from './subscriber.js'
import { unsuitability } from './suitability.js'

export interface ValkeyBackendOptions {
  readonly iovalkey: Iovalkey
  readonly sharedState: SharedState
  readonly secrets: FollowedSecrets
  readonly deadlineMs: number
  readonly clock: Clock
  readonly random: () => number
  readonly log: BaseLogger
  readonly channels: readonly string[]
  readonly events: BackendEvents
}

/** Calls on the wire at once, those among them that are late already: what a second of silence collects at the highest rates. */
const MAX_UNDER_WAY = 20_000

/** Between two questions whether it is still there, in ms: with the silence of a connection, a store that is gone is known 2 s after it went. */
const BEAT_MS = 1000

/** Between two looks whether it is still suitable, in ms: settings are changed while servers run. */
const CHECK_MS = 60_000

/** Before a store that is not suitable is connected to anew, less up to half, in ms: its name may lead elsewhere by then. */
const UNSUITABLE_MS = 2000

export class ValkeyBackend implements StoreBackend {
  status: StoreStatus = 'connecting'
  reason: string | undefined
  refusal: StoreRefusal | undefined
  readonly #options: ValkeyBackendOptions
  readonly #connection: RedisOptions
  readonly #client: Client
  readonly #subscriber: Subscriber
  readonly #refused = new Set<string>()
  readonly #share: number
  #cancels: Cancel[] = []
  #cancelRetry: Cancel = () => undefined
  #lastError: unknown
  #checks = 0
  #underWay = 0
  #hasBeenUp = false
  #isClosed = false

  constructor (options: ValkeyBackendOptions) {
    const { iovalkey, sharedState, secrets, random, clock, channels, events } = this.#options = options
    this.#share = random()
    this.#connection = connectionOptions(sharedState, secrets.now(), random)
    this.#client = createClient(iovalkey, sharedState, this.#connection)
    this.#subscriber = new Subscriber({ open: () => this.#openSubscriber(), channels, onText: events.onText, clock, random })
  }

  readonly start = (): void => {
    const client = this.#client
    client.on('ready', () => { void this.#check() })
    client.on('close', () => { this.#lost() })
    client.on('error', (error: unknown) => { this.#failed(error) })
    client.on('node error', (error: unknown) => { this.#lastError = error })
    client.connect().catch(() => undefined) // told by the events
    this.#subscriber.start()
    const { clock } = this.#options
    this.#cancels = [
      clock.every(BEAT_MS, () => { this.#beat() }),
      clock.every(CHECK_MS, () => { if (this.status === 'up') void this.#check() })
    ]
  }

  /** The files say something else: the next connection is made with that. */
  renew (): void {
    const { sharedState, secrets } = this.#options
    const all = 'nodes' in this.#client ? [this.#connection, this.#client.options.redisOptions ?? {}, ...this.#client.nodes().map(({ options }) => options)] : [this.#connection, this.#client.options]
    for (const options of all) renew(options, sharedState, secrets.now())
  }

  readonly run = async (script: ScriptName, keys: readonly string[], args: ReadonlyArray<string | number>): Promise<StoreResult<unknown>> =>
    await this.#call(client => this.#send(client, script, keys, args))

  readonly publish = async (channel: string, text: string): Promise<StoreResult<unknown>> =>
    await this.#call(async () => await this.#publisher().publish(channel, text))

  readonly close = async (): Promise<void> => {
    this.#isClosed = true
    for (const cancel of [...this.#cancels, this.#cancelRetry]) cancel()
    this.#subscriber.close()
    this.#client.disconnect()
    this.status = 'down'
    this.reason = 'it is closed'
    await this.#options.secrets.close()
  }

  async #call (send: (client: Client) => Promise<unknown>): Promise<StoreResult<unknown>> {
    if (this.status !== 'up') return err('down')
    if (this.#underWay >= MAX_UNDER_WAY) return err('late')
    this.#underWay++
    return await new Promise(resolve => {
      const cancel = this.#options.clock.after(this.#options.deadlineMs, () => { resolve(err('late')) })
      send(this.#client).then(value => { resolve(ok(value)) }, (error: unknown) => {
        const failure = failureOf(error)
        if (failure === 'refused') this.#noteRefusal(error)
        resolve(err(failure))
      }).finally(() => {
        cancel()
        this.#underWay--
      })
    })
  }

  async #send (client: Client, script: ScriptName, keys: readonly string[], args: ReadonlyArray<string | number>): Promise<unknown> {
    // A token that was just made needs no script: half the work for the server.
    if (script === 'put') return await client.set(keys[0]!, args[0]!, 'PX', args[1]!, 'NX')
    return await (client as unknown as Record<string, (...words: ReadonlyArray<string | number>) => Promise<unknown>>)[commandOf(script)]!(...keys, ...args)
  }

  // Connected, and nobody knows yet to what.
  async #check (): Promise<void> {
    const check = ++this.#checks
    const fault = await this.#fault()
    if (check !== this.#checks || this.#isClosed || fault === false) return
    if (fault !== undefined) this.#unsuitable(fault)
    else this.#up()
  }

  // False if that cannot be told: the connection broke, which is an event of its own.
  async #fault (): Promise<string | undefined | false> {
    const { sharedState: { mode, username, prefix } } = this.#options
    try {
      for (const node of this.#primaries()) {
        const fault = unsuitability(await node.info(), mode)
        if (fault !== undefined) return fault
      }
      await this.#send(this.#client, 'probe', [`${prefix}1:probe`], [])
      return refusalOf(await this.#subscriber.tried(), username)
    } catch (error) {
      const refusal = refusalOf(error, username)
      if (refusal !== undefined) return refusal
      // Out of memory, for one: it is there, and refuses what it cannot do, call by call.
      if (failureOf(error) === 'refused') return undefined
      if (!isAftermath(error)) this.#lastError = error
      return false
    }
  }

  #up (): void {
    if (this.status === 'up') return
    this.status = 'up'
    this.reason = undefined
    this.refusal = undefined
    this.#refused.clear()
    const isAgain = this.#hasBeenUp
    this.#hasBeenUp = true
    this.#options.events.onUp(isAgain)
  }

  // Somebody may repair it, or its name may lead elsewhere: it is connected to anew, and asked again.
  #unsuitable (fault: string): void {
    this.#away('unsuitable', `${fault}.`)
    const { clock, random } = this.#options
    this.#cancelRetry()
    this.#cancelRetry = clock.after(UNSUITABLE_MS * (1 - random() / 2), () => { if (this.status === 'unsuitable') this.#client.disconnect(true) })
  }

  #failed (error: unknown): void {
    if (isAftermath(error)) return
    this.#lastError = error
    if (this.status !== 'up') this.#away('down', clauseOf(error))
  }

  #lost (): void {
    this.#checks++
    // Without an error of its own an attempt ends for the reason of the one before it.
    const reason = this.#lastError !== undefined ? clauseOf(this.#lastError) : this.status === 'down' ? this.reason : undefined
    if (this.status !== 'unsuitable') this.#away('down', reason ?? 'the connection was closed')
    this.#lastError = undefined
  }

  #away (status: 'down' | 'unsuitable', reason: string): void {
    if (this.#isClosed) return
    const isNews = this.status === 'up' || this.status === 'connecting'
    this.status = status
    this.reason = reason
    if (isNews) this.#options.events.onDown(reason)
  }

  #beat (): void {
    if (this.status !== 'up') return
    for (const node of this.#primaries()) node.ping().catch(() => undefined) // the connection is closed, which is an event
  }

  #primaries (): readonly Redis[] {
    return 'nodes' in this.#client ? this.#client.nodes('master') : [this.#client]
  }

  // Of a cluster always the same node, as long as it is there: what one replica says arrives in its order.
  #publisher (): Redis {
    if (!('nodes' in this.#client)) return this.#client
    const nodes = this.#client.nodes('master').sort((one, other) => nameOf(one) < nameOf(other) ? -1 : 1)
    const node = nodes[Math.floor(this.#share * nodes.length)]
    if (node === undefined) throw new Error('the cluster has no nodes')
    return node
  }

  #openSubscriber (): Redis | undefined {
    const { iovalkey: { Redis }, random } = this.#options
    if (!('nodes' in this.#client)) return new Redis({ ...this.#connection, retryStrategy: () => null })
    const nodes = this.#client.nodes()
    const node = nodes[Math.floor(random() * nodes.length)]
    return node === undefined ? undefined : new Redis({ ...this.#connection, host: node.options.host!, port: node.options.port!, retryStrategy: () => null })
  }

  // Told once for each kind, until it has been away.
  #noteRefusal (error: unknown): void {
    this.refusal = { fault: clauseOf(error), atMs: this.#options.clock.now() }
    const [code = ''] = (error as Error).message.split(' ')
    if (this.#refused.has(code)) return
    this.#refused.add(code)
    this.#options.log.warn({ fault: clauseOf(error) }, 'The shared store refuses a call')
  }
}

function nameOf ({ options: { host, port } }: Redis): string {
  return `${host!}:${port!}`
}
