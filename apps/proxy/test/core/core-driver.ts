// Runs scenarios against the pure core: no sockets, a clock that is a number.
import { whole } from '#core/slices.js'
import { addressWords } from '#wire/address.js'
import { controlPacket, magicFromHex } from '#wire/control-packet.js'
import type { Token } from '#wire/token.js'
import { changedCoreOptions, type CoreChanges } from '#testkit/core-options.js'
import { REPLY_BYTES, settings, type ClientOutcome, type Payload, type PortName, type ServerName, type Setting } from '#testkit/state-table/scenarios.js'
import { createCore, type Core } from '../../src/core/core.js'
import { consumedKindNames, Direction } from '../../src/core/ledger/counters.js'
import { dropReasons, type DropReason } from '../../src/core/ledger/drop-reason.js'
import type { CoreOptions } from '../../src/core/datagrams/options.js'
import type { Observer } from '../../src/core/ledger/observer.js'
import { CONSUMED, FORWARD, HELD } from '../../src/core/datagrams/packet-path.js'
import type { TargetSpec } from '../../src/core/tables/target-table.js'

const magicResult = magicFromHex('FFFFFFFF5245534554')
if (!magicResult.ok) throw new Error(magicResult.error)
export const magic = magicResult.value

const portIndex: Record<PortName, number> = { game: 0, voice: 1 }

export const servers: Record<ServerName, TargetSpec> = {
  A: { key: 'A', address: '10.0.0.1', ports: [7001, 7002] },
  B: { key: 'B', address: '10.0.0.2', ports: [7001, 7002] },
  C: { key: 'C', address: '10.0.0.3', ports: [7001, 0] },
  D: { key: 'D', address: 'fd00::4', ports: [7001, 7002] }
}

export const silentObserver: Observer = { sessionChanged: () => {}, tokenRedeemed: () => {}, tokenRefused: () => {}, datagramDropped: () => {}, targetGone: () => {}, asked: () => {}, bindingChanged: () => {} }

/** Options of a small core with two data ports, which judges first datagrams by nothing but what `changes` says. */
export function testOptions ({ limits, ...changes }: CoreChanges = {}): CoreOptions {
  return changedCoreOptions({
    dataPorts: 2,
    magic,
    blockedSourcePorts: [],
    ...changes,
    limits: { maxSessions: 100, maxSessionsPerPrefix: 100, newSessionsPerSecond: 0, amplificationFactor: 0, maxTokens: 100, maxTargets: 20, maxUpstreamSockets: 50, warningsPerSecond: 1000, ...limits }
  })
}

/** A token for a name, the same each time: readable in failures, valid on the wire. */
export function tokenOf (name: string): Token {
  let hash = 2166136261
  for (const character of name) hash = Math.imul(hash ^ character.charCodeAt(0), 16777619)
  return `${(hash >>> 0).toString(16).padStart(8, '0')}-0000-4000-8000-${Buffer.from(name).toString('hex').slice(0, 12).padStart(12, '0')}` as Token
}

/** @param tokenFor the token that a name stands for */
export function bytesOf (payload: Payload, tokenFor = tokenOf): Uint8Array {
  if ('data' in payload) return Buffer.from(payload.data, 'latin1')
  if ('magic' in payload) return Buffer.concat([magic, Buffer.from(payload.magic, 'latin1')])
  const tail = Buffer.from(payload.tail ?? '', 'latin1')
  return 'token' in payload
    ? Buffer.concat([Buffer.from(tokenFor(payload.token)), tail])
    : Buffer.concat([controlPacket(magic, tokenFor(payload.control)), tail])
}

const clientWords = addressWords('192.0.2.7')!

export class CoreDriver {
  readonly core: Core
  now = 1000
  readonly #clients = new Map<string, number>()
  // The upstream socket and endpoint a client's datagram last left by, per server and data port.
  readonly #routes = new Map<string, number>()

