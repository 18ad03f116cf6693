// One replica's connection to the twin: calls go there and come back in their order, each way with a latency; what is under way
// when the connection breaks is `late`, because nobody knows whether it was done.
import type { Cancel, Clock } from '#core/clock.js'
import { err, ok } from '#core/result.js'
import type { ScriptName } from '../../apps/control/src/store/scripts.js'
import type { StoreFailure, StoreRefusal, StoreResult, StoreStatus } from '../../apps/control/src/store/shared-store.js'
import type { BackendEvents, StoreBackend } from '../../apps/control/src/store/store-backend.js'

/** What becomes of one call on its way. */
export interface Fate {
  readonly requestMs: number
  readonly replyMs: number
  readonly lost: 'request' | 'reply' | undefined
}

/** The twin, as a link needs it. */
export interface TwinSide {
  readonly clock: Clock
  readonly deadlineMs: number
  readonly draw: () => Fate
  /** Does it at the primary of this replica, now or when it is awake again; not at all if there is none. */
  readonly execute: (work: () => void) => void
  readonly script: (script: ScriptName, keys: readonly string[], args: readonly string[]) => unknown
  readonly publish: (channel: string, text: string) => number
  /** What it answers to every script, as an error; undefined: it does them. */
  readonly fault: () => string | undefined
  readonly onStart: () => void
  /** The link has given up its connection, and wants another one. */
  readonly onSilence: () => void
  readonly onClose: () => void
}

/** Silence after which a connection with calls under way is given up, in ms: as that of the real one. */
export const SILENCE_MS = 1000

export class TwinLink implements StoreBackend {
  readonly channels: ReadonlySet<string>
  status: StoreStatus = 'connecting'
  reason: string | undefined
  refusal: StoreRefusal | undefined
  readonly #side: TwinSide
  readonly #events: BackendEvents
  readonly #underWay = new Set<(failure: StoreFailure) => void>()
  #connection = 0
  #hasBeenUp = false
  #isStarted = false
  #arrivesMs = -Infinity
  #answersMs = -Infinity
  #hearsMs = -Infinity
  #cancelSilence: Cancel | undefined

  constructor (side: TwinSide, channels: readonly string[], events: BackendEvents) {
    this.#side = side
    this.channels = new Set(channels)
    this.#events = events
  }

  get isStarted (): boolean {
    return this.#isStarted
  }

  readonly start = (): void => {
    this.#isStarted = true
    this.#side.onStart()
  }

  readonly run = async (script: ScriptName, keys: readonly string[], args: ReadonlyArray<string | number>): Promise<StoreResult<unknown>> =>
    await this.#call(() => {
      const fault = this.#side.fault()
      return fault === undefined ? ok(this.#side.script(script, keys, args.map(String))) : this.#refused(fault)
    })

  readonly publish = async (channel: string, text: string): Promise<StoreResult<unknown>> =>
    await this.#call(() => ok(this.#side.publish(channel, text)))

  readonly close = async (): Promise<void> => {
    this.#isStarted = false
    this.status = 'down'
    this.reason = 'it is closed'
    this.#break()
    this.#side.onClose()
  }

  /** It is connected, to a store that it may find otherwise than it left it. */
  connect (): void {
    if (!this.#isStarted || this.status === 'up') return
    this.status = 'up'
    this.reason = undefined
    this.refusal = undefined
    const isAgain = this.#hasBeenUp
    this.#hasBeenUp = true
    this.#events.onUp(isAgain)
  }

  /** It is not connected, for a reason that people read. */
  disconnect (reason: string, status: 'down' | 'unsuitable' = 'down'): void {
    if (!this.#isStarted || (this.status === status && this.reason === reason)) return
    const isNews = this.status === 'up' || this.status === 'connecting'
    this.status = status
    this.reason = reason
    this.#break()
    if (isNews) this.#events.onDown(reason)
  }

  /** A text on one of its channels is on its way to it. */
  hear (text: string, delayMs: number): void {
    const connection = this.#connection
    this.#hearsMs = this.#inOrder(this.#hearsMs, delayMs, () => {
      if (connection === this.#connection && this.status === 'up') this.#events.onText(text)
    })
  }

  async #call (work: () => StoreResult<unknown>): Promise<StoreResult<unknown>> {
    if (this.status !== 'up') return err('down')
    const { clock, deadlineMs, draw, execute } = this.#side
    const connection = this.#connection
    return await new Promise(resolve => {
      const fail = (failure: StoreFailure): void => { settle(err(failure)) }
      const settle = (result: StoreResult<unknown>): void => {
        this.#underWay.delete(fail)
        cancelDeadline()
        resolve(result)
      }
      const cancelDeadline = clock.after(deadlineMs, () => { fail('late') })
      this.#underWay.add(fail)
      const { requestMs, replyMs, lost } = draw()
      if (lost === 'request') return
      if (lost === undefined) this.#watchSilence()
      this.#arrivesMs = this.#inOrder(this.#arrivesMs, requestMs, () => {
        if (connection !== this.#connection) return
        execute(() => {
          const reply = work()
          if (lost === 'reply' || connection !== this.#connection) return
          this.#answersMs = this.#inOrder(this.#answersMs, replyMs, () => {
            if (connection !== this.#connection) return
            this.#heardSomething()
            if (this.#underWay.has(fail)) settle(reply)
          })
        })
      })
    })
  }

  // Nothing overtakes on a connection. Answers when it will be.
  #inOrder (lastMs: number, delayMs: number, run: () => void): number {
    const nowMs = this.#side.clock.now()
    const atMs = Math.max(lastMs, nowMs + delayMs)
    this.#side.clock.after(atMs - nowMs, run)
    return atMs
  }

  #refused (fault: string): StoreResult<unknown> {
    this.refusal = { fault, atMs: this.#side.clock.now() }
    return err('refused')
  }

  #watchSilence (): void {
    this.#cancelSilence ??= this.#side.clock.after(SILENCE_MS, () => {
      this.#cancelSilence = undefined
      this.disconnect('it does not answer')
      this.#side.onSilence()
    })
  }

  #heardSomething (): void {
    this.#cancelSilence?.()
    this.#cancelSilence = undefined
    if (this.#underWay.size > 1) this.#watchSilence()
  }

  #break (): void {
    this.#connection++
    this.#arrivesMs = this.#answersMs = this.#hearsMs = -Infinity
    this.#cancelSilence?.()
    this.#cancelSilence = undefined
    for (const fail of [...this.#underWay]) fail('late')
  }
}
