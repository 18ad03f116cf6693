// Calls that are made line by line within one request that lasts: a request for each would take several times as long as
// the call itself. Answers come in the order of the calls. The request is begun with the first call, and again with the
// next one after it has ended.
import type { Clock } from '#core/clock.js'
import { err, type Result } from '#core/result.js'
import type { RpcName } from './contract.js'
import type { RpcFailure } from './failure.js'
import { jsonFrom } from './json-from.js'
import { LineSplitter } from './line-splitter.js'
import { late, outcomeOf, refusedResponse, unreachable } from './outcome.js'
import { MAX_REPLY_BYTES, type LastingRequest, type RpcTransport } from './transport.js'

export interface LineCallsOptions {
  readonly transport: RpcTransport
  readonly name: RpcName
  readonly clock: Clock
}

type Outcome = Result<unknown, RpcFailure>

export class LineCalls {
  readonly #options: LineCallsOptions
  #request: Conversation | undefined

  constructor (options: LineCallsOptions) {
    this.#options = options
  }

  /** One call. If it is late, the request ends, and with it every other call under way. */
  async call (body: unknown, deadlineMs: number): Promise<Outcome> {
    if (this.#request?.hasEnded !== false) this.#request = new Conversation(this.#options)
    const request = this.#request
    const answered = request.call(`${JSON.stringify(body)}\n`)
    const cancel = this.#options.clock.after(deadlineMs, () => { request.end(late(deadlineMs)) })
    const outcome = await answered
    cancel()
    return outcome
  }

  /** Ends every call under way with UNREACHABLE. */
  close (): void {
    this.#request?.end({ code: 'UNREACHABLE', message: 'The client was closed.' })
  }
}

class Conversation {
  readonly #name: RpcName
  readonly #request: LastingRequest
  readonly #waiting: Array<(outcome: Outcome) => void> = []
  hasEnded = false

  constructor ({ transport, name }: LineCallsOptions) {
    this.#name = name
    this.#request = transport.openLines(name)
    void this.#read().then(failure => { this.end(failure) })
  }

  async call (line: string): Promise<Outcome> {
    return await new Promise(resolve => {
      this.#waiting.push(resolve)
      this.#request.send(line)
    })
  }

  end (failure: RpcFailure): void {
    if (this.hasEnded) return
    this.hasEnded = true
    for (const settle of this.#waiting.splice(0)) settle(err(failure))
    this.#request.cut()
  }

  async #read (): Promise<RpcFailure> {
    try {
      const { status, body } = await this.#request.response
      if (status !== 200) return await refusedResponse(status, body)
      const splitter = new LineSplitter(MAX_REPLY_BYTES, line => { this.#settle(line) })
      for await (const chunk of body) {
        if (!splitter.push(chunk).ok) return { code: 'INTERNAL', message: `An answer is longer than ${MAX_REPLY_BYTES} bytes.` }
      }
      return { code: 'UNREACHABLE', message: 'The proxy ended the request.' }
    } catch (error) {
      return unreachable(error)
    }
  }

  #settle (line: string): void {
    const answer = jsonFrom(line)
    if (isAnswer(answer)) this.#waiting.shift()?.(outcomeOf(this.#name, answer.status, answer.body))
    // Nothing says which call the next line would answer.
    else this.end({ code: 'INTERNAL', message: 'A line of the response is not an answer.' })
  }
}

function isAnswer (value: unknown): value is { readonly status: number, readonly body: unknown } {
  return typeof value === 'object' && value !== null && 'status' in value && typeof value.status === 'number' && 'body' in value
}
