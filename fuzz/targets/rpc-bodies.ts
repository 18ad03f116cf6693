// What comes over the proxy's Unix socket: bodies near the contract and far from it, on real handlers and a small core.
import fc from 'fast-check'
import Fastify, { type FastifyInstance } from 'fastify'
import type { Clock } from '#core/clock.js'
import { rpcCalls, type RpcCall } from '#rpc/contract.js'
import { registerRpc } from '#rpc/server.js'
import { createRpcService, type RpcHandlers } from '#rpc/service.js'
import { configFrom } from '#testkit/config-from.js'
import { createFakeClock } from '#testkit/fake-clock.js'
import type { Draining } from '../../apps/proxy/src/rpc/draining.js'
import type { Core } from '../../apps/proxy/src/core/core.js'
import { createHandlers } from '../../apps/proxy/src/rpc/handlers.js'
import { ShardBody } from '../../apps/proxy/src/shards/body/shard-body.js'
import type { Shard } from '../../apps/proxy/src/shards/calls/shard.js'
import { Shards } from '../../apps/proxy/src/shards/shards.js'
import { fuzzTarget, must, type FuzzTarget } from '../fuzz-target.js'
import { mustBeSound } from '../core-facts.js'
import { coreOptions, tokenOf } from '#testkit/lives/core-history.js'

const name = fc.constantFrom<unknown>('', 'x'.repeat(601), null)
const number = fc.constantFrom<unknown>(0, 1, 2, 7001, 65_536, -1, 1.5, 1e300, '1', null)
// Sound parts, and some that are not: one of those is enough to have the call refused.
const mostly = <Sound, Odd>(sound: fc.Arbitrary<Sound>, odd: fc.Arbitrary<Odd>): fc.Arbitrary<Sound | Odd> => fc.oneof({ weight: 30, arbitrary: sound }, { weight: 1, arbitrary: odd })
const token = mostly(fc.nat(9).map(tokenOf), fc.constantFrom<unknown>('x'.repeat(36), '', null))
const tokens = fc.array(token, { maxLength: 8 })
const target = mostly(fc.record({
  key: mostly(fc.constantFrom('A', 'B', 'toString', 'constructor', '__proto__'), name),
  address: mostly(fc.constantFrom('10.0.0.1', '10.0.0.2', '::1', '224.0.0.1', 'localhost'), number),
  ports: mostly(fc.dictionary(fc.constantFrom('game', 'voice', 'other', 'constructor'), fc.constantFrom(7001, 7002), { minKeys: 1, maxKeys: 3 }), fc.dictionary(fc.string(), number))
}), fc.jsonValue())
const grant = fc.record({ token, ttlMs: mostly(fc.constantFrom(1000, 60_000), number), target, consumed: fc.array(fc.constantFrom('game', 'voice', 'toString'), { maxLength: 2 }), client: fc.constantFrom('192.0.2.1', '::', 'nobody') }, { requiredKeys: ['token', 'ttlMs', 'target'] })
const epoch = fc.oneof({ weight: 5, arbitrary: fc.constantFrom<unknown>(0, 0, 1) }, { weight: 1, arbitrary: number })

const tokenKeys = mostly(fc.constantFrom(['0'.repeat(32)], ['0'.repeat(32), 'f'.repeat(32)]), fc.constantFrom<unknown>([], ['0'], null))
const clientText = fc.constantFrom('0.0.0.1:1', '[::1]:1', '192.0.2.1', 'nobody', '1:2:3')
const answer = mostly(fc.record({ id: fc.nat(20), verdict: fc.constantFrom('live', 'refused', 'followed', 'none', 'late', 'constructor'), grant, reason: fc.constantFrom('void', 'toString'), session: fc.record({ client: clientText, target, idleMs: number }) }, { requiredKeys: ['id', 'verdict'] }), fc.jsonValue())
const elsewhere = mostly(fc.record({ client: clientText, change: fc.constantFrom('moved', 'ended', 'seen'), target }, { requiredKeys: ['client', 'change'] }), fc.jsonValue())

const body = fc.oneof(
  { weight: 8, arbitrary: fc.record({ epoch, revoked: tokens, withdrawn: tokens, tokens: fc.array(grant, { maxLength: 5 }), defaultTargets: fc.array(target, { maxLength: 3 }), gone: fc.array(fc.record({ key: mostly(fc.constantFrom('A', 'B', 'constructor'), name), stays: target }, { requiredKeys: ['key'] }), { maxLength: 3 }), target, keys: tokenKeys, tokenKeys, answers: fc.array(answer, { maxLength: 3 }), clients: fc.array(elsewhere, { maxLength: 3 }) }) },
  { weight: 1, arbitrary: fc.jsonValue() })

