// Histories of a small core: what clients, game servers, control and time may do to it. Its tables are so small that
// every bound is met.
import fc from 'fast-check'
import { whole } from '#core/slices.js'
import { addressWords } from '#wire/address.js'
import { controlPacket } from '#wire/control-packet.js'
import type { Token } from '#wire/token.js'
import { changedCoreOptions, type CoreChanges } from '../core-options.js'
import { createCore, type Core } from '../../apps/proxy/src/core/core.js'
import { Direction } from '../../apps/proxy/src/core/ledger/counters.js'
import type { CoreOptions } from '../../apps/proxy/src/core/datagrams/options.js'
import { FORWARD, type Verdict } from '../../apps/proxy/src/core/datagrams/packet-path.js'
import type { TargetSpec } from '../../apps/proxy/src/core/tables/target-table.js'

export const magic = Uint8Array.of(0xff, 0xff, 0xff, 0xff, 0x52)

export const dataPortNames = ['game', 'voice'] as const

export const servers: readonly TargetSpec[] = [
  { key: 'A', address: '10.0.0.1', ports: [7001, 7002] },
  { key: 'B', address: '10.0.0.2', ports: [7001, 7002] },
  { key: 'C', address: '10.0.0.1', ports: [7001, 0] },
  { key: 'D', address: 'fd00::4', ports: [7001, 7001] }
]

// Two share a prefix.
const clients = ['192.0.2.1', '192.0.2.1', '198.51.100.7', '2001:db8::1', '2001:db8::2', '2001:db8:0:1::1', '::1'].map(text => addressWords(text)!)

export function coreOptions (limits: CoreChanges['limits'] = {}): CoreOptions {
  return changedCoreOptions({
    dataPorts: dataPortNames.length,
    magic,
    sessionTimeoutMs: 60_000,
    onTargetGone: 'default',
    defaultChoice: 'roundRobin',
    blockedSourcePorts: [],
    limits: { maxSessions: 5, maxSessionsPerPrefix: 3, newSessionsPerSecond: 0, maxTokens: 6, maxTargets: 6, maxUpstreamSockets: 4, upstreamLingerMs: 5000, maxDatagramBytes: 100, ...limits }
  })
}

/** The token with this number. */
export function tokenOf (number: number): Token {
  return `0000000${number}-0000-4000-8000-00000000000${number}` as Token
}

const token = fc.nat(7)
const server = fc.nat(servers.length - 1)
const pick = fc.nat(7)

export type Payload = { readonly kind: 'token' | 'control', readonly token: number } | { readonly kind: 'bytes', readonly bytes: Uint8Array }

const payload: fc.Arbitrary<Payload> = fc.oneof(
  fc.record({ kind: fc.constantFrom('token' as const, 'control' as const), token }),
  fc.record({ kind: fc.constant('bytes' as const), bytes: fc.uint8Array({ maxLength: 12 }) }))

export type Step = NonNullable<(typeof step) extends fc.Arbitrary<infer Value> ? Value : never>

const step = fc.oneof(
  { weight: 4, arbitrary: fc.record({ do: fc.constant('grant' as const), token, server, ttlMs: fc.constantFrom(500, 20_000, 60_000), client: fc.option(fc.nat(clients.length - 1), { freq: 3 }) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constantFrom('revoke' as const, 'withdraw' as const), token }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('defaults' as const), servers: fc.uniqueArray(server) }) },
  { weight: 9, arbitrary: fc.record({ do: fc.constant('send' as const), client: fc.nat(clients.length - 1), port: fc.integer({ min: 1, max: 3 }), dataPort: fc.nat(1), payload }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('reply' as const), pick, bytes: fc.nat(30) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('move' as const), pick, server }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('end' as const), pick }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('gone' as const), server }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('pass' as const), ms: fc.constantFrom(1, 400, 2000, 6000) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('sweep' as const) }) })

export const history = fc.array(step, { maxLength: 60, size: 'max' })

