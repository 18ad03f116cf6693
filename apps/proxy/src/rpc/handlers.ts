// What the proxy does when control calls: every row of the contract, on its shards.
import { ok } from '#core/result.js'
import type { RpcHandlers } from '#rpc/service.js'
import { abilities, type Hello, type RpcBody, type RpcReply, type Sample } from '#rpc/contract.js'
import type { Draining } from './draining.js'
import type { Shards } from '../shards/shards.js'
import { Candidates, type CandidatesPart } from './candidates.js'
import { EpochGuard, type Refusal } from './epoch.js'
import type { EventStream } from './event-stream.js'

export interface HandlerDeps {
  readonly shards: Shards
  readonly instanceId: string
  readonly engine: string
  readonly dataPorts: Hello['dataPorts']
  readonly draining: Draining
  readonly events: Pick<EventStream, 'isControlled' | 'endBefore' | 'synchronised'>
  readonly stats: () => Promise<Sample[]>
  /** Candidates of the default endpoint were left out. */
  readonly onUnusableTargets: (faults: Readonly<Record<string, string>>) => void
}

export function createHandlers ({ shards, instanceId, engine, dataPorts, draining, events, stats, onUnusableTargets }: HandlerDeps): RpcHandlers {
  const epoch = new EpochGuard()

  const applyTokens = async (push: RpcBody<'pushTokens'>): Promise<RpcReply<'pushTokens'>> => ({ instanceId, rejected: await shards.applyTokens(push) })

  const candidates = new Candidates()

  const applyDefaults = async (part: CandidatesPart): Promise<Refusal | undefined> => {
    const taken = candidates.take(part)
    if (!taken.ok) return taken
    if (taken.value === undefined) return undefined
    const faults = await shards.setDefaultTargets(taken.value)
    if (Object.keys(faults).length > 0) onUnusableTargets(faults)
    return undefined
  }

  return {
    hello: () => ok({ instanceId, epoch: epoch.current, controlled: events.isControlled(epoch.current), engine, draining: draining.isDraining, dataPorts, can: [...abilities] }),
    putSnapshot: async ({ body }) => {
      const refusal = epoch.start(body.epoch)
      if (refusal !== undefined) return refusal
      events.endBefore(body.epoch)
      await draining.told(body.drainRemainingMs)
      const { defaultTargets, more, tokenKeys } = body
      if (tokenKeys !== undefined) await shards.ask('setTokenKeys', tokenKeys)
      const fault = await applyDefaults({ defaultTargets, more })
      if (fault !== undefined) return fault
      const reply = await applyTokens(body)
      await events.synchronised(body.epoch)
      return ok(reply)
    },
    pushTokens: async ({ body }) => epoch.check(body.epoch) ?? ok(await applyTokens(body)),
    leaveTargets: async ({ body }) => epoch.check(body.epoch) ?? ok({ instanceId, sessions: await shards.ask('leaveTargets', body.gone) }),
    putDefaultTargets: async ({ body }) => epoch.check(body.epoch) ?? await applyDefaults(body) ?? ok({}),
    putTokenKeys: async ({ body }) => epoch.check(body.epoch) ?? await done(shards.ask('setTokenKeys', body.keys)),
    answerAsks: async ({ body }) => epoch.check(body.epoch) ?? await done(shards.answerAsks(body.answers)),
    tellElsewhere: async ({ body }) => epoch.check(body.epoch) ?? await done(shards.ask('tellElsewhere', body.clients)),
    listBindings: async ({ query }) => ok(await shards.listBindings(query)),
    drain: async ({ body }) => {
      const refusal = epoch.check(body.epoch)
      if (refusal !== undefined) return refusal
      await draining.told(body.remainingMs)
      return ok({ instanceId, ...await shards.ask('left'), stopping: draining.isStopping })
    },
    listSessions: async ({ query }) => ok(await shards.listSessions(query)),
    getSession: async ({ params: { id } }) => await shards.withSession(id, 'getSession', id),
    endSession: async ({ params: { id } }) => await shards.withSession(id, 'endSession', id),
    moveSession: async ({ params: { id }, body }) => await shards.withSession(id, 'moveSession', id, body.target),
    stats: async () => ok({ instanceId, samples: await stats() })
  }
}

async function done (work: Promise<unknown>): Promise<ReturnType<typeof ok<Record<string, never>>>> {
  await work
  return ok({})
}
