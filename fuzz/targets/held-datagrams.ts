// Clients that wait for a shared store: their datagrams, and answers near the contract and far from it, in any order, on a shard that
// ships. Whatever is said, nothing overtakes, nothing comes twice, and nothing is held for ever.
import fc from 'fast-check'
import { eventFromLine } from '#rpc/event-lines.js'
import { createRpcService, type RpcAnswer } from '#rpc/service.js'
import { configFrom } from '#testkit/config-from.js'
import { createFakeClock } from '#testkit/fake-clock.js'
import { coreOptions, magic } from '#testkit/lives/core-history.js'
import { markedToken, TOKEN_KEY } from '#testkit/objects/marked-token.js'
import { controlPacket } from '#wire/control-packet.js'
import type { Engine } from '../../apps/proxy/src/engines/engine.js'
import { Direction } from '../../apps/proxy/src/core/ledger/counters.js'
import { FORWARD } from '../../apps/proxy/src/core/datagrams/packet-path.js'
import type { Draining } from '../../apps/proxy/src/rpc/draining.js'
import { createHandlers } from '../../apps/proxy/src/rpc/handlers.js'
import { ShardBody } from '../../apps/proxy/src/shards/body/shard-body.js'
import { LocalHost } from '../../apps/proxy/src/shards/hosts/local-shard.js'
import type { ShardEvent } from '../../apps/proxy/src/shards/journal/shard-voice.js'
import { Shards } from '../../apps/proxy/src/shards/shards.js'
import { mustBeEmptyInTheEnd, mustBeSound } from '../core-facts.js'
import { fuzzTarget, must, type FuzzTarget } from '../fuzz-target.js'

const CLIENTS = 3
const DEADLINE_MS = 250
/** Of the text of a datagram: the client's number, and the datagram's among theirs. */
const DATA = /^(\d+):(\d+)$/

const odd = fc.constantFrom<unknown>(undefined, null, '', -1, 1.5, {}, [])
const mostly = <Sound>(sound: fc.Arbitrary<Sound>): fc.Arbitrary<unknown> => fc.oneof({ weight: 20, arbitrary: sound }, { weight: 1, arbitrary: odd })
const client = fc.nat(CLIENTS - 1)
const token = fc.nat(3)
const target = mostly(fc.record({ key: mostly(fc.constantFrom('A', 'B', '__proto__')), address: mostly(fc.constantFrom('10.0.0.1', '10.0.0.2', '224.0.0.1', '::1')), ports: mostly(fc.constantFrom({ game: 7001 }, { game: 7001, voice: 7002 }, {}, { constructor: 1 })) }))
const names = mostly(fc.subarray(['game', 'voice', 'toString']))

const answer = fc.record({
  /** Which of those that were asked, counted from the last one. */
  back: fc.nat(6),
  verdict: mostly(fc.constantFrom('live', 'live', 'refused', 'followed', 'followed', 'none', 'late')),
  /** Undefined: the one that was asked about. */
  token: fc.option(token, { freq: 5, nil: undefined }),
  ttlMs: mostly(fc.constantFrom(100, 60_000)),
  target,
  consumed: names,
  reason: mostly(fc.constantFrom('unknown', 'expired', 'consumed', 'void', 'not_theirs', undefined)),
  client: fc.option(client, { freq: 5, nil: undefined }),
  lacks: fc.constantFrom(undefined, undefined, undefined, undefined, 'grant', 'session')
})

const step = fc.oneof(
  { weight: 10, arbitrary: fc.record({ do: fc.constant('data' as const), client, dataPort: fc.nat(1) }) },
  { weight: 4, arbitrary: fc.record({ do: fc.constantFrom('token' as const, 'control' as const), client, dataPort: fc.nat(1), token, isForged: fc.boolean() }) },
  { weight: 8, arbitrary: fc.record({ do: fc.constant('answers' as const), answers: fc.array(answer, { minLength: 1, maxLength: 3 }) }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('elsewhere' as const), client, change: mostly(fc.constantFrom('moved', 'ended', 'seen')), target }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('push' as const), token, target }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('pass' as const), ms: fc.constantFrom(1, 100, DEADLINE_MS, 1001, 40_000) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('heard' as const), isOpen: fc.boolean() }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('list' as const), limit: fc.constantFrom('1', '500', '0', 'x'), activeWithinMs: fc.constantFrom('0', '1000', '-1') }) })

