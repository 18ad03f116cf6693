// The names behind the numbers of a trace.
import { rpcCalls, type RpcName } from '#rpc/contract.js'
import { dropReasons } from '../../apps/proxy/src/core/ledger/drop-reason.js'
import { shardCalls } from '../../apps/proxy/src/shards/calls/shard.js'
import { fleetEvents } from '../cast/fleet.js'
import { storeEvents } from '../cast/world-store.js'

const rpcNames = Object.keys(rpcCalls) as RpcName[]
const eventTypes = ['hello', 'asked', 'counts', 'redeemed', 'binding', 'session', 'target', 'skipped', 'state'] as const
const answers = ['live', 'refused', 'followed', 'none', 'late'] as const
const operations = ['revoke', 'session'] as const

export const numberOfRpc = numbersOf(rpcNames)
export const numberOfEvent = numbersOf(eventTypes)
export const numberOfShardCall = numbersOf(shardCalls)
export const numberOfAnswer = numbersOf(answers)
export const numberOfOperation = numbersOf(operations)

/** By field. */
export const traceWords = {
  rpc: rpcNames,
  event: eventTypes,
  call: shardCalls,
  operation: operations,
  answer: answers,
  trouble: storeEvents,
  becomes: fleetEvents,
  kind: ['data', 'token', 'control', 'malformed', 'oversize'],
  verdict: Object.assign(['forwarded'], Object.fromEntries(Object.entries(dropReasons).map(([reason, { name }]) => [reason, name])))
} as const satisfies Record<string, readonly string[]>

function numbersOf<Name extends string> (names: readonly Name[]): Readonly<Record<Name, number>> {
  return Object.fromEntries(names.map((name, number) => [name, number])) as Record<Name, number>
}
