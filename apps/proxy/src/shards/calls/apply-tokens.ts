// Brings a push of tokens into a core.
import type { RpcBody, TokenRejection } from '#rpc/contract.js'
import type { Token } from '#wire/token.js'
import type { Core } from '../../core/core.js'
import type { ClaimedGrant } from './token-claims.js'
import type { Translator } from './translate.js'

/** New and void tokens; grants have their claims. */
export type TokenPush = Pick<RpcBody<'pushTokens'>, 'revoked' | 'withdrawn'> & { readonly tokens: readonly ClaimedGrant[] }

/** In force when this returns. Returns the grants that were refused. */
export function applyTokens ({ operations }: Core, translator: Translator, { revoked, withdrawn = [], tokens }: TokenPush, now: number): TokenRejection[] {
  for (const token of revoked) operations.revoke(token as Token)
  for (const token of withdrawn) operations.withdraw(token as Token)
  const rejected: TokenRejection[] = []
  for (const grant of tokens) {
    const code = operations.grant(translator.grant(grant), now)
    if (code !== undefined) rejected.push({ token: grant.token, code })
  }
  return rejected
}