  constructor (setting: Setting, observer: Observer = silentObserver) {
    const { hasDefault, onInvalidToken, onTargetGone, refreshOn, sessionTimeoutSeconds } = settings[setting]
    this.core = createCore(testOptions({ limits: { amplificationFactor: 3 }, onInvalidToken, onTargetGone, refreshOn, sessionTimeoutMs: sessionTimeoutSeconds * 1000 }), observer)
    if (hasDefault) this.core.operations.setDefaultTargets([servers.D])
  }

  grant (name: string, to: ServerName, ttlSeconds = 30): void {
    const fault = this.core.operations.grant({ token: tokenOf(name), target: servers[to], ttlMs: ttlSeconds * 1000, consumed: 0 }, this.now)
    if (fault !== undefined) throw new Error(fault)
  }

  revoke (name: string): void {
    this.core.operations.revoke(tokenOf(name))
  }

  withdraw (name: string): void {
    this.core.operations.withdraw(tokenOf(name))
  }

  gone (server: ServerName): void {
    whole(this.core.operations.leaveTargets([{ key: servers[server].key, stays: undefined }], this.now), this.now)
  }

  send (client: string, on: PortName, payload: Payload): ClientOutcome {
    const before = [...this.core.state.counters.consumed]
    const bytes = bytesOf(payload)
    const verdict = this.core.packets.fromClient(portIndex[on], clientWords, this.#portOf(client), bytes, false, this.now)
    if (verdict === CONSUMED) return { consumed: consumedKindNames[before.findIndex((count, kind) => count !== this.core.state.counters.consumed[kind])]! }
    if (verdict === HELD) throw new Error('nobody is asked here')
    if (verdict !== FORWARD) return { dropped: dropReasons[verdict].name }
    const { flows } = this.core.state
    const endpoint = flows.endpoint(this.core.packets.flow)
    const [name] = Object.entries(servers).find(([, spec]) => spec.address === endpoint.address && spec.ports[portIndex[on]] === endpoint.port)!
    this.#routes.set(`${client} ${name} ${on}`, flows.socket(this.core.packets.flow))
    this.core.state.counters.countProxied(Direction.toTarget, portIndex[on], bytes.length)
    return { at: name as ServerName }
  }

  reply (server: ServerName, client: string, on: PortName): 'delivered' | { dropped: string } {
    const { address, ports } = servers[server]
    return this.#answer(this.#route(client, server, on), address, ports[portIndex[on]]!, client, on)
  }

  stranger (client: string, on: PortName): 'delivered' | { dropped: string } {
    const [route] = [...this.#routes].filter(([key]) => key.startsWith(`${client} `) && key.endsWith(on)).map(([, socket]) => socket)
    return this.#answer(route!, '10.9.9.9', 7001, client, on)
  }

  #answer (socket: number, address: string, port: number, client: string, on: PortName): 'delivered' | { dropped: string } {
    const verdict = this.core.packets.fromTarget(socket, addressWords(address)!, port, REPLY_BYTES, false, this.now)
    if (verdict !== FORWARD) return { dropped: dropReasons[verdict as DropReason].name }
    const { flows, sessions } = this.core.state
    if (flows.dataPort(this.core.packets.flow) !== portIndex[on]) throw new Error('reply on the wrong data port')
    if (sessions.clientPort(this.core.packets.session) !== this.#portOf(client)) throw new Error('reply to another client')
    this.core.state.counters.countProxied(Direction.toClient, portIndex[on], REPLY_BYTES)
    return 'delivered'
  }

  #route (client: string, server: ServerName, on: PortName): number {
    const socket = this.#routes.get(`${client} ${server} ${on}`)
    if (socket === undefined) throw new Error(`${client} never reached ${server} on ${on}`)
    return socket
  }

  #portOf (client: string): number {
    if (!this.#clients.has(client)) this.#clients.set(client, 40_000 + this.#clients.size)
    return this.#clients.get(client)!
  }
}