type Step = typeof step extends fc.Arbitrary<infer Value> ? Value : never
type AnswerStep = typeof answer extends fc.Arbitrary<infer Value> ? Value : never

const configuration = configFrom('inventory: {provider: file, path: .}\ndataPorts: [{name: game, port: 1}, {name: voice, port: 2}]')
const awake = { isDraining: false, isStopping: false, told: async () => {} } as unknown as Draining

/** @param around what the shard's engine sends by: a test has one that loses something */
export function heldDatagrams (around = (send: Engine['sendHeld']): Engine['sendHeld'] => send): FuzzTarget {
  return fuzzTarget({
    name: 'held-datagrams',
    what: 'clients that wait for a shared store, and answers near the contract and far from it: order is kept, the ledger balances, events fit the contract',
    inputs: fc.array(step, { minLength: 1, maxLength: 40, size: 'max' }),
    testRuns: 60,
    open: () => ({
      check: async steps => {
        const world = new SmallWorld(around)
        await world.begin()
        for (const each of steps) await world.take(each)
        await world.end()
      }
    })
  })
}

class SmallWorld {
  readonly #clock = createFakeClock(1000)
  readonly #bugs: Error[] = []
  readonly #asked: Extract<ShardEvent, { type: 'asked' }>[] = []
  readonly #sent = new Array<number>(CLIENTS).fill(0)
  // The last datagram of each that went on.
  readonly #last = new Array<number>(CLIENTS).fill(-1)
  readonly #body: ShardBody
  readonly #host: LocalHost
  readonly #service

