// The numbers of a shard as plain data, and those of all shards as one.
import type { Core } from '../core/core.js'
import type { Counters } from '../core/counters.js'

/** The arrays of the core's counters; see there for what their places mean. */
export type CounterArrays = Pick<Counters, 'received' | 'proxied' | 'bytes' | 'dropped' | 'consumed' | 'redeemed' | 'sessionsCreated' | 'sessionsReset' | 'sessionsEnded' | 'targetsGone'>

export interface ShardStats {
  readonly counters: CounterArrays
  readonly sessions: number
  readonly tokens: number
  readonly tokensExpired: number
  readonly targets: number
  readonly upstreamSockets: number
  readonly socketErrors: number
  readonly linesSuppressed: number
  /** Datagrams that the system dropped before anybody could read them, by data port; empty if the engine cannot tell. */
  readonly receiveDrops: readonly number[]
}

/** What the shard around the core knows. */
export type ShardOwnStats = Pick<ShardStats, 'upstreamSockets' | 'socketErrors' | 'receiveDrops'> & { readonly journalSuppressed: number }

export function statsOf ({ state }: Core, { journalSuppressed, ...own }: ShardOwnStats): ShardStats {
  const { received, proxied, bytes, dropped, consumed, redeemed, sessionsCreated, sessionsReset, sessionsEnded, targetsGone } = state.counters
  return {
    ...own,
    counters: { received, proxied, bytes, dropped, consumed, redeemed, sessionsCreated, sessionsReset, sessionsEnded, targetsGone },
    sessions: state.sessions.size,
    tokens: state.tokens.size,
    tokensExpired: state.tokens.expiredUnused,
    targets: state.targets.size,
    linesSuppressed: state.warningsSuppressed + journalSuppressed
  }
}

/** All shards together. Every shard has every token and, roughly, every target: of those the largest number counts. */
export function totalOf (all: readonly ShardStats[]): ShardStats {
  return all.reduce((total, stats) => ({
    counters: Object.fromEntries(Object.entries(total.counters).map(([name, values]) => [name, sum(values, stats.counters[name as keyof CounterArrays])])) as unknown as CounterArrays,
    sessions: total.sessions + stats.sessions,
    tokens: Math.max(total.tokens, stats.tokens),
    tokensExpired: Math.max(total.tokensExpired, stats.tokensExpired),
    targets: Math.max(total.targets, stats.targets),
    upstreamSockets: total.upstreamSockets + stats.upstreamSockets,
    socketErrors: total.socketErrors + stats.socketErrors,
    linesSuppressed: total.linesSuppressed + stats.linesSuppressed,
    receiveDrops: total.receiveDrops.map((drops, index) => drops + (stats.receiveDrops[index] ?? 0))
  }))
}

function sum (left: Float64Array, right: Float64Array): Float64Array {
  return left.map((value, index) => value + right[index]!)
}
