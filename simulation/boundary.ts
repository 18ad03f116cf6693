// What is between the two processes: calls travel as text, take their time, overtake each other (every call has a
// connection of its own), are cut off in the middle, and end when the other side dies. The client keeps the promises of
// libs/rpc/src/client.ts: a bound, a deadline, failures as data.
import type { ServerResponse } from 'node:http'
import type { Clock } from '#core/clock.js'
import { err, ok, type Result } from '#core/result.js'
import { EVENTS_IDLE_MS, type CallOptions, type RpcClient } from '#rpc/client.js'
import type { EventKind, RpcEvent, RpcInput, RpcName, RpcReply } from '#rpc/contract.js'
import type { RpcFailure } from '#rpc/failure.js'
import { holdError, holdEvent, holdReply, holdRequest } from './contract-check.js'
import type { ProxyLife } from './proxy-life.js'
import type { Surroundings } from './surroundings.js'
import { numberOfEvent, numberOfRpc } from './trace-words.js'

export interface BoundaryOptions {
  readonly surroundings: Surroundings
  readonly clock: Clock
  /** Number of the control process that calls. */
  readonly control: number
  readonly deadlineMs: number
  readonly maxInFlight: number
  /** Who listens on the socket now. */
  readonly proxy: () => ProxyLife | undefined
  /** False once the calling process is gone. */
  readonly isAlive: () => boolean
  readonly onEvent: (event: RpcEvent) => void
}

const unreachable: RpcFailure = { code: 'UNREACHABLE', message: 'The socket cannot be reached.' }

type AnyResult = Result<unknown, RpcFailure>

export class SimRpcClient implements RpcClient {
  readonly #options: BoundaryOptions
  #inFlight = 0

  constructor (options: BoundaryOptions) {
    this.#options = options
  }

