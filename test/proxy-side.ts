// What control sees of a proxy: its real calls and its real event stream on a Unix socket, and no shards behind them.
import { randomUUID } from 'node:crypto'
import Fastify, { type FastifyInstance } from 'fastify'
import { rpcFailure } from '#rpc/failure.js'
import { registerRpc } from '#rpc/server.js'
import { createRpcService, type RpcHandlers } from '#rpc/service.js'
import type { FakeClock } from '#testkit/fake-clock.js'
import { createHandlers, type HandlerDeps } from '../apps/proxy/src/rpc/handlers.js'
import { EventStream } from '../apps/proxy/src/rpc/event-stream.js'
import { SessionCounts } from '../apps/proxy/src/rpc/session-counts.js'

/** An older one knows nothing of who controls it. */
export class ProxySide {
  readonly socketPath: string
  /** Sessions by target, which are told when the clock goes on. */
  readonly counts = new SessionCounts()
  /** Which kinds of events the shards were to make, each time that was said. */
  readonly wanted: string[] = []
  /** Of this life. */
  events: EventStream | undefined
  readonly #clock: FakeClock
  readonly #isOlder: boolean
  #app: FastifyInstance | undefined

  constructor (socketPath: string, clock: FakeClock, isOlder = false) {
    this.socketPath = socketPath
    this.#clock = clock
    this.#isOlder = isOlder
  }

  /** A new life without memory. */
  async start (): Promise<void> {
    const instanceId = randomUUID()
    const app = this.#app = Fastify({ forceCloseConnections: true, requestTimeout: 0 })
    const events = this.events = new EventStream({ instanceId, counts: this.counts, refresh: async () => {}, want: async kinds => { this.wanted.push(kinds.join()) }, openAsks: async () => {}, clock: this.#clock })
    events.start()
    if (this.#isOlder) app.addHook('onRequest', async (request, reply) => { if (request.url.includes('epoch=')) await reply.code(400).send(rpcFailure('INVALID').error) })
    const shards = { applyTokens: async () => [], setDefaultTargets: async () => ({}) } as unknown as HandlerDeps['shards']
    const draining = { isDraining: false, told: async () => {} } as unknown as HandlerDeps['draining']
    const handlers = createHandlers({ shards, instanceId, engine: 'dgram', dataPorts: [], draining, events, stats: async () => [], onUnusableTargets: () => {} })
    const onBug = (error: Error): void => { throw error }
    registerRpc(app, createRpcService({ handlers: this.#isOlder ? olderThan(handlers) : handlers, events, onBug }), onBug)
    await app.listen({ path: this.socketPath })
  }

  async stop (): Promise<void> {
    this.events?.close()
    await this.#app?.close()
  }
}

function olderThan (handlers: RpcHandlers): RpcHandlers {
  return {
    ...handlers,
    hello: async input => {
      const reply = await handlers.hello(input)
      if (!reply.ok) return reply
      const { controlled, can, ...value } = reply.value
      return { ok: true, value }
    }
  }
}
