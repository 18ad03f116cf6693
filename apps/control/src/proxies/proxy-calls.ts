// What a synchronised proxy is told, call by call. Each names the epoch of the connection, and an answer from another life of the proxy
// counts as none. A call that fails ends the connection, unless the proxy works and only rejects what it was told.
import type { BaseLogger } from 'pino'
import type { CallOptions, RpcClient } from '#rpc/client.js'
import type { DrainReply, GoneTarget, Hello, RpcBody, RpcReply, Target, TokenGrant } from '#rpc/contract.js'
import type { RpcFailure } from '#rpc/failure.js'
import { candidatesInParts, isRefusal } from './default-targets.js'
import type { SendBatch } from './push-queue.js'

/** The proxy has lost what it was told. */
export const restarted: RpcFailure = { code: 'NOT_READY', message: 'The proxy has restarted.' }

// A push that is late has failed its query already; the call itself gets as long again before the link counts as broken.
const PUSH_CALL_DEADLINES = 2

export interface ProxyCallsOptions {
  readonly client: Pick<RpcClient, 'call'>
  readonly log: Pick<BaseLogger, 'error'>
  readonly pushDeadlineMs: number
  readonly link: {
    readonly epoch: number
    /** The life of the proxy that the connection is to. */
    readonly proxy: Pick<Hello, 'instanceId'> | undefined
    /** Ends the connection. */
    readonly fail: (failure: RpcFailure) => void
  }
}

type AnsweredByName = 'pushTokens' | 'leaveTargets' | 'drain'

export class ProxyCalls {
  readonly #options: ProxyCallsOptions

  constructor (options: ProxyCallsOptions) {
    this.#options = options
  }

  readonly pushTokens: SendBatch = async (tokens, voidTokens) => {
    const deadlineMs = this.#options.pushDeadlineMs * PUSH_CALL_DEADLINES
    return (await this.#ask('pushTokens', { epoch: this.#options.link.epoch, tokens: tokens as TokenGrant[], ...voidTokens }, { deadlineMs }))?.rejected
  }

  /** Targets that are gone; how many sessions each key has afterwards, or undefined if it was not acknowledged. */
  async leaveTargets (gone: GoneTarget[]): Promise<Readonly<Record<string, number>> | undefined> {
    return (await this.#ask('leaveTargets', { epoch: this.#options.link.epoch, gone }))?.sessions
  }

  /** What is left to wait for; undefined if it did not answer. */
  async drain (remainingMs: number): Promise<DrainReply | undefined> {
    return await this.#ask('drain', { epoch: this.#options.link.epoch, remainingMs })
  }

  /** All candidates of the default endpoint; false if they were not acknowledged. */
  readonly putDefaultTargets = async (targets: readonly Target[]): Promise<boolean> => {
    const epoch = this.#options.link.epoch
    for (const part of candidatesInParts(targets)) {
      const reply = await this.#options.client.call('putDefaultTargets', { body: { epoch, ...part } })
      if (reply.ok) continue
      if (isRefusal(reply.error)) this.warnOfRefusal(reply.error)
      else this.#options.link.fail(reply.error)
      return false
    }
    return true
  }

  /** The proxy works but rejects the default endpoint. */
  warnOfRefusal ({ code, message }: RpcFailure): void {
    this.#options.log.error({ code, reason: message }, 'Proxy refused the default endpoint')
  }

  async #ask<Name extends AnsweredByName> (name: Name, body: RpcBody<Name>, options?: CallOptions): Promise<RpcReply<Name> | undefined> {
    const { client, link } = this.#options
    const reply = await client.call<AnsweredByName>(name, { body }, options)
    if (!reply.ok) link.fail(reply.error)
    else if (reply.value.instanceId !== link.proxy?.instanceId) link.fail(restarted)
    else return reply.value
    return undefined
  }
}
