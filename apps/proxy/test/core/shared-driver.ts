// Runs scenarios of several directors against the pure core: whatever it asks is noted, and answered when the scenario says so.
import { markToken, tokenKeyFrom } from '#wire/token-mac.js'
import { addressWords } from '#wire/address.js'
import { TOKEN_WORDS, tokenFromWords, writeTokenWords, type Token } from '#wire/token.js'
import type { CoreChanges } from '#testkit/core-options.js'
import type { ClientOutcome, Payload, PortName, ServerName } from '#testkit/state-table/scenarios.js'
import type { StoreAnswer } from '#testkit/state-table/shared-scenarios.js'
import type { AskAnswer } from '../../src/core/asks/answer.js'
import { createCore, type Core } from '../../src/core/core.js'
import type { Forwarded } from '../../src/core/datagrams/asks.js'
import { CONSUMED, FORWARD, HELD } from '../../src/core/datagrams/packet-path.js'
import { consumedKindNames, Direction } from '../../src/core/ledger/counters.js'
import { dropReasons, type DropReason } from '../../src/core/ledger/drop-reason.js'
import type { BindingChange } from '../../src/core/ledger/observer.js'
import { TraceRing } from '../../src/core/ledger/trace-ring.js'
import { bytesOf, servers, silentObserver, testOptions, tokenOf } from './core-driver.js'

export const tokenKey = tokenKeyFrom('000102030405060708090a0b0c0d0e0f')
const portIndex: Record<PortName, number> = { game: 0, voice: 1 }
export const home = addressWords('192.0.2.7')!

/** The token of a name with the mark of our key; one whose name begins with `forged` has none. */
export function markedToken (name: string, key = tokenKey): Token {
  const words = new Uint32Array(TOKEN_WORDS)
  writeTokenWords(tokenOf(name), words)
  if (!name.startsWith('forged')) markToken(words, key)
  return tokenFromWords(words)
}

export interface NotedAsk {
  readonly id: number
  readonly client: number
  readonly dataPort: number
  readonly token: Token | undefined
}

export type Outcome = ClientOutcome | { readonly held: 'token' | 'session' | 'behind' }

// Hears every verdict in the moment in which it is given.
class Ear extends TraceRing {
  hear: (verdict: number, port: number) => void = () => {}

  override note (direction: Direction, _dataPort: number, verdict: number, _bytes: number, _words: Uint32Array, port: number): void {
    if (direction === Direction.toTarget) this.hear(verdict, port)
  }
}

export class SharedDriver {
  readonly core: Core
  now = 1000
  readonly asked: NotedAsk[] = []
  readonly bindings: [BindingChange, string][] = []
  readonly forwarded: { readonly bytes: Buffer, readonly mark: number, readonly dataPort: number, readonly port: number }[] = []
  readonly #clients = new Map<string, number>()
  readonly #outcomes: [client: number, outcome: Outcome][] = []

  constructor (changes: CoreChanges = {}, hasDefault = true) {
    const ear = new Ear()
    this.core = createCore(testOptions({ sharing: { follow: true, firstAskId: 1, askIdStep: 4 }, trace: ear, ...changes, limits: { asksPerSecond: 1e6, asksPerPrefix: 0, ...changes.limits } }), {
      ...silentObserver,
      asked: ({ id, clientPort, dataPort, token }) => { this.asked.push({ id, client: clientPort, dataPort, token: token && tokenFromWords(token) }) },
      bindingChanged: (change, slot) => { this.bindings.push([change, this.core.operations.targetOf(slot).key]) }
    })
    this.core.asks.setKeys([tokenKey])
    this.core.asks.open(true)
    if (hasDefault) this.core.operations.setDefaultTargets([servers.D])
    let before = [...this.core.state.counters.consumed]
    ear.hear = (verdict, port) => {
      const { consumed } = this.core.state.counters
      const kind = consumed.findIndex((count, index) => count !== before[index])
      before = [...consumed]
      if (verdict === HELD) return
      if (verdict === CONSUMED) this.#outcomes.push([port, { consumed: consumedKindNames[kind]! }])
      else if (verdict === FORWARD) this.#outcomes.push([port, { at: this.#serverOf(this.core.packets.flow) }])
      else this.#outcomes.push([port, { dropped: dropReasons[verdict as DropReason].name }])
    }
  }

