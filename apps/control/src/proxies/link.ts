// The life of the connection to one proxy: it connects, agrees on an epoch, has everything told, follows the events, and begins again
// when any of it fails. Decides when tokens may be handed out (synchronised) and when to give way (superseded).
import type { BaseLogger } from 'pino'
import type { Clock } from '#core/clock.js'
import type { Result } from '#core/result.js'
import type { RpcClient } from '#rpc/client.js'
import type { EventKind, Hello, RpcEvent } from '#rpc/contract.js'
import { rpcErrors, type RpcFailure } from '#rpc/failure.js'
import type { EventSink } from '../events/event-sink.js'
import { backOffMs } from './back-off.js'
import { Epochs } from './epochs.js'
import { restarted } from './proxy-calls.js'

export type LinkState = 'disconnected' | 'connecting' | 'synchronised' | 'superseded'

export interface LinkOptions {
  readonly client: RpcClient
  readonly clock: Clock
  /** Uniform in [0, 1). */
  readonly random: () => number
  readonly log: BaseLogger
  readonly events: EventSink
  /** Tells the proxy all that control knows; the instance id of the proxy that has taken it. */
  readonly tellAll: () => Promise<Result<string, RpcFailure>>
  /** The kinds of events that are heard of such a proxy. */
  readonly heard: (proxy: Hello) => readonly EventKind[]
  readonly hear: (event: RpcEvent) => void
  /** Everything is told, and the proxy may be told what comes next. */
  readonly onUp: (proxy: Hello) => void
  /** Nothing can be told from now on; may be called again before the next `onUp`. */
  readonly onDown: () => void
}

// How often a superseded process looks whether the other is still there: up to half less, so that two do not march in
// step. A living one that lost its connection is back before so many looks in a row.
const LOOK_MS = 2000
const LOOKS_ALONE = 3

export class Link {
  readonly #options: LinkOptions
  readonly #epochs = new Epochs()
  #state: LinkState = 'disconnected'
  #reason = 'Not connected yet.'
  #proxy: Hello | undefined
  #failures = 0
  #connection: AbortController | undefined
  #onStream: () => void = () => undefined
  #wake: (() => void) | undefined
  #isClosed = false
  #running: Promise<void> | undefined

  constructor (options: LinkOptions) {
    this.#options = options
  }

  get state (): LinkState {
    return this.#state
  }

  /** Why it is not synchronised, if it is not. */
  get reason (): string {
    return this.#reason
  }

  /** What the proxy said of itself, last time it was there. */
  get proxy (): Hello | undefined {
    return this.#proxy
  }

  /** Of the present connection, or of the last one; 0 before the first. */
  get epoch (): number {
    return this.#epochs.current ?? 0
  }

  /** Connects, and keeps connecting until `close`. */
  start (): void {
    this.#running ??= this.#run()
  }

  async close (): Promise<void> {
    this.#isClosed = true
    this.#down()
    this.#wake?.()
    await this.#running
    this.#state = 'disconnected'
    this.#reason = 'Closed.'
  }

  /** The event stream has begun with the name of this life of the proxy. */
  greeted (instanceId: string): void {
    if (instanceId === this.#proxy?.instanceId) this.#onStream()
    else this.fail(restarted)
  }

  /** The proxy says something new of itself. */
  described (proxy: Hello): void {
    this.#proxy = proxy
  }

  /** Ends the connection: the loop starts again, unless a newer control process has taken over. */
  fail (failure: RpcFailure): void {
    if (this.#isClosed || this.#state === 'superseded' || this.#connection?.signal.aborted === true || this.#epochs.isOwnPast(failure)) return
    const { log, events } = this.#options
    const { code, message: reason, epoch: newerEpoch } = failure
    this.#reason = failure === restarted ? reason : rpcErrors[code].meaning
    if (code === 'EPOCH_STALE') {
      this.#state = 'superseded'
      this.#reason = 'A newer control process has taken over.'
      events.publish('link', () => ({ change: 'superseded', epoch: this.epoch, ...newerEpoch === undefined ? {} : { newerEpoch } }))
    } else {
      const wasUp = this.#state === 'synchronised'
      this.#state = 'disconnected'
      if (wasUp) events.publish('link', () => ({ change: 'lost', code, reason }))
      else log[this.#failures === 0 ? 'warn' : 'debug']({ code, reason }, 'Proxy not reachable')
    }
    this.#down()
  }

  async #run (): Promise<void> {
    while (!this.#isClosed) {
      if (this.#state === 'superseded' && !await this.#untilAlone()) return
      this.#state = 'connecting'
      const connection = new AbortController()
      this.#connection = connection
      this.fail(await this.#connect(connection.signal))
      this.#down()
      if (this.#goesOn()) await this.#pause(backOffMs(++this.#failures, this.#options.random()))
    }
  }

  #goesOn (): boolean {
    return !this.#isClosed && this.#state !== 'superseded'
  }

  /** Looks, without superseding anybody, until no other control process is there. False if this one was closed first. */
  async #untilAlone (): Promise<boolean> {
    const { client, random, events } = this.#options
    for (let alone = 0; alone < LOOKS_ALONE;) {
      await this.#pause(LOOK_MS * (1 - random() / 2))
      if (this.#isClosed) return false
      const hello = await client.call('hello', {})
      const isAlone = hello.ok && !this.#epochs.isControlled(hello.value)
      // A proxy that has restarted is waited for anew: the other one connects to it.
      alone = isAlone && (alone === 0 || hello.value.instanceId === this.#proxy?.instanceId) ? alone + 1 : Number(isAlone)
      if (hello.ok) this.#proxy = hello.value
    }
    if (this.#isClosed) return false
    events.publish('link', () => ({ change: 'taking_over', epoch: this.epoch }))
    this.#epochs.takeOver()
    this.#failures = 0
    return true
  }

  // The events come first: a redemption between the snapshot and the stream would be missed.
  async #connect (signal: AbortSignal): Promise<RpcFailure> {
    const { client, clock, random, heard, hear } = this.#options
    const hello = await client.call('hello', {})
    if (!hello.ok) return hello.error
    this.#proxy = hello.value
    const { epoch, controlled } = hello.value
    // Each connection has an epoch of its own: what an earlier one sent and this proxy has not read yet is refused then.
    if (!this.#epochs.begin(hello.value, clock.wallNow(), random)) return { code: 'EPOCH_STALE', message: rpcErrors.EPOCH_STALE.meaning, epoch }
    const opened = new Promise<undefined>(resolve => { this.#onStream = () => { resolve(undefined) } })
    const ended = client.events(hear, signal, heard(hello.value), controlled === undefined ? undefined : this.epoch)
    return await Promise.race([opened, ended]) ?? await this.#synchronise(hello.value, signal) ?? await ended
  }

  async #synchronise (proxy: Hello, signal: AbortSignal): Promise<RpcFailure | undefined> {
    const taken = await this.#options.tellAll()
    if (!taken.ok) return taken.error
    if (taken.value !== this.#proxy?.instanceId) return restarted
    // Something else may have failed meanwhile, and ended this connection.
    if (this.#isClosed || signal.aborted) return undefined
    this.#state = 'synchronised'
    this.#failures = 0
    this.#options.onUp(proxy)
    return undefined
  }

  #down (): void {
    this.#options.onDown()
    this.#connection?.abort()
  }

  async #pause (ms: number): Promise<void> {
    const { clock } = this.#options
    await new Promise<void>(resolve => {
      const cancel = clock.after(ms, resolve)
      this.#wake = () => { cancel(); resolve() }
    })
    this.#wake = undefined
  }
}