  readonly call = async <Name extends RpcName>(name: Name, input: RpcInput<Name>, options?: CallOptions): Promise<Result<RpcReply<Name>, RpcFailure>> => {
    const { maxInFlight, deadlineMs, surroundings: { watch } } = this.#options
    watch.hold('boundsHold', { of: 'calls under way', size: this.#inFlight, most: maxInFlight })
    if (this.#inFlight >= maxInFlight) return err({ code: 'BUSY', message: `${this.#inFlight} calls are under way.` })
    return await this.#exchange(name, input, options?.deadlineMs ?? deadlineMs) as Result<RpcReply<Name>, RpcFailure>
  }

  /** The stream is a connection of its own, whose lines arrive in order. */
  readonly events = async (onEvent: (event: RpcEvent) => void, signal: AbortSignal, _kinds?: readonly EventKind[], epoch?: number): Promise<RpcFailure> => {
    const { surroundings, clock, proxy, isAlive } = this.#options
    const life = proxy()
    return await new Promise<RpcFailure>(resolve => {
      const stream = new Stream(this.#options, onEvent)
      let isOver = false
      const end = (failure: RpcFailure): void => {
        if (isOver || !isAlive()) return
        isOver = true
        stopWatch()
        life?.onCrash.delete(onCrash)
        stream.cut()
        resolve(failure)
      }
      stream.onEnd = () => { onCrash() }
      const onCrash = (): void => { surroundings.time.plan(this.#delay(), () => { end(unreachable) }, true) }
      const stopWatch = clock.every(EVENTS_IDLE_MS / 15, () => {
        if (clock.now() - stream.heardAt >= EVENTS_IDLE_MS) end({ code: 'DEADLINE', message: 'The event stream was silent.' })
      })
      signal.addEventListener('abort', () => { end(unreachable) })
      // What has been aborted before it began is never asked.
      if (life === undefined || signal.aborted) {
        onCrash()
        return
      }
      life.onCrash.add(onCrash)
      surroundings.time.plan(this.#delay(), () => {
        if (!isOver && life.isAlive) life.openStream(stream as unknown as ServerResponse, epoch)
      }, true)
    })
  }

  readonly close = async (): Promise<void> => { await Promise.resolve() }

  async #exchange (name: RpcName, input: unknown, deadlineMs: number): Promise<AnyResult> {
    const { surroundings: { random, time, trace, watch, profile: { cutCalls } }, clock, control, proxy, isAlive } = this.#options
    const text = JSON.stringify(input)
    const request = JSON.parse(text) as Record<string, unknown>
    holdRequest(watch, name, request)
    trace.note('asked', time.nowMs, control, numberOfRpc[name], text.length)
    const life = proxy()
    this.#inFlight++
    return await new Promise<AnyResult>(resolve => {
      let isOver = false
      const finish = (result: AnyResult): void => {
        if (isOver || !isAlive()) return
        isOver = true
        this.#inFlight--
        cancel()
        life?.onCrash.delete(onCrash)
        trace.note('answered', time.nowMs, control, numberOfRpc[name], result.ok ? 1 : 0)
        resolve(result)
      }
      const fail = (): void => { time.plan(this.#delay(), () => { finish(err(unreachable)) }, true) }
      const onCrash = fail
      const cancel = clock.after(deadlineMs, () => { finish(err({ code: 'DEADLINE', message: `No answer within ${deadlineMs} ms.` })) })
      const isCut = cutCalls > 0 && random.chance(cutCalls)
      if (life === undefined || (isCut && random.chance(0.5))) {
        fail()
        return
      }
      life.onCrash.add(onCrash)
      // Even if the caller gives up or dies: what is in the socket's buffer is read.
      time.plan(this.#delay(), () => {
        if (life.isAlive) void life.handle(name, request).then(answer => { this.#answer(name, answer, life, isCut ? fail : finish) })
      }, true)
    })
  }

  #answer (name: RpcName, answer: AnyResult, life: ProxyLife, finish: (result: AnyResult) => void): void {
    if (!life.isAlive) return
    const copy = JSON.parse(JSON.stringify(answer.ok ? answer.value : answer.error)) as unknown
    const { time, watch } = this.#options.surroundings
    if (answer.ok) holdReply(watch, name, copy)
    else holdError(watch, name, copy)
    time.plan(this.#delay(), () => {
      if (life.isAlive) finish(answer.ok ? ok(copy) : err(copy as RpcFailure))
    }, true)
  }

  #delay (): number {
    const { random, profile } = this.#options.surroundings
    return random.between(0, profile.mostCallDelayMs)
  }
}

// What the event stream writes to, as far as it is a ServerResponse.
class Stream {
  readonly #options: BoundaryOptions
  readonly #onEvent: (event: RpcEvent) => void
  #onClose: () => void = () => undefined
  #isCut = false
  #dueMs = 0
  heardAt: number
  writableLength = 0
  writableEnded = false
  onEnd: () => void = () => undefined

  constructor (options: BoundaryOptions, onEvent: (event: RpcEvent) => void) {
    this.#options = options
    this.#onEvent = onEvent
    this.heardAt = options.clock.now()
  }

  readonly writeHead = (): void => undefined

  readonly write = (line: string): boolean => {
    const { surroundings: { random, time, trace, watch, profile }, clock, control, isAlive, onEvent } = this.#options
    this.#dueMs = Math.max(this.#dueMs, time.nowMs + random.between(0, profile.mostCallDelayMs))
    this.writableLength += line.length
    time.plan(this.#dueMs - time.nowMs, () => {
      this.writableLength -= line.length
      if (this.#isCut || !isAlive()) return
      const event = JSON.parse(line) as RpcEvent
      holdEvent(watch, event)
      this.heardAt = clock.now()
      trace.note('event', time.nowMs, control, numberOfEvent[event.type], line.length)
      onEvent(event)
      this.#onEvent(event)
    }, true)
    return true
  }

  readonly on = (event: string, run: () => void): void => {
    if (event === 'close') this.#onClose = run
  }

  readonly end = (): void => {
    this.writableEnded = true
    this.onEnd()
  }

  readonly destroy = (): void => { this.cut() }

  cut (): void {
    if (this.#isCut) return
    this.#isCut = true
    this.#onClose()
  }
}
