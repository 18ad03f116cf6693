// What a shard does when it is asked, on the operations of its core: the inside of the table in shard.ts.
import { ok, type Result } from '#core/result.js'
import type { Clock } from '#core/clock.js'
import type { Slices } from '#core/slices.js'
import { rpcFailure, type RpcFailure } from '#rpc/failure.js'
import type { Core } from '../../core/core.js'
import { applyTokens } from './apply-tokens.js'
import type { ShardCallTable } from './call-runner.js'
import type { Journal } from '../journal/journal.js'
import type { ReplicaCallTable } from './replica-calls.js'
import { listSessions } from './session-list.js'
import type { SavedSoFar } from './shard.js'
import type { ShardStats } from './shard-stats.js'
import type { Translator } from './translate.js'

export interface ShardCallsDeps {
  readonly core: Core
  readonly clock: Clock
  readonly translator: Translator
  readonly journal: Pick<Journal, 'want'>
  /** What it does when it is asked about other replicas. */
  readonly replicas: ReplicaCallTable
  readonly stats: () => ShardStats
  /** Closes sockets nobody uses. */
  readonly sweepSockets: () => Slices<undefined>
  /** Writes what is due to the state log, if there is one. */
  readonly saveState: () => SavedSoFar
}

export function createShardCalls ({ core, clock, translator, journal, replicas, stats, sweepSockets, saveState }: ShardCallsDeps): ShardCallTable {
  const { operations } = core

  const withSession = <Value> (id: string, use: (slot: number, now: number) => Result<Value, RpcFailure>): Result<Value, RpcFailure> => {
    const now = clock.now()
    const slot = operations.slotOf(id, now)
    return slot < 0 ? rpcFailure('NOT_FOUND') : use(slot, now)
  }

  const viewOf = (slot: number, now: number) => ok(translator.session(operations.viewOf(slot, now)))

  return {
    applyTokens: push => applyTokens(core, translator, push, clock.now()),
    setDefaultTargets: function * (targets, more) {
      const faults = operations.setDefaultTargets(targets.map(target => translator.targetSpec(target)), more)
      yield * operations.forgetCandidates()
      return Object.fromEntries(faults)
    },
    leaveTargets: function * (gone) {
      const specs = gone.map(({ key, stays }) => ({ key, stays: stays && translator.targetSpec(stays) }))
      return Object.fromEntries(yield * operations.leaveTargets(specs, clock.now()))
    },
    listSessions: query => listSessions(core, translator, query, clock),
    getSession: id => withSession(id, viewOf),
    endSession: id => withSession(id, (slot, now) => {
      operations.endSession(slot, now)
      return ok({})
    }),
    moveSession: (id, target) => withSession(id, (slot, now) => {
      const fault = operations.moveSession(slot, translator.targetSpec(target), now)
      return fault === undefined ? viewOf(slot, now) : rpcFailure(fault)
    }),
    setEventKinds: kinds => { journal.want(kinds) },
    setDraining: isDraining => { operations.setDraining(isDraining) },
    ...replicas,
    left: () => operations.left(clock.now()),
    stats,
    takeChangedCounts: most => core.state.targets.takeChangedCounts(most),
    saveState,
    sweep: function * () {
      const ended = yield * operations.sweep(clock.now())
      yield * sweepSockets()
      return ended
    }
  }
}
