// The tokens a former life had, as the pushes that bring them back.
import type { TokenGrant } from '#rpc/contract.js'
import type { Token } from '#wire/token.js'
import type { TargetSpec } from '../core/target-table.js'
import { Voidness } from '../core/token-table.js'
import { Translator } from '../shards/translate.js'
import { ImageKind } from './image-writer.js'
import { SavedImages, type SavedToken } from './saved-images.js'
import type { SavedState } from './saved-state.js'

export interface SavedTokens {
  readonly tokens: readonly TokenGrant[]
  readonly revoked: readonly Token[]
  readonly withdrawn: readonly Token[]
}

// Longer than any token lives; a wall clock that was set back must not make one immortal.
const MAX_TTL_MS = 3_600_000

const none: SavedTokens = { tokens: [], revoked: [], withdrawn: [] }

/**
 * The tokens whose time is not over. None at all if a log is missing: it may have said that they were redeemed, and
 * control, which has them too, knows that better.
 * @param dataPortNames in the order of the core's data port numbers
 */
export function savedTokens ({ shards, shardCount, faulty }: SavedState, dataPortNames: readonly string[], wallNow: number): SavedTokens {
  if (faulty.length > 0 || shards.size < shardCount) return none
  const merged = new Map<Token, { readonly saved: SavedToken, readonly spec: TargetSpec | undefined }>()
  for (const batches of shards.values()) {
    const images = new SavedImages(batches)
    for (const slot of images.slots(ImageKind.token)) {
      const saved = images.token(slot)!
      const other = merged.get(saved.token)
      // Every shard knows where it was redeemed itself; being void is said to all of them.
      const consumed = saved.consumed | (other?.saved.consumed ?? 0)
      merged.set(saved.token, { saved: { ...saved, consumed }, spec: images.target(saved.targetId) ?? other?.spec })
    }
  }
  const all = [...merged.values()]
  const translator = new Translator(dataPortNames)
  const grantOf = ({ token, expiresAtWallMs, consumed, client }: SavedToken, spec: TargetSpec): TokenGrant[] => {
    const ttlMs = Math.min(MAX_TTL_MS, Math.ceil(expiresAtWallMs - wallNow))
    if (ttlMs <= 0) return []
    const redeemedOn = dataPortNames.filter((_, index) => (consumed >>> index & 1) === 1)
    return [{ token, ttlMs, target: translator.rpcTarget(spec), consumed: redeemedOn, ...client === undefined ? {} : { client } }]
  }
  const voidFor = (reason: Voidness): Token[] => all.filter(({ saved }) => saved.voidness === reason).map(({ saved }) => saved.token)
  return {
    tokens: all.flatMap(({ saved, spec }) => saved.voidness === Voidness.none && spec !== undefined ? grantOf(saved, spec) : []),
    revoked: voidFor(Voidness.revoked),
    withdrawn: voidFor(Voidness.targetGone)
  }
}
