// The tokens a former life had, as the pushes that bring them back.
import type { Clock } from '#core/clock.js'
import type { TokenGrant } from '#rpc/contract.js'
import type { Token } from '#wire/token.js'
import type { TargetSpec } from '../core/tables/target-table.js'
import { Voidness } from '../core/tables/token-table.js'
import { Translator } from '../shards/calls/translate.js'
import { ImageKind } from './image-writer.js'
import { elapsedSince } from './moment.js'
import { SavedImages, type SavedToken } from './saved-images.js'
import type { SavedState } from './saved-state.js'

export interface SavedTokens {
  readonly tokens: readonly TokenGrant[]
  readonly revoked: readonly Token[]
  readonly withdrawn: readonly Token[]
}

// Longer than any token lives; a time that was wrong when it was written must not make one immortal.
const MAX_TTL_MS = 3_600_000

const none: SavedTokens = { tokens: [], revoked: [], withdrawn: [] }

// What all shards together say of one token.
interface Merged {
  readonly saved: SavedToken
  readonly spec: TargetSpec | undefined
  readonly consumed: number
  readonly ttlMs: number
}

/**
 * The tokens whose time is not over. None at all if a log is missing, or a later life had begun: it may have said that
 * they were redeemed, and control, which has them too, knows that better.
 * @param dataPortNames in the order of the core's data port numbers
 */
export function savedTokens ({ shards, shardCount, bootId, faulty, isOutdated }: SavedState, dataPortNames: readonly string[], clock: Pick<Clock, 'boot' | 'wallNow'>): SavedTokens {
  if (faulty.length > 0 || isOutdated || shards.size < shardCount) return none
  const merged = new Map<Token, Merged>()
  for (const { batches, lastMoment } of shards.values()) {
    const images = new SavedImages(batches)
    // Each shard has a time of its own, so what is compared is what was left.
    const awayMs = elapsedSince(lastMoment, bootId, clock)
    for (const slot of images.slots(ImageKind.token)) {
      const saved = images.token(slot)!
      const other = merged.get(saved.token)
      const ttlMs = saved.expiresAt - lastMoment.lifeMs - awayMs
      merged.set(saved.token, {
        // Being void is said to all of them.
        saved: other !== undefined && other.saved.voidness !== Voidness.none ? other.saved : saved,
        spec: images.target(saved.targetId),
        // Every shard knows where it was redeemed itself.
        consumed: saved.consumed | (other?.consumed ?? 0),
        ttlMs: Math.min(ttlMs, other?.ttlMs ?? MAX_TTL_MS)
      })
    }
  }
  const translator = new Translator(dataPortNames)
  const grants: TokenGrant[] = []
  const voids: Record<Voidness, Token[]> = { [Voidness.none]: [], [Voidness.revoked]: [], [Voidness.targetGone]: [] }
  for (const { saved: { token, voidness, client }, spec, consumed, ttlMs } of merged.values()) {
    voids[voidness].push(token)
    if (voidness !== Voidness.none || spec === undefined || ttlMs < 1) continue
    const redeemedOn = dataPortNames.filter((_, index) => (consumed >>> index & 1) === 1)
    grants.push({ token, ttlMs: Math.floor(ttlMs), target: translator.rpcTarget(spec), consumed: redeemedOn, ...client === undefined ? {} : { client } })
  }
  return { tokens: grants, revoked: voids[Voidness.revoked], withdrawn: voids[Voidness.targetGone] }
}
