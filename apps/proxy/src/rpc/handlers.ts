// What the proxy does when control calls: every row of the contract, on the core's operations.
import { ok, type Result } from '#core/result.js'
import { rpcFailure, type RpcHandlers } from '#rpc/server.js'
import type { Hello, RpcBody, RpcFailure, RpcReply, Sample, Target, TokenRejection } from '#rpc/contract.js'
import type { Clock } from '#core/clock.js'
import type { Token } from '#wire/token.js'
import type { Core } from '../core/core.js'
import { EpochGuard } from './epoch.js'
import { listSessions } from './session-list.js'
import type { Translator } from './translate.js'

export interface HandlerDeps {
  readonly core: Core
  readonly clock: Clock
  readonly translator: Translator
  readonly instanceId: string
  readonly engine: string
  readonly dataPorts: Hello['dataPorts']
  readonly isDraining: () => boolean
  readonly stats: () => Sample[]
  /** Candidates of the default endpoint were left out. */
  readonly onUnusableTargets: (faults: ReadonlyMap<string, string>) => void
}

/**
 * How long a token that was made void stays so even against a grant that arrives after that, in ms. Such a grant sat
 * in a socket buffer while this process did not run; it is read in the same turn as what overtook it.
 */
const VOID_HOLD_MS = 60_000

export function createHandlers (deps: HandlerDeps): RpcHandlers {
  const { core, clock, translator, instanceId } = deps
  const epoch = new EpochGuard()

  const applyTokens = ({ revoked, withdrawn = [], tokens }: RpcBody<'pushTokens'>): RpcReply<'pushTokens'> => {
    const now = clock.now()
    for (const token of revoked) core.operations.revoke(token as Token, VOID_HOLD_MS, now)
    for (const token of withdrawn) core.operations.withdraw(token as Token, VOID_HOLD_MS, now)
    const rejected: TokenRejection[] = []
    for (const grant of tokens) {
      const code = core.operations.grant(translator.grant(grant), now)
      if (code !== undefined) rejected.push({ token: grant.token, code })
    }
    return { instanceId, rejected }
  }

  const applyDefaults = (targets: readonly Target[]): void => {
    const faults = core.operations.setDefaultTargets(targets.map(target => translator.targetSpec(target)))
    if (faults.size > 0) deps.onUnusableTargets(faults)
  }

  const withSession = <Value> (id: string, use: (slot: number, now: number) => Result<Value, RpcFailure>): Result<Value, RpcFailure> => {
    const now = clock.now()
    const slot = core.operations.slotOf(id, now)
    return slot < 0 ? rpcFailure('NOT_FOUND') : use(slot, now)
  }

  const viewOf = (slot: number, now: number) => ok(translator.session(core.operations.viewOf(slot, now)))

  return {
    hello: () => ok({ instanceId, epoch: epoch.current, engine: deps.engine, draining: deps.isDraining(), dataPorts: deps.dataPorts }),
    putSnapshot: ({ body }) => {
      const refusal = epoch.start(body.epoch)
      if (refusal !== undefined) return refusal
      applyDefaults(body.defaultTargets)
      return ok(applyTokens(body))
    },
    pushTokens: ({ body }) => epoch.check(body.epoch) ?? ok(applyTokens(body)),
    leaveTargets: ({ body }) => {
      const refusal = epoch.check(body.epoch)
      if (refusal !== undefined) return refusal
      const gone = body.gone.map(({ key, stays }) => ({ key, stays: stays && translator.targetSpec(stays) }))
      return ok({ instanceId, sessions: Object.fromEntries(core.operations.leaveTargets(gone, clock.now())) })
    },
    putDefaultTargets: ({ body }) => {
      const refusal = epoch.check(body.epoch)
      if (refusal !== undefined) return refusal
      applyDefaults(body.defaultTargets)
      return ok({})
    },
    listSessions: ({ query }) => ok(listSessions(core, translator, query, clock.now())),
    getSession: ({ params }) => withSession(params.id, viewOf),
    endSession: ({ params }) => withSession(params.id, (slot, now) => {
      core.operations.endSession(slot, now)
      return ok({})
    }),
    moveSession: ({ params, body }) => withSession(params.id, (slot, now) => {
      const fault = core.operations.moveSession(slot, translator.targetSpec(body.target), now)
      return fault === undefined ? viewOf(slot, now) : rpcFailure(fault)
    }),
    stats: () => ok({ instanceId, samples: deps.stats() })
  }
}