  constructor (around: (send: Engine['sendHeld']) => Engine['sendHeld']) {
    const core = { ...coreOptions({ heldDatagrams: 12, storeDeadlineMs: DEADLINE_MS, asksPerSecond: 1000, asksPerPrefix: 1000 }), sharing: { follow: true, firstAskId: 7, askIdStep: 3 } }
    this.#body = new ShardBody({ start: { config: configuration, stateStart: undefined, isTracing: false }, core, clock: this.#clock, voice: { log: () => {}, publish: event => { this.#hear(event) } }, storage: undefined })
    const sendHeld = around((flow, dataPort, bytes) => { this.#forwarded(flow, dataPort, bytes) })
    this.#body.attach({ dataPorts: [], upstreamSockets: () => 0, receiveDrops: () => [], sendHeld, flushHeld: () => undefined, sweep: function * () { return undefined } })
    this.#host = new LocalHost(this.#body, this.#clock)
    const shards = new Shards([{ dataPorts: [], call: this.#host.call, close: async () => {} }], undefined, this.#clock)
    const events = { isControlled: () => false, endBefore: () => undefined, synchronised: async () => {} }
    const handlers = createHandlers({ shards, instanceId: 'i', engine: 'dgram', dataPorts: [], draining: awake, events, stats: async () => [], onUnusableTargets: () => {} })
    this.#service = createRpcService({ handlers, events: { read: () => undefined }, onBug: error => { this.#bugs.push(error) } })
  }

  async begin (): Promise<void> {
    const started = await this.#service.answer('putSnapshot', { body: { epoch: 0, revoked: [], tokenKeys: [TOKEN_KEY], tokens: [], defaultTargets: [{ key: 'D', address: '10.0.0.9', ports: { game: 7001, voice: 7001 } }] } })
    must(started.status === 200, 'no start')
    await this.#host.call('setEventKinds', ['asked', 'binding'])
    await this.#host.call('openAsks', true)
  }

  async take (step: Step): Promise<void> {
    switch (step.do) {
      case 'data': this.#send(step.client, step.dataPort, Buffer.from(`${step.client}:${this.#sent[step.client]!++}`)); break
      case 'token':
      case 'control': {
        const text = markedToken(`token ${step.token}`, step.isForged ? 'ff'.repeat(16) : TOKEN_KEY)
        this.#send(step.client, step.dataPort, step.do === 'token' ? Buffer.from(text) : controlPacket(magic, text))
        break
      }
      case 'answers': await this.#call('answerAsks', { body: { epoch: 0, answers: step.answers.map(each => this.#answerOf(each)) } }); break
      case 'elsewhere': await this.#call('tellElsewhere', { body: { epoch: 0, clients: [{ client: addressOf(step.client), change: step.change, target: step.target }] } }); break
      case 'push': await this.#call('pushTokens', { body: { epoch: 0, revoked: [], tokens: [{ token: markedToken(`token ${step.token}`), ttlMs: 60_000, target: step.target }] } }); break
      case 'pass': this.#clock.advance(step.ms); break
      case 'heard': await this.#host.call('openAsks', step.isOpen); break
      case 'list': await this.#call('listBindings', { query: { limit: step.limit, activeWithinMs: step.activeWithinMs } }); break
    }
    mustBeSound(this.#body.core, this.#clock.now())
  }

  /** Whoever waits still has waited for long enough in a while. */
  async end (): Promise<void> {
    await this.#host.call('openAsks', false)
    this.#clock.advance(1)
    const { core } = this.#body
    must(core.asks.heldCount === 0, `${core.asks.heldCount} datagrams are held for ever`)
    must(this.#clock.pending() === 0, 'a timer is left')
    mustBeEmptyInTheEnd(core, this.#clock.now())
  }

  #send (client: number, dataPort: number, bytes: Uint8Array): void {
    const { packets } = this.#body.core
    if (packets.fromClient(dataPort, Uint32Array.of(0, 0, 0xffff, client + 1), 1000, bytes, false, this.#clock.now()) === FORWARD) this.#forwarded(packets.flow, dataPort, bytes)
  }

  #forwarded (flow: number, dataPort: number, bytes: Uint8Array): void {
    const { core: { state: { counters, flows, sessions } } } = this.#body
    counters.countProxied(Direction.toTarget, dataPort, bytes.length)
    const [, client, number] = DATA.exec(Buffer.from(bytes).toString()) ?? []
    if (client === undefined) return
    must(flows.dataPort(flow) === dataPort && sessions.clientWords(flows.session(flow))[3] === Number(client) + 1, 'a datagram leaves by the flow of another client')
    must(this.#last[Number(client)]! < Number(number), `datagram ${number} of client ${client} leaves after ${this.#last[Number(client)]}`)
    this.#last[Number(client)] = Number(number)
  }

  #answerOf ({ back, verdict, token, ttlMs, target, consumed, reason, client, lacks }: AnswerStep): unknown {
    const ask = this.#asked.at(-1 - back)
    const name = token === undefined ? ask?.token ?? markedToken('token 0') : markedToken(`token ${token}`)
    const session = { client: client === undefined ? ask?.client ?? addressOf(0) : addressOf(client), target, token: name, tokenTtlMs: ttlMs, idleMs: 0 }
    const all = { id: ask?.id ?? back, verdict, reason, grant: { token: name, ttlMs, target, consumed }, session }
    return Object.fromEntries(Object.entries(all).filter(([key, value]) => value !== undefined && key !== lacks))
  }

  async #call (name: 'answerAsks' | 'tellElsewhere' | 'pushTokens' | 'listBindings', request: object): Promise<RpcAnswer> {
    // As it comes over a socket: what is undefined here is not there.
    const answered = await this.#service.answer(name, JSON.parse(JSON.stringify(request)) as object)
    must(this.#bugs.length === 0 && answered.status !== 500, `${name} failed: ${this.#bugs[0]?.stack ?? JSON.stringify(answered.body)}`)
    return answered
  }

  #hear (event: ShardEvent): void {
    const line = JSON.stringify(event)
    must(eventFromLine(line).ok, `${line} is not an event`)
    if (event.type === 'asked') this.#asked.push(event)
  }
}

function addressOf (client: number): string {
  return `0.0.0.${client + 1}:1000`
}
