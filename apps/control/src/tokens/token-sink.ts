// Where tokens are redeemed, as who issues them sees it: they are brought there, and made void there.
import type { Result } from '#core/result.js'
import type { TokenGrant, TokenRejection } from '#rpc/contract.js'
import type { Token } from '#wire/token.js'

/** Why a token is not usable: nobody acknowledged it, the shared store did not take it, the queue is at its bound, or the proxy refused it. */
export type PushFailure = 'PROXY_UNAVAILABLE' | 'STORE_UNAVAILABLE' | 'PUSH_QUEUE_FULL' | TokenRejection['code']

export type PushResult = Result<undefined, PushFailure>

/** `known`: it was live until now where it was made void, whoever had issued it. */
export type RevokeResult = Result<'known' | undefined, PushFailure>

export interface TokenSink {
  /** Settles once the token can be redeemed, or within the deadline if it cannot. */
  readonly push: (grant: TokenGrant) => Promise<PushResult>
  /** Makes tokens void, now or as soon as that can be told, for `ttlMs` at most; ok once it is acknowledged. */
  readonly revoke: (tokens: readonly Token[], ttlMs: number) => Promise<RevokeResult>
  /** As `revoke`, for tokens whose target is gone; nobody waits for it. */
  readonly withdraw: (tokens: readonly Token[], ttlMs: number) => void
  /** True while it is not acknowledged that this token is void. */
  readonly isRevoking: (token: Token) => boolean
}