const silent = { sessionChanged: () => {}, tokenRedeemed: () => {}, tokenRefused: () => {}, datagramDropped: () => {}, targetGone: () => {}, asked: () => {}, bindingChanged: () => {} }

export function smallCore (limits?: CoreChanges['limits']): Core {
  return createCore(coreOptions(limits), silent)
}

/** Takes a step, as engine and control would. What time does is the caller's. */
export function takeStep (core: Core, step: Step, now: number): void {
  const { operations, state: { sessions, flows } } = core
  switch (step.do) {
    case 'grant':
      operations.grant({ token: tokenOf(step.token), target: servers[step.server]!, ttlMs: step.ttlMs, consumed: 0, client: step.client === null ? undefined : clients[step.client] }, now)
      return
    case 'revoke': operations.revoke(tokenOf(step.token)); return
    case 'withdraw': operations.withdraw(tokenOf(step.token)); return
    case 'defaults':
      operations.setDefaultTargets(step.servers.map(number => servers[number]!))
      whole(operations.forgetCandidates(), now)
      return
    case 'send': send(core, step.dataPort, clients[step.client]!, step.port, bytesOf(step.payload), now); return
    case 'reply': {
      const flow = nth(step.pick, flows.highWater, flow => flows.isUsed(flow))
      if (flow >= 0) reply(core, flow, step.bytes, now)
      return
    }
    case 'move': {
      const slot = nth(step.pick, sessions.highWater, slot => sessions.isLive(slot))
      if (slot >= 0) operations.moveSession(slot, servers[step.server]!, now)
      return
    }
    case 'end': {
      const slot = nth(step.pick, sessions.highWater, slot => sessions.isLive(slot))
      if (slot >= 0) operations.endSession(slot, now)
      return
    }
    case 'gone': whole(operations.leaveTargets([{ key: servers[step.server]!.key, stays: undefined }], now), now); return
    case 'sweep':
      whole(operations.sweep(now), now)
      closeSockets(core)
      break
    case 'pass':
  }
}

/** A client's datagram, with what an engine does about the verdict. */
export function send ({ packets, state }: Core, dataPort: number, client: Uint32Array, port: number, bytes: Uint8Array, now: number): Verdict {
  const verdict = packets.fromClient(dataPort, client, port, bytes, false, now)
  if (verdict !== FORWARD) return verdict
  const socket = state.flows.socket(packets.flow)
  const { isIPv4 } = state.flows.endpoint(packets.flow)
  if (state.upstreamPorts.get(socket, isIPv4) === 0) state.upstreamPorts.set(socket, isIPv4, 30_000 + socket)
  state.counters.countProxied(Direction.toTarget, dataPort, bytes.length)
  return verdict
}

/** A game server's datagram on a flow. */
export function reply ({ packets, state }: Core, flow: number, bytes: number, now: number): Verdict {
  const { words, port } = state.flows.endpoint(flow)
  const verdict = packets.fromTarget(state.flows.socket(flow), words, port, bytes, false, now)
  if (verdict === FORWARD) state.counters.countProxied(Direction.toClient, state.flows.dataPort(flow), bytes)
  return verdict
}

function bytesOf (payload: Payload): Uint8Array {
  if (payload.kind === 'bytes') return payload.bytes
  return payload.kind === 'token' ? Buffer.from(tokenOf(payload.token)) : controlPacket(magic, tokenOf(payload.token))
}

function closeSockets ({ state: { flows, upstreamPorts } }: Core): void {
  for (let slot = 0; slot < upstreamPorts.slots; slot++) if (flows.usesOfSocket(slot >> 1) === 0) upstreamPorts.set(slot >> 1, slot % 2 === 0, 0)
}

function nth (pick: number, highWater: number, isThere: (slot: number) => boolean): number {
  const slots = Array.from({ length: highWater }, (_, slot) => slot).filter(isThere)
  return slots[pick % Math.max(1, slots.length)] ?? -1
}
