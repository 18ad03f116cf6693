// All shards as one: what is for everybody goes to each, what is about one session goes to the shard that has it. Long
// lists go in parts, so that no shard reads one for longer than a datagram can wait.
import type { Clock } from '#core/clock.js'
import type { Result } from '#core/result.js'
import type { RpcBody, RpcQuery, Session, SessionsPage, Target, TokenGrant, TokenRejection } from '#rpc/contract.js'
import { MAX_REPLICA_ITEMS, type Answer, type Binding, type BindingsPage, type BindingsQuery } from '#rpc/replica-schemas.js'
import { rpcFailure, type RpcFailure } from '#rpc/failure.js'
import type { TokenPush } from './calls/apply-tokens.js'
import type { ClaimedAnswer } from './calls/replica-words.js'
import { DEFAULT_PAGE } from './calls/session-list.js'
import { joins, type CallOfAll, type Join, type Shard, type ShardCall, type ShardCalls } from './calls/shard.js'
import { shardOfSessionId } from './calls/session-id.js'
import type { ClaimedGrant, TokenClaims } from './calls/token-claims.js'

type SessionCall = 'getSession' | 'endSession' | 'moveSession'

// A cursor is a shard's number and the cursor within that shard.
const CURSOR_SHARD = 2 ** 32

/** Tokens, targets or counts in one message to or from a shard: below a millisecond to read and take in. */
export const PART = 250

export class Shards {
  readonly #shards: readonly Shard[]
  readonly #claims: TokenClaims | undefined
  readonly #clock: Clock
  // What must not overtake what was asked before.
  #last: Promise<unknown> = Promise.resolve()

  /** @param claims with more than one shard, what makes a token single-use among them */
  constructor (shards: readonly Shard[], claims: TokenClaims | undefined, clock: Clock) {
    this.#shards = shards
    this.#claims = claims
    this.#clock = clock
  }

  get count (): number { return this.#shards.length }

  /** Asks every shard; their answers become one as `joins` has it. */
  async ask<Name extends CallOfAll> (name: Name, ...args: Parameters<ShardCalls[Name]>): Promise<ReturnType<ShardCalls[Name]>> {
    const join = joins[name] as unknown as Join<Name>
    return join(await this.#all(name, ...args))
  }

  /**
   * A token that one shard refuses is refused: it would work for some clients only. The others void it. One that is void
   * in the same push stays void. Pushes keep their order: none is begun before the one before has been taken in.
   */
  async applyTokens ({ revoked, withdrawn = [], tokens }: Omit<RpcBody<'pushTokens'>, 'epoch'>): Promise<TokenRejection[]> {
    return await this.#inTurn(async () => {
      await this.#inParts(revoked, async part => { await this.#makeVoid({ revoked: part, withdrawn: [] }) })
      await this.#inParts(withdrawn, async part => { await this.#makeVoid({ revoked: [], withdrawn: part }) })
      const rejected: TokenRejection[] = []
      const isVoid = new Set([...revoked, ...withdrawn])
      await this.#inParts(isVoid.size === 0 ? tokens : tokens.filter(({ token }) => !isVoid.has(token)), async part => { rejected.push(...await this.#grant(part)) })
      return rejected
    })
  }

