// Brings a push of tokens into a core: the same way when control sends one, and when they come back after a restart.
import type { RpcBody, TokenRejection } from '#rpc/contract.js'
import type { Token } from '#wire/token.js'
import type { Core } from '../core/core.js'
import type { ClaimedGrant } from './token-claims.js'
import type { Translator } from './translate.js'

/** New and void tokens; grants have their claims. */
export type TokenPush = Pick<RpcBody<'pushTokens'>, 'revoked' | 'withdrawn'> & { readonly tokens: readonly ClaimedGrant[] }

/**
 * How long a token that was made void stays so even against a grant that arrives after that, in ms. Such a grant sat
 * in a socket buffer while this process did not run; it is read in the same turn as what overtook it.
 */
const VOID_HOLD_MS = 60_000

/** In force when this returns. Returns the grants that were refused. */
export function applyTokens ({ operations }: Core, translator: Translator, { revoked, withdrawn = [], tokens }: TokenPush, now: number): TokenRejection[] {
  for (const token of revoked) operations.revoke(token as Token, VOID_HOLD_MS, now)
  for (const token of withdrawn) operations.withdraw(token as Token, VOID_HOLD_MS, now)
  const rejected: TokenRejection[] = []
  for (const grant of tokens) {
    const code = operations.grant(translator.grant(grant), now)
    if (code !== undefined) rejected.push({ token: grant.token, code })
  }
  return rejected
}
