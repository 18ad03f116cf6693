// What a core knows, asked of its tables rather than of the state log: every method that answers something about one slot
// is asked. Whoever teaches a table something new is asked for it from then on, and the log has to know it (or the rules
// below have to say why not).
import { formatAddress } from '#wire/address.js'
import type { Core } from '../../src/core/core.js'
import { pastFields, sessionPast, type SessionPast } from '../../src/core/tables/session-table.js'
import { Voidness } from '../../src/core/tables/token-table.js'

/** By the name of the question. */
export type Facts = Readonly<Record<string, unknown>>

// These change something, or are asked by something else than a slot.
const notQuestions: ReadonlySet<string> = new Set(['constructor', 'find', 'remove', 'setRedeemed', 'revoke', 'withdraw', 'usesOfSocket', 'usesOfLocal'])

type Rule = (answer: never, slot: number) => unknown

/**
 * What each table answers about each of its slots that is in use. An answer that is a number of this life only, a slot or
 * a time, is put in words that any life understands.
 * @param offsetMs what to add to a time of the core
 */
export function factsOf ({ state }: Core, offsetMs: number): Readonly<Record<string, readonly Facts[]>> {
  const { sessions, tokens, flows, targets, locals, upstreamPorts } = state
  const time = (ms: number): number => ms === 0 ? 0 : ms + offsetMs
  const target = (id: number): unknown => {
    const found = targets.find(id)
    return found === undefined ? 'none' : [found.key, found.address, found.ports]
  }
  const client = (slot: number): string => slot < 0 ? 'nobody' : `${formatAddress(sessions.clientWords(slot))} ${sessions.clientPort(slot)}`
  const about = (table: object, isUsed: (slot: number) => boolean, highWater: number, rules: Readonly<Record<string, Rule>>): Facts[] =>
    Array.from({ length: highWater }, (_, slot) => slot).filter(isUsed).map(slot => answersOf(table, slot, rules)).sort((one, other) => compare(JSON.stringify(one), JSON.stringify(other)))
  return {
    sessions: about(sessions, slot => sessions.isLive(slot), sessions.highWater, {
      target,
      lastSeen: time,
      createdAt: time,
      past: (past: SessionPast) => pastFields.map(field => sessionPast[field] === 'time' ? time(past[field]) : past[field]),
      readToken: ([expiresAt, words]: [number, number[]]) => [time(expiresAt), words],
      readPast: ([, values]: [number, number[]]) => pastFields.map((field, index) => sessionPast[field] === 'time' ? time(values[index]!) : values[index]),
      // Flows say whose they are.
      firstFlow: () => 'see flows'
    }),
    tokens: about(tokens, slot => tokens.isKnown(slot), tokens.highWater, {
      targetOf: target,
      // A void one is remembered for a while, whenever its time would have ended.
      expiresAt: (ms: number, slot: number) => tokens.voidnessOf(slot) === Voidness.none ? Math.round(time(ms)) : 'void'
    }),
    flows: about(flows, flow => flows.isUsed(flow), flows.highWater, {
      session: client,
      endpoint: ({ address, port, isIPv4 }: { address: string, port: number, isIPv4: boolean }) => [address, port, isIPv4],
      local: (local: number) => local === 0 ? 'any' : answersOf(locals, local, {})
    }),
    upstreamPorts: Array.from({ length: upstreamPorts.slots }, (_, slot) => ({ slot, port: upstreamPorts.atSlot(slot) })).filter(({ port }) => port > 0)
  }
}

/** Everything that is counted, by name, but for dead first tokens: those are counted from the start of each life. */
export function countersOf ({ state: { counters } }: Core): Facts {
  return Object.fromEntries(Object.entries(counters).flatMap(([name, value]: [string, unknown]) =>
    value instanceof Float64Array && name !== 'deadFirstTokens' ? [[name, [...value]]] : []))
}

// Whatever takes a slot and nothing else, and what copies into words.
function answersOf (table: object, slot: number, rules: Readonly<Record<string, Rule>>): Facts {
  const methods = Object.entries(Object.getOwnPropertyDescriptors(Object.getPrototypeOf(table))).flatMap(([name, { value }]) => typeof value === 'function' && !notQuestions.has(name) ? [[name, value] as const] : [])
  return Object.fromEntries(methods.flatMap(([name, method]) => {
    const words = name === 'readPast' ? new Float64Array(pastFields.length) : new Uint32Array(4)
    if (name.startsWith('read') && method.length === 2) {
      const answer = [method.call(table, slot, words) ?? 0, [...words]]
      return [[name, rules[name]?.(answer as never, slot) ?? answer]]
    }
    if (method.length !== 1) return []
    const answer = method.call(table, slot)
    return [[name, rules[name]?.(answer as never, slot) ?? (ArrayBuffer.isView(answer) ? [...answer as Uint32Array] : answer)]]
  }))
}

function compare (one: string, other: string): number {
  return one < other ? -1 : Number(one > other)
}
