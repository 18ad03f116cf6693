// The first thing a proxy is told on each connection: all that control knows. One call holds what fits it; the rest follows at once.
import { err, ok, type Result } from '#core/result.js'
import type { RpcClient } from '#rpc/client.js'
import { PER_CALL, type Target, type TokenGrant, type TokenRejection } from '#rpc/contract.js'
import type { RpcFailure } from '#rpc/failure.js'
import { candidatesInParts, isRefusal } from './default-targets.js'
import type { VoidTokens } from './push-queue.js'

export interface Snapshot {
  readonly epoch: number
  /** Grants are made when their call is: one that ends meanwhile is not told, and there is no turn in which all of them are made. */
  readonly grants: Iterator<TokenGrant, unknown>
  readonly voidTokens: VoidTokens
  /** Keys by whose mark tokens are ours, the newest first; undefined for a proxy of a version that knows of none. */
  readonly tokenKeys: readonly string[] | undefined
  /** Candidates of the default endpoint, best first. */
  readonly defaultTargets: readonly Target[]
  /** Undefined unless control drains. */
  readonly drainRemainingMs: number | undefined
}

export interface SnapshotAnswers {
  /** Tokens that the proxy did not take. */
  readonly onRejected: (rejected: readonly TokenRejection[]) => void
  /** The proxy does not take the default endpoint, and was told that it has no candidates: better than no director. */
  readonly onRefused: (failure: RpcFailure) => void
}

/** Tells everything; the instance id of the proxy that has taken it. */
export async function putSnapshot (client: Pick<RpcClient, 'call'>, snapshot: Snapshot, { onRejected, onRefused }: SnapshotAnswers): Promise<Result<string, RpcFailure>> {
  const { epoch, grants, voidTokens: { revoked, withdrawn }, defaultTargets, tokenKeys, drainRemainingMs } = snapshot
  const part = (from: number) => ({
    epoch,
    tokens: nextOf(grants, PER_CALL),
    revoked: revoked.slice(from, from + PER_CALL),
    withdrawn: withdrawn.slice(from, from + PER_CALL)
  })
  let [candidates, ...moreCandidates] = candidatesInParts(defaultTargets)
  const whole = {
    ...part(0),
    ...drainRemainingMs === undefined ? {} : { drainRemainingMs },
    ...tokenKeys === undefined ? {} : { tokenKeys: [...tokenKeys] }
  }
  let first = await client.call('putSnapshot', { body: { ...whole, ...candidates } })
  if (!first.ok && isRefusal(first.error) && candidates.defaultTargets.length > 0) {
    onRefused(first.error)
    candidates = { defaultTargets: [] }
    moreCandidates = []
    first = await client.call('putSnapshot', { body: { ...whole, ...candidates } })
  }
  if (!first.ok) return first
  onRejected(first.value.rejected)
  for (const body of moreCandidates) {
    const more = await client.call('putDefaultTargets', { body: { epoch, ...body } })
    if (!more.ok) return err(more.error)
  }
  for (let from = PER_CALL; ; from += PER_CALL) {
    const body = part(from)
    if (body.tokens.length === 0 && from >= Math.max(revoked.length, withdrawn.length)) break
    const more = await client.call('pushTokens', { body })
    if (!more.ok) return err(more.error)
    onRejected(more.value.rejected)
  }
  return ok(first.value.instanceId)
}

// What comes next, `most` at most; the rest stays where it is.
function nextOf<Value> (values: Iterator<Value, unknown>, most: number): Value[] {
  const taken: Value[] = []
  while (taken.length < most) {
    const next = values.next()
    if (next.done === true) break
    taken.push(next.value)
  }
  return taken
}
