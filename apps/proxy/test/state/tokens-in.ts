// The tokens in state logs as people read them, rather than in columns.
import { formatAddress } from '#wire/address.js'
import { tokenFromWords, type Token } from '#wire/token.js'
import type { FakeClock } from '#testkit/fake-clock.js'
import type { TargetSpec } from '../../src/core/tables/target-table.js'
import { Voidness } from '../../src/core/tables/token-table.js'
import { NOBODY } from '../../src/state/format/layout.js'
import type { SavedState } from '../../src/state/saved-state.js'
import { savedTokens } from '../../src/state/saved-tokens.js'

export interface TokensIn {
  readonly tokens: ReadonlyArray<{ readonly token: Token, readonly ttlMs: number, readonly target: TargetSpec, readonly consumed: number, readonly client?: string }>
  readonly withdrawn: readonly Token[]
}

export function tokensIn (saved: SavedState, clock: Pick<FakeClock, 'boot' | 'wallNow'>): TokensIn {
  const { numbers, voidness, ttlMs, consumed, targets, specs, clients } = savedTokens(saved, clock)
  const rows = Array.from(ttlMs, (ms, row) => {
    const client = clients.subarray(row * 4, row * 4 + 4)
    return { token: tokenFromWords(numbers, row * 4), voidness: voidness[row], ttlMs: ms, target: specs[targets[row]!]!, consumed: consumed[row]!, ...client.join() === NOBODY.join() ? {} : { client: formatAddress(client) } }
  })
  return {
    tokens: rows.filter(({ voidness, ttlMs }) => voidness === Voidness.none && ttlMs >= 1).map(({ voidness, ...token }) => token),
    withdrawn: rows.filter(({ voidness }) => voidness === Voidness.targetGone).map(({ token }) => token)
  }
}
