// What a core knows, as data that can be compared, and what has to be true of every core.
import { whole } from '#core/slices.js'
import { TypeCompiler } from '@sinclair/typebox/compiler'
import type { Clock } from '#core/clock.js'
import { SessionSchema } from '#rpc/contract.js'
import { formatAddress } from '#wire/address.js'
import { tokenFromWords } from '#wire/token.js'
import type { Core } from '../apps/proxy/src/core/core.js'
import { Direction } from '../apps/proxy/src/core/ledger/counters.js'
import { FORWARD } from '../apps/proxy/src/core/datagrams/packet-path.js'
import { tableSizes } from '../apps/proxy/src/core/table-sizes.js'
import { Voidness } from '../apps/proxy/src/core/tables/token-table.js'
import { savedCounters } from '../apps/proxy/src/state/format/layout.js'
import { must } from './fuzz-target.js'
import { dataPortNames, reply, send } from '#testkit/lives/core-history.js'
import { translator } from '#testkit/lives/proxy-life.js'

const sessionCheck = TypeCompiler.Compile(SessionSchema)

/** Sessions, by client; times are wall-clock times. */
export function sessionsOf ({ state, operations }: Core, clock: Clock): string[] {
  const { sessions } = state
  const offset = clock.wallNow() - clock.now()
  const token = new Uint32Array(4)
  return slots(sessions.highWater, slot => sessions.isLive(slot)).map(slot => {
    const expiresAt = sessions.readToken(slot, token)
    const { key, address, ports } = operations.targetOf(slot)
    return JSON.stringify([operations.clientOf(slot), key, address, ports, sessions.origin(slot), sessions.hasRedeemed(slot), expiresAt === 0 ? 0 : [tokenFromWords(token), expiresAt + offset], sessions.createdAt(slot) + offset])
  }).sort()
}

/** Flows with their upstream sockets and the ports of those, lingering ones included. */
export function flowsOf ({ state, operations }: Core): string[] {
  const { flows, upstreamPorts } = state
  return slots(flows.highWater, flow => flows.isUsed(flow)).map(flow => {
    const { address, port, isIPv4 } = flows.endpoint(flow)
    const session = flows.session(flow)
    return JSON.stringify([session < 0 ? 'lingers' : operations.clientOf(session), flows.dataPort(flow), address, port, flows.socket(flow), upstreamPorts.get(flows.socket(flow), isIPv4)])
  }).sort()
}

/** Tokens that can be redeemed, and those that are void. */
export function tokensOf ({ state: { tokens, targets } }: Core, clock: Clock): string[] {
  const [words, offset] = [new Uint32Array(4), clock.wallNow() - clock.now()]
  return slots(tokens.highWater, slot => tokens.isKnown(slot)).flatMap(slot => {
    tokens.readToken(slot, words)
    const token = tokenFromWords(words)
    if (tokens.voidnessOf(slot) !== Voidness.none) return JSON.stringify([token, tokens.voidnessOf(slot)])
    if (tokens.expiresAt(slot) <= clock.now()) return []
    const { key, address, ports } = targets.get(tokens.targetOf(slot))
    return JSON.stringify([token, key, address, ports, tokens.consumedOn(slot), Math.ceil(tokens.expiresAt(slot) + offset), [...tokens.clientOf(slot) ?? []]])
  }).sort()
}

export function countersOf ({ state: { counters } }: Core): string {
  return JSON.stringify(savedCounters.map(name => [name, [...counters[name]]]))
}

/** Throws unless the core is within its bounds, can be told over RPC, and its ledger balances. */
export function mustBeSound (core: Core, now: number): void {
  const { state, operations } = core
  const { sessions, flows, counters, targets, options: { limits } } = state
  for (const [table, { entries, capacity }] of Object.entries(tableSizes(state))) must(entries >= 0 && entries <= capacity, `table ${table} has ${entries} of ${capacity}`)
  for (const name of savedCounters) must(counters[name].every(value => Number.isSafeInteger(value) && value >= 0), `counter ${name} is ${counters[name].join()}`)
  for (const direction of Object.values(Direction)) {
    const missing = counters.inFlight(direction) - (direction === Direction.toTarget ? core.asks.heldCount : 0)
    must(missing === 0, `${missing} datagrams are missing from the ledger, direction ${direction}`)
  }
  const withFlow = new Set<string>()
  for (const flow of slots(flows.highWater, candidate => flows.isUsed(candidate))) {
    const [slot, dataPort] = [flows.session(flow), flows.dataPort(flow)]
    must(dataPort < dataPortNames.length && flows.socket(flow) < limits.maxUpstreamSockets, `flow ${flow} is on data port ${dataPort}, socket ${flows.socket(flow)}`)
    if (slot < 0) continue
    must(sessions.isLive(slot) && !withFlow.has(`${slot} ${dataPort}`), `flow ${flow} has a session that is not there, or has two`)
    withFlow.add(`${slot} ${dataPort}`)
    const target = targets.get(sessions.target(slot))
    const { address, port } = flows.endpoint(flow)
    must(port === target.ports[dataPort] && address === formatAddress(target.words), `session ${slot} on ${target.key} has a flow to ${address} port ${port}`)
  }
  for (const slot of slots(sessions.highWater, candidate => sessions.isLive(candidate))) {
    const session = translator.session(operations.viewOf(slot, now))
    must(sessionCheck.Check(session), `session ${JSON.stringify(session)} fits no reply`)
  }
}

/** Throws unless every session's datagrams go to its own target, and the answers back to its own client. */
export function mustForward (core: Core, now: number): void {
  const { packets, state: { sessions, flows } } = core
  const client = new Uint32Array(4)
  for (const slot of slots(sessions.highWater, candidate => sessions.isLive(candidate))) {
    sessions.readClientWords(slot, client)
    for (const dataPort of dataPortNames.keys()) {
      if (send(core, dataPort, client, sessions.clientPort(slot), Buffer.from('data'), now) !== FORWARD) continue
      const { flow } = packets
      must(flows.session(flow) === slot && flows.dataPort(flow) === dataPort, 'a datagram left by the flow of another session')
      if (reply(core, flow, 4, now) === FORWARD) must(packets.session === slot, 'an answer reached another client')
    }
  }
}

/** Throws unless everything can end: nothing is held for ever. */
export function mustBeEmptyInTheEnd ({ operations, state }: Core, now: number): void {
  operations.setDefaultTargets([])
  whole(operations.forgetCandidates(), now)
  for (const days of [1, 2]) whole(operations.sweep(now + days * 86_400_000), now + days * 86_400_000)
  for (const [table, { entries }] of Object.entries(tableSizes(state))) must(entries === 0, `table ${table} keeps ${entries} for ever`)
}

function slots (highWater: number, isThere: (slot: number) => boolean): number[] {
  return Array.from({ length: highWater }, (_, slot) => slot).filter(isThere)
}