const call = fc.record({
  name: fc.constantFrom(...Object.keys(rpcCalls) as (keyof typeof rpcCalls)[]),
  id: fc.oneof(fc.constantFrom('0-1', '1-2', '0-zzzzzzz', '-1', 'NaN-1', '1.0-1', '.', '%2e', '__proto__'), fc.string({ unit: 'grapheme', minLength: 1, maxLength: 12 }).map(encodeURIComponent)),
  asLine: fc.boolean(),
  query: fc.dictionary(fc.constantFrom('cursor', 'limit', 'client', 'target', 'more', 'activeWithinMs'), fc.oneof(fc.constantFrom('0', '1', '1e300', '-1', 'x', '192.0.2.1', '::1'), fc.string({ maxLength: 6 })), { maxKeys: 3 }),
  body,
  // What clients do between two calls.
  client: fc.option(fc.record({ port: fc.integer({ min: 1, max: 9 }), token: fc.nat(9) }))
})

const configuration = configFrom('inventory: {provider: file, path: .}\ndataPorts: [{name: game, port: 1}, {name: constructor, port: 2}]')

const awake = { isDraining: false, isStopping: false, told: async () => {} } as unknown as Draining

/** @param around what the handlers are wrapped in: a test has one that fails */
export function rpcBodies (around = (handlers: RpcHandlers): RpcHandlers => handlers): FuzzTarget {
  return fuzzTarget({
    name: 'rpc-bodies',
    what: 'calls of the proxy with bodies near the contract and far from it: never INTERNAL, and its state stays within bounds',
    inputs: fc.array(call, { minLength: 1, maxLength: 8 }),
    testRuns: 60,
    open: () => {
      const bugs: Error[] = []
      // The app is the same for all; what it calls is made anew for each input.
      let handlers: RpcHandlers
      const app = Fastify()
      const delegates = Object.fromEntries(Object.keys(rpcCalls).map(name => [name, (input: never) => handlers[name as keyof RpcHandlers](input)]))
      const onBug = (error: Error): void => { bugs.push(error) }
      registerRpc(app, createRpcService({ handlers: delegates as unknown as RpcHandlers, events: { read: () => undefined }, onBug }), onBug)
      return {
        check: async calls => {
          const small = smallProxy()
          handlers = around(small.handlers)
          bugs.length = 0
          await tryCalls(app, small, calls, bugs)
        },
        close: async () => { await app.close() }
      }
    }
  })
}

type Call = typeof call extends fc.Arbitrary<infer Value> ? Value : never

interface SmallProxy {
  readonly core: Core
  readonly clock: Clock
  readonly handlers: RpcHandlers
}

function smallProxy (): SmallProxy {
  const clock = createFakeClock(1000)
  const body = new ShardBody({ start: { config: configuration, stateStart: undefined, isTracing: false }, core: coreOptions(), clock, voice: { log: () => {}, publish: () => {} }, storage: undefined })
  body.attach({ dataPorts: [], upstreamSockets: () => 0, receiveDrops: () => [], sendHeld: () => undefined, flushHeld: () => undefined, sweep: function * () { return undefined } })
  const shard: Shard = {
    dataPorts: [],
    // Its tables are small: one slice does.
    call: async (name, ...args) => await new Promise(resolve => { body.run(name, args, resolve) }),
    close: async () => {}
  }
  const handlers = createHandlers({ shards: new Shards([shard], undefined, clock), instanceId: 'i', engine: 'dgram', dataPorts: [], draining: awake, events: { isControlled: () => false, endBefore: () => undefined, synchronised: async () => {} }, stats: async () => [], onUnusableTargets: () => {} })
  return { core: body.core, clock, handlers }
}

async function tryCalls (app: FastifyInstance, { core, clock }: SmallProxy, calls: readonly Call[], bugs: readonly Error[]): Promise<void> {
  for (const { name, id, asLine, query, body, client } of calls) {
    const { method, path, lines, body: schema }: RpcCall = rpcCalls[name]
    const sent = schema === undefined ? {} : { payload: JSON.stringify(onlyWhatIsAsked(body, schema['properties'] as object)), headers: { 'content-type': 'application/json' } }
    const { statusCode, payload } = asLine && lines !== undefined
      ? answerOf(await app.inject({ method, url: lines, ...sent }))
      : await app.inject({ method, url: path.replace(':id', () => id), query: method === 'GET' ? query : {}, ...sent })
    must(bugs.length === 0 && statusCode !== 500, `${name} failed: ${bugs[0]?.stack ?? payload}`)
    must(statusCode < 500 || payload.includes('TARGET_TABLE_FULL'), `${name} gave ${statusCode}`)
    JSON.parse(payload)
    if (client !== null) core.packets.fromClient(0, Uint32Array.of(0, 0, 0xffff, client.port), client.port, Buffer.from(tokenOf(client.token)), false, clock.now())
    core.state.counters.settleInFlight()
    mustBeSound(core, clock.now())
  }
}

// One line, as if it had been a call by itself.
function answerOf (response: { readonly statusCode: number, readonly payload: string }): { readonly statusCode: number, readonly payload: string } {
  must(response.statusCode === 200, `lines gave ${response.statusCode}`)
  const { status, body } = JSON.parse(response.payload) as { status: number, body: unknown }
  return { statusCode: status, payload: JSON.stringify(body) }
}

// Most bodies would be refused for what belongs to other calls.
function onlyWhatIsAsked (body: unknown, properties: object): unknown {
  return typeof body !== 'object' || body === null || Array.isArray(body) ? body : Object.fromEntries(Object.entries(body).filter(([key]) => key in properties))
}
