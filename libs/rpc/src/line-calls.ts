// Calls that are made line by line within one request that lasts: a request for each would take several times as long as
// the call itself. Answers come in the order of the calls. The request is begun with the first call, and again with the
// next one after it has ended.
import { Readable } from 'node:stream'
import type { Client } from 'undici'
import type { Clock } from '#core/clock.js'
import { err, type Result } from '#core/result.js'
import { MAX_REPLY_BYTES, openConnection } from './connections.js'
import { LINES_CONTENT_TYPE, type RpcName } from './contract.js'
import type { RpcFailure } from './failure.js'
import { jsonFrom } from './json-from.js'
import { LineSplitter } from './line-splitter.js'
import { failureFrom, late, outcomeOf, unreachable } from './outcome.js'

export interface LineCallsOptions {
  readonly socketPath: string
  readonly name: RpcName
  readonly path: string
  readonly clock: Clock
}

type Outcome = Result<unknown, RpcFailure>

export class LineCalls {
  readonly #options: LineCallsOptions
  #request: LastingRequest | undefined

  constructor (options: LineCallsOptions) {
    this.#options = options
  }

  /** One call. If it is late, the request ends, and with it every other call under way. */
  async call (body: unknown, deadlineMs: number): Promise<Outcome> {
    if (this.#request?.hasEnded !== false) this.#request = new LastingRequest(this.#options)
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

class LastingRequest {
  readonly #options: LineCallsOptions
  readonly #client: Client
  readonly #body = new Readable({ read: () => undefined })
  readonly #waiting: Array<(outcome: Outcome) => void> = []
  hasEnded = false

  constructor (options: LineCallsOptions) {
    this.#options = options
    this.#client = openConnection(options.socketPath)
    void this.#read().then(failure => { this.end(failure) })
  }

  async call (line: string): Promise<Outcome> {
    return await new Promise(resolve => {
      this.#waiting.push(resolve)
      this.#body.push(line)
    })
  }

  end (failure: RpcFailure): void {
    if (this.hasEnded) return
    this.hasEnded = true
    for (const settle of this.#waiting.splice(0)) settle(err(failure))
    void this.#client.destroy()
  }

  async #read (): Promise<RpcFailure> {
    try {
      const { statusCode, body } = await this.#client.request({ method: 'POST', path: this.#options.path, headers: { 'content-type': LINES_CONTENT_TYPE }, body: this.#body })
      if (statusCode !== 200) return failureFrom(statusCode, jsonFrom(await body.text()))
      const splitter = new LineSplitter(MAX_REPLY_BYTES, line => { this.#settle(line) })
      for await (const chunk of body as AsyncIterable<Uint8Array>) {
        if (!splitter.push(chunk).ok) return { code: 'INTERNAL', message: `An answer is longer than ${MAX_REPLY_BYTES} bytes.` }
      }
      return { code: 'UNREACHABLE', message: 'The proxy ended the request.' }
    } catch (error) {
      return unreachable(error)
    }
  }

  #settle (line: string): void {
    const answer = jsonFrom(line)
    if (isAnswer(answer)) this.#waiting.shift()?.(outcomeOf(this.#options.name, answer.status, answer.body))
    // Which call the next line would answer is anybody's guess.
    else this.end({ code: 'INTERNAL', message: 'A line of the response is no answer.' })
  }
}

function isAnswer (value: unknown): value is { readonly status: number, readonly body: unknown } {
  return typeof value === 'object' && value !== null && 'status' in value && typeof value.status === 'number' && 'body' in value
}
