// All shards as one: what is for everybody goes to each, what is about one session goes to the shard that has it.
import type { DrainLeft } from '#core/drain.js'
import type { Result } from '#core/result.js'
import type { RpcBody, RpcQuery, SessionsPage, TokenGrant, TokenRejection } from '#rpc/contract.js'
import { rpcFailure, type RpcFailure } from '#rpc/failure.js'
import type { Shard, ShardCall, ShardCalls } from './shard.js'
import { shardOfSessionId } from './session-id.js'
import { totalOf, type ShardStats } from './shard-stats.js'
import type { ClaimedGrant, TokenClaims } from './token-claims.js'

type SessionCall = 'getSession' | 'endSession' | 'moveSession'

// A cursor is a shard's number and the cursor within that shard.
const CURSOR_SHARD = 2 ** 32

export class Shards {
  readonly #shards: readonly Shard[]
  readonly #claims: TokenClaims | undefined

  /** @param claims with more than one shard, what makes a token single-use among them */
  constructor (shards: readonly Shard[], claims: TokenClaims | undefined) {
    this.#shards = shards
    this.#claims = claims
  }

  get count (): number { return this.#shards.length }

  /** A token that one shard refuses is refused: it would work for some clients only. The others void it. */
  async applyTokens ({ revoked, withdrawn = [], tokens }: Omit<RpcBody<'pushTokens'>, 'epoch'>): Promise<TokenRejection[]> {
    const refused: TokenRejection[] = []
    const grants = tokens.flatMap(grant => {
      const claimed = this.#claimed(grant)
      if (claimed === undefined) refused.push({ token: grant.token, code: 'TOKEN_TABLE_FULL' })
      return claimed ?? []
    })
    const rejections = await this.#all('applyTokens', { revoked, withdrawn, tokens: grants })
    const rejected = [...new Map([...refused, ...rejections.flat()].map(rejection => [rejection.token, rejection])).values()]
    if (rejected.length > 0 && rejections.length > 1) await this.#all('applyTokens', { revoked: rejected.map(({ token }) => token), tokens: [] })
    return rejected
  }

  async setDefaultTargets (...args: Parameters<ShardCalls['setDefaultTargets']>): Promise<ReturnType<ShardCalls['setDefaultTargets']>> {
    return Object.assign({}, ...await this.#all('setDefaultTargets', ...args)) as Record<string, string>
  }

  async leaveTargets (...args: Parameters<ShardCalls['leaveTargets']>): Promise<Record<string, number>> {
    // Not an object: a key may be called as something that every object has.
    const left = new Map<string, number>()
    for (const counts of await this.#all('leaveTargets', ...args)) {
      for (const [key, count] of Object.entries(counts)) left.set(key, (left.get(key) ?? 0) + count)
    }
    return Object.fromEntries(left)
  }

  /** A page comes from one shard; the cursor goes on with the next. */
  async listSessions ({ cursor = 0, ...query }: RpcQuery<'listSessions'>): Promise<SessionsPage> {
    const index = Math.floor(cursor / CURSOR_SHARD)
    const shard = this.#shards[index]
    const { sessions: total } = await this.stats()
    if (shard === undefined) return { sessions: [], total }
    const { sessions, nextCursor } = await shard.call('listSessions', { ...query, cursor: cursor % CURSOR_SHARD })
    if (nextCursor !== undefined) return { sessions, total, nextCursor: index * CURSOR_SHARD + nextCursor }
    return index + 1 < this.#shards.length ? { sessions, total, nextCursor: (index + 1) * CURSOR_SHARD } : { sessions, total }
  }

  async withSession<Name extends SessionCall> (id: string, name: Name, ...args: Parameters<ShardCalls[Name]>): Promise<ReturnType<ShardCalls[Name]> | Result<never, RpcFailure>> {
    const shard = this.#shards[shardOfSessionId(id)]
    return shard === undefined ? rpcFailure('NOT_FOUND') : await shard.call(name, ...args)
  }

  async setDraining (isDraining: boolean): Promise<void> {
    await this.#all('setDraining', isDraining)
  }

  /** What a drain waits for. Every shard has every token; one that is redeemed anywhere is so for all. */
  async left (): Promise<DrainLeft> {
    const all = await this.#all('left')
    return {
      sessions: all.reduce((sum, { sessions }) => sum + sessions, 0),
      unredeemedTokens: Math.max(...all.map(({ unredeemedTokens }) => unredeemedTokens))
    }
  }

  async stats (): Promise<ShardStats> {
    return totalOf(await this.#all('stats'))
  }

  /** The counts that changed, one record for each shard. */
  async takeChangedCounts (): Promise<readonly Readonly<Record<string, number>>[]> {
    return await this.#all('takeChangedCounts')
  }

  async saveState (): Promise<void> {
    await this.#all('saveState')
  }

  /** Returns how many sessions ended. */
  async sweep (): Promise<number> {
    this.#claims?.sweep()
    return (await this.#all('sweep')).reduce((sum, ended) => sum + ended, 0)
  }

  async close (): Promise<void> {
    await Promise.all(this.#shards.map(async shard => { await shard.close() }))
  }

  #claimed (grant: TokenGrant): ClaimedGrant | undefined {
    return this.#claims === undefined ? grant : this.#claims.claimed(grant)
  }

  async #all<Name extends ShardCall> (name: Name, ...args: Parameters<ShardCalls[Name]>): Promise<ReturnType<ShardCalls[Name]>[]> {
    return await Promise.all(this.#shards.map(async shard => await shard.call(name, ...args)))
  }
}