  portOf (client: string): number {
    if (!this.#clients.has(client)) this.#clients.set(client, 40_000 + this.#clients.size)
    return this.#clients.get(client)!
  }

  grant (name: string, to: ServerName, ttlMs = 30_000): void {
    const fault = this.core.operations.grant({ token: markedToken(name), target: servers[to], ttlMs, consumed: 0 }, this.now)
    if (fault !== undefined) throw new Error(fault)
  }

  send (client: string, on: PortName, payload: Payload | Uint8Array): Outcome {
    const bytes = payload instanceof Uint8Array ? payload : bytesOf(payload, markedToken)
    const asks = this.asked.length
    const verdict = this.core.packets.fromClient(portIndex[on], home, this.portOf(client), bytes, false, this.now)
    if (verdict === HELD) return { held: this.asked.length === asks ? 'behind' : this.#kindOf(this.asked.at(-1)!) }
    if (verdict === FORWARD) this.core.state.counters.countProxied(Direction.toTarget, portIndex[on], bytes.length)
    return this.#take()[0]![1]
  }

  /** What becomes of what waits of this client. */
  answer (client: string, answer: StoreAnswer): Outcome[] {
    const ask = this.lastAsk(client)
    return this.#settling(() => {
      if (!this.core.asks.answer(answerOf(ask, answer), this.now, this.forward)) throw new Error(`${JSON.stringify(answer)} does not fit`)
    })
  }

  /** The time of this client's ask is over. */
  silence (client: string): Outcome[] {
    this.now += this.core.state.options.limits.storeDeadlineMs
    const port = this.portOf(client)
    return this.#settling(() => { this.#expire() }).filter((_, index) => this.#settled[index] === port)
  }

  /** By client, what becomes of what waits. */
  control (place: 'away' | 'back'): Record<string, Outcome[]> {
    this.core.asks.open(place === 'back')
    const outcomes = this.#settling(() => { this.#expire() })
    const names = new Map([...this.#clients].map(([name, port]) => [port, name]))
    const byClient: Record<string, Outcome[]> = {}
    for (const [index, outcome] of outcomes.entries()) (byClient[names.get(this.#settled[index]!)!] ??= []).push(outcome)
    return byClient
  }

  lastAsk (client: string): NotedAsk {
    const port = this.portOf(client)
    const ask = this.asked.findLast(asked => asked.client === port)
    if (ask === undefined) throw new Error(`nobody was asked about ${client}`)
    return ask
  }

  readonly forward = ({ bytes, mark, dataPort, client }: Forwarded): void => {
    this.core.state.counters.countProxied(Direction.toTarget, dataPort, bytes.length)
    this.forwarded.push({ bytes: Buffer.from(bytes), mark, dataPort, port: client[4]! })
  }

  // The clients of what was settled last, in the same order.
  #settled: number[] = []

  #settling (settle: () => void): Outcome[] {
    const asks = this.asked.length
    settle()
    const outcomes = this.#take()
    for (const ask of this.asked.slice(asks)) outcomes.push([ask.client, { held: this.#kindOf(ask) }])
    this.#settled = outcomes.map(([port]) => port)
    return outcomes.map(([, outcome]) => outcome)
  }

  #expire (): void {
    while (this.core.asks.nextDueAt <= this.now) this.core.asks.expire(this.now, this.forward)
  }

  #take (): [number, Outcome][] {
    return this.#outcomes.splice(0)
  }

  #kindOf ({ token }: NotedAsk): 'token' | 'session' {
    return token === undefined ? 'session' : 'token'
  }

  #serverOf (flow: number): ServerName {
    const { address, port } = this.core.state.flows.endpoint(flow)
    const dataPort = this.core.state.flows.dataPort(flow)
    return Object.entries(servers).find(([, spec]) => spec.address === address && spec.ports[dataPort] === port)![0] as ServerName
  }
}

/** What the core is told. */
export function answerOf ({ id, token }: NotedAsk, answer: StoreAnswer): AskAnswer {
  if (answer === 'none' || answer === 'late') return { id, verdict: answer }
  if ('refused' in answer) return { id, verdict: 'refused', reason: answer.refused }
  if ('followed' in answer) {
    const bound = answer.boundBy === undefined ? {} : { token: markedToken(answer.boundBy), tokenTtlMs: 20_000 }
    return { id, verdict: 'followed', session: { target: servers[answer.followed], ...bound } }
  }
  const consumed = (answer.consumedOn ?? []).reduce((mask, port) => mask | 1 << portIndex[port], 0)
  return { id, verdict: 'live', grant: { token: token ?? markedToken('nothing'), target: servers[answer.live], ttlMs: 30_000, consumed } }
}
