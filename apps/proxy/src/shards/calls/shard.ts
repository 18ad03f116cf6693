// A shard: one core, its engine and its journal, on one thread. The proxy has one shard in its own thread, or one for each
// worker; every client address belongs to exactly one of them. What the main thread asks of a shard is this table of
// calls, whose arguments and answers are plain data, so that a call means the same in this thread and across to another.
import type { EventKind, RpcBody, RpcQuery, RpcReply, Session, SessionsPage, StateStatus, Target } from '#rpc/contract.js'
import type { DrainLeft } from '#core/drain.js'
import type { RpcFailure } from '#rpc/failure.js'
import type { Result } from '#core/result.js'
import type { BoundDataPort } from '../../engines/engine.js'
import type { TokenPush } from './apply-tokens.js'
import type { ReplicaCalls } from './replica-calls.js'
import { totalOf, worseStatus, type ShardStats } from './shard-stats.js'

export interface ShardCalls extends ReplicaCalls {
  /** New and void tokens, in force when this returns. */
  applyTokens: (push: TokenPush) => RpcReply<'pushTokens'>['rejected']
  /** Replaces the candidates of the default endpoint, once the last part of them is there. Returns why some were left out, by key. */
  setDefaultTargets: (targets: readonly Target[], more: boolean) => Readonly<Record<string, string>>
  /** These targets are gone. Returns the sessions that are left, by key. */
  leaveTargets: (gone: RpcBody<'leaveTargets'>['gone']) => Readonly<Record<string, number>>
  listSessions: (query: RpcQuery<'listSessions'>) => SessionsPage
  getSession: (id: string) => Result<Session, RpcFailure>
  endSession: (id: string) => Result<Record<string, never>, RpcFailure>
  moveSession: (id: string, target: Target) => Result<Session, RpcFailure>
  /** Publishes events of these kinds, and of no others; in force when this returns. */
  setEventKinds: (kinds: readonly EventKind[]) => void
  /** Takes new sessions on the default endpoint, or none; in force when this returns. */
  setDraining: (isDraining: boolean) => void
  /** What a drain waits for. */
  left: () => DrainLeft
  stats: () => ShardStats
  /** Sessions by target key, absolute, of keys whose count changed since they were last told: `most` of them at most. */
  takeChangedCounts: (most: number) => Readonly<Record<string, number>>
  /** Writes to the state log what is not written already: counters, and a slice of a new log. Returns how that stands. */
  saveState: () => SavedSoFar
  /** Removes what is over: idle sessions, old tokens, unused sockets. Returns how many sessions ended. */
  sweep: () => number
}

/** How far a state log is. */
export interface SavedSoFar {
  /** Whether a restart finds all there is: nothing of an earlier life is needed any more. */
  readonly isComplete: boolean
  readonly status: StateStatus
}

export type ShardCall = keyof ShardCalls

export type Join<Name extends ShardCall> = (all: ReadonlyArray<ReturnType<ShardCalls[Name]>>) => ReturnType<ShardCalls[Name]>

/**
 * How the answers of all shards to a call become one. `apart`: the call is for one shard, or goes to them in parts; shards.ts
 * has a method for it.
 */
export const joins = {
  applyTokens: 'apart',
  setDefaultTargets: 'apart',
  leaveTargets: all => {
    // Not an object at first: a key may be called as something that every object has.
    const left = new Map<string, number>()
    for (const counts of all) {
      for (const [key, count] of Object.entries(counts)) left.set(key, (left.get(key) ?? 0) + count)
    }
    return Object.fromEntries(left)
  },
  listSessions: 'apart',
  getSession: 'apart',
  endSession: 'apart',
  moveSession: 'apart',
  setEventKinds: () => undefined,
  setDraining: () => undefined,
  setTokenKeys: () => undefined,
  openAsks: () => undefined,
  answerAsks: 'apart',
  tellElsewhere: () => undefined,
  listBindings: 'apart',
  // Every shard has every token; one that is redeemed anywhere is so for all.
  left: all => ({
    sessions: sumOf(all.map(({ sessions }) => sessions)),
    unredeemedTokens: Math.max(...all.map(({ unredeemedTokens }) => unredeemedTokens))
  }),
  stats: totalOf,
  takeChangedCounts: 'apart',
  // The shard that is worst off says how that stands.
  saveState: all => ({ isComplete: all.every(({ isComplete }) => isComplete), status: all.map(({ status }) => status).reduce(worseStatus) }),
  sweep: sumOf
} satisfies { readonly [Name in ShardCall]: Join<Name> | 'apart' }

/** Calls that are for all shards, as one. */
export type CallOfAll = { [Name in ShardCall]: typeof joins[Name] extends 'apart' ? never : Name }[ShardCall]

/** Every call there is. */
export const shardCalls = Object.keys(joins) as readonly ShardCall[]

function sumOf (numbers: readonly number[]): number {
  return numbers.reduce((sum, number) => sum + number, 0)
}

export interface Shard {
  readonly dataPorts: readonly BoundDataPort[]
  readonly call: <Name extends ShardCall> (name: Name, ...args: Parameters<ShardCalls[Name]>) => Promise<ReturnType<ShardCalls[Name]>>
  /** Lets go of every socket. */
  readonly close: () => Promise<void>
}
