// What each shard takes over from the process before this one.
import type { Clock } from '#core/clock.js'
import { TOKEN_WORDS, tokenFromWords } from '#wire/token.js'
import type { FormerState } from '../state/former-state.js'
import { NO_CLAIM, savedTokens, type SavedTokens } from '../state/saved-tokens.js'
import type { WriterEnd } from '../state/files/state-writer.js'
import type { ShardStateStart } from './body/shard-state.js'
import type { TokenClaims } from './calls/token-claims.js'

export interface StateStartOptions {
  readonly clock: Clock
  readonly former: Pick<FormerState, 'path' | 'saved' | 'unreadBefore'> | undefined
  readonly run: string
  /** Starts the thread that writes for so many shards; undefined: each writes itself. */
  readonly openWriter: ((shards: number) => readonly WriterEnd[]) | undefined
}

/** By the number of the shard; empty if nothing is kept. */
export function stateStarts ({ clock, former, run, openWriter }: StateStartOptions, shards: number, claims: TokenClaims | undefined): ShardStateStart[] {
  if (former === undefined) return []
  const { path, saved, unreadBefore = 0 } = former
  const found = savedTokens(saved, clock)
  const tokens = claims === undefined ? found : { ...found, claims: claimsOf(found, claims) }
  const { shardCount, bootId, nextGeneration: generation } = saved
  const header = { run, bootId: clock.boot()?.id, shards, generation }
  const writers = openWriter?.(shards)
  return Array.from({ length: shards }, (_, shard) => ({
    path,
    header: { ...header, shard },
    saved: { shardCount, bootId, shards: new Map([...saved.shards].filter(([former]) => shardCount !== shards || former === shard)) },
    unreadBefore,
    tokens,
    writer: writers?.[shard]
  }))
}

// Row by row: the word of each token, known to the claims by its text as those of control are.
function claimsOf ({ numbers, ttlMs }: SavedTokens, claims: TokenClaims): Uint32Array {
  return Uint32Array.from(ttlMs, (ms, row) => claims.claimOf(tokenFromWords(numbers, row * TOKEN_WORDS), ms) ?? NO_CLAIM)
}