  async setDefaultTargets (targets: readonly Target[]): Promise<ReturnType<ShardCalls['setDefaultTargets']>> {
    return await this.#inTurn(async () => {
      const faults = new Map<string, string>()
      const tell = async (part: Target[], more: boolean): Promise<void> => {
        for (const found of await this.#all('setDefaultTargets', part, more)) for (const [key, fault] of Object.entries(found)) faults.set(key, fault)
      }
      await this.#inParts(targets, async part => { await tell(part, true) })
      await tell([], false)
      return Object.fromEntries(faults)
    })
  }

  /** A page goes on from shard to shard until it is full. Each shard says how many there are that match. */
  async listSessions ({ cursor = 0, limit = DEFAULT_PAGE, ...query }: RpcQuery<'listSessions'>): Promise<SessionsPage> {
    const sessions: Session[] = []
    let total = 0
    let nextCursor: number | undefined
    for (const [index, shard] of this.#shards.entries()) {
      const start = index * CURSOR_SHARD
      const page = await shard.call('listSessions', { ...query, cursor: Math.max(0, cursor - start), limit: limit - sessions.length })
      sessions.push(...page.sessions)
      total += page.total
      if (page.nextCursor !== undefined) nextCursor ??= start + page.nextCursor
    }
    return nextCursor === undefined ? { sessions, total } : { sessions, total, nextCursor }
  }

  /** Each to the shard that asked. A grant has the word of its token; if there is none left, that shard will not remember it (decision 60). */
  async answerAsks (answers: readonly Answer[]): Promise<void> {
    await this.#inTurn(async () => {
      const byShard = this.#shards.map((): ClaimedAnswer[] => [])
      for (const { grant, ...answer } of answers) {
        const claimed = grant && (this.#claimed(grant) ?? grant)
        byShard[answer.id % this.count]!.push({ ...answer, ...claimed === undefined ? {} : { grant: claimed } })
      }
      await Promise.all(this.#shards.map(async (shard, index) => { if (byShard[index]!.length > 0) await shard.call('answerAsks', byShard[index]!) }))
    })
  }

  /** A page of bindings; like that of sessions, it goes on from shard to shard until it is full. */
  async listBindings ({ cursor = 0, limit = MAX_REPLICA_ITEMS, ...query }: BindingsQuery): Promise<BindingsPage> {
    const bindings: Binding[] = []
    for (let index = Math.floor(cursor / CURSOR_SHARD); index < this.count; index++) {
      const start = index * CURSOR_SHARD
      if (bindings.length === limit) return { bindings, nextCursor: start }
      const page = await this.#shards[index]!.call('listBindings', { ...query, cursor: Math.max(0, cursor - start), limit: limit - bindings.length })
      bindings.push(...page.bindings)
      if (page.nextCursor !== undefined) return { bindings, nextCursor: start + page.nextCursor }
    }
    return { bindings }
  }

  async withSession<Name extends SessionCall> (id: string, name: Name, ...args: Parameters<ShardCalls[Name]>): Promise<ReturnType<ShardCalls[Name]> | Result<never, RpcFailure>> {
    const shard = this.#shards[shardOfSessionId(id)]
    return shard === undefined ? rpcFailure('NOT_FOUND') : await shard.call(name, ...args)
  }

  /** Has the counts that changed taken in: a part at a time, by the number of the shard. */
  async takeChangedCounts (take: (shard: number, part: Readonly<Record<string, number>>) => void): Promise<void> {
    await Promise.all(this.#shards.map(async (shard, index) => {
      for (;;) {
        const part = await shard.call('takeChangedCounts', PART)
        take(index, part)
        if (Object.keys(part).length < PART) return
        await this.#breath()
      }
    }))
  }

  /** Returns how many sessions ended. */
  async sweep (): Promise<number> {
    await this.#sweepClaims()
    return await this.ask('sweep')
  }

  async close (): Promise<void> {
    await Promise.all(this.#shards.map(async shard => { await shard.close() }))
  }

  async #makeVoid (part: Pick<TokenPush, 'revoked' | 'withdrawn'>): Promise<void> {
    await this.#all('applyTokens', { ...part, tokens: [] })
    this.#claims?.release([...part.revoked, ...part.withdrawn ?? []])
  }

  async #grant (part: readonly TokenGrant[]): Promise<TokenRejection[]> {
    const refused: TokenRejection[] = []
    const grants = part.flatMap(grant => {
      const claimed = this.#claimed(grant)
      if (claimed === undefined) refused.push({ token: grant.token, code: 'TOKEN_TABLE_FULL' })
      return claimed ?? []
    })
    const rejections = await this.#all('applyTokens', { revoked: [], withdrawn: [], tokens: grants })
    const rejected = [...new Map([...refused, ...rejections.flat()].map(rejection => [rejection.token, rejection])).values()]
    if (rejected.length > 0 && rejections.length > 1) await this.#makeVoid({ revoked: rejected.map(({ token }) => token), withdrawn: [] })
    return rejected
  }

  async #sweepClaims (): Promise<void> {
    if (this.#claims === undefined) return
    const slices = this.#claims.sweep(this.#clock.now())
    while (slices.next(this.#clock.now()).done !== true) await new Promise<void>(resolve => { this.#clock.after(0, resolve) })
  }

  #claimed (grant: TokenGrant): ClaimedGrant | undefined {
    return this.#claims === undefined ? grant : this.#claims.claimed(grant)
  }

  // A shard of this very thread forwards nothing before this has ended.
  async #breath (): Promise<void> {
    if (this.#shards.length === 1) await new Promise<void>(resolve => { this.#clock.after(0, resolve) })
  }

  async #inParts<Value> (all: readonly Value[], run: (part: Value[]) => Promise<void>): Promise<void> {
    for (let from = 0; from < all.length; from += PART) {
      if (from > 0) await this.#breath()
      await run(all.slice(from, from + PART))
    }
  }

  async #inTurn<Value> (run: () => Promise<Value>): Promise<Value> {
    const turn = this.#last.then(run)
    this.#last = turn.catch(() => undefined)
    return await turn
  }

  async #all<Name extends ShardCall> (name: Name, ...args: Parameters<ShardCalls[Name]>): Promise<ReturnType<ShardCalls[Name]>[]> {
    return await Promise.all(this.#shards.map(async shard => await shard.call(name, ...args)))
  }
}
