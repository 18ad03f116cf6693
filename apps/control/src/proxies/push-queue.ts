// Token pushes on their way to the proxy. While one push is in flight the next ones wait and leave together, so a burst
// of queries costs one round trip. Every push settles within the deadline; one that was not acknowledged in time is
// revoked with the next call, strictly after the late one, so that it cannot stay alive behind the client's back.
import type { Cancel, Clock } from '#core/clock.js'
import { err, ok } from '#core/result.js'
import { PER_CALL, type TokenGrant, type TokenRejection } from '#rpc/contract.js'
import type { Token } from '#wire/token.js'
import type { PushResult } from '../tokens/token-sink.js'

/** Tokens that are to be void at the proxy: taken back, or without their target. */
export interface VoidTokens {
  readonly revoked: Token[]
  readonly withdrawn: Token[]
}

/** Brings one batch to the proxy; undefined if it was not acknowledged. */
export type SendBatch = (tokens: readonly TokenGrant[], voidTokens: VoidTokens) => Promise<readonly TokenRejection[] | undefined>

export interface PushQueueOptions {
  readonly clock: Clock
  readonly maxWaiting: number
  readonly deadlineMs: number
  readonly send: SendBatch
  readonly onBatch: (size: number) => void
}

interface Voiding {
  readonly reason: keyof VoidTokens
  /** From then on it does not matter. */
  readonly untilMs: number
}

interface Push {
  readonly grant: TokenGrant
  readonly dueMs: number
  /** Undefined once settled. */
  settle: ((result: PushResult) => void) | undefined
}

const acknowledged: PushResult = ok(undefined)
const unavailable: PushResult = err('PROXY_UNAVAILABLE')
const full: PushResult = err('PUSH_QUEUE_FULL')

export class PushQueue {
  readonly #options: PushQueueOptions
  /** What the proxy has not acknowledged. */
  readonly #voidings = new Map<Token, Voiding>()
  readonly #revokers: Array<{ readonly tokens: readonly Token[], readonly settle: (result: PushResult) => void }> = []
  #inFlight: Push[] = []
  #waiting: Push[] = []
  #isOpen = false
  #isSending = false
  #cancelTimer: Cancel | undefined

  constructor (options: PushQueueOptions) {
    this.#options = options
  }

  /** Settles once the proxy can redeem the token, or within the deadline if it cannot. */
  push (grant: TokenGrant): Promise<PushResult> {
    if (!this.#isOpen) return Promise.resolve(unavailable)
    if (this.#waiting.length >= this.#options.maxWaiting) return Promise.resolve(full)
    const dueMs = this.#options.clock.now() + this.#options.deadlineMs
    return new Promise(resolve => {
      this.#waiting.push({ grant, dueMs, settle: resolve })
      this.#watch()
      this.#leave()
    })
  }

  /** Makes tokens void. Unacknowledged revocations are kept for `ttlMs` and sent again when the link is back. */
  revoke (tokens: readonly Token[], ttlMs: number): Promise<PushResult> {
    this.#makeVoid(tokens, 'revoked', ttlMs)
    if (!this.#isOpen) return Promise.resolve(unavailable)
    return new Promise(resolve => {
      this.#revokers.push({ tokens, settle: resolve })
      this.#leave()
    })
  }

  /** As `revoke`, for tokens whose target is gone; nobody waits for it. */
  withdraw (tokens: readonly Token[], ttlMs: number): void {
    this.#makeVoid(tokens, 'withdrawn', ttlMs)
    this.#leave()
  }

  /** True while the proxy has not acknowledged that this token is void. */
  isRevoking (token: Token): boolean {
    return this.#voidings.has(token)
  }

  /** Pushes that have not left yet. */
  get waiting (): number {
    return this.#waiting.length
  }

  /** What is to be void, up to `limit` tokens; those that have expired anyway are dropped. */
  voidTokens (limit = Infinity): VoidTokens {
    const now = this.#options.clock.now()
    const voidTokens: VoidTokens = { revoked: [], withdrawn: [] }
    let count = 0
    for (const [token, { reason, untilMs }] of this.#voidings) {
      if (count === limit) break
      if (untilMs <= now) this.#voidings.delete(token)
      else {
        voidTokens[reason].push(token)
        count++
      }
    }
    return voidTokens
  }

  /** The proxy has acknowledged these. */
  settleVoid ({ revoked, withdrawn }: VoidTokens): void {
    for (const token of revoked) this.#voidings.delete(token)
    for (const token of withdrawn) this.#voidings.delete(token)
  }

  /** Lets pushes through. */
  open (): void {
    this.#isOpen = true
    this.#leave()
  }

  /** Refuses pushes from now on and gives up on all that are under way; those that left are to be revoked. */
  shut (): void {
    this.#isOpen = false
    for (const push of this.#inFlight) this.#giveUp(push)
    for (const push of this.#waiting) settle(push, unavailable)
    this.#waiting = []
    for (const revoker of this.#revokers.splice(0)) revoker.settle(unavailable)
    this.#cancelTimer?.()
    this.#cancelTimer = undefined
  }

  #leave (): void {
    if (this.#isSending || !this.#hasWork()) return
    this.#isSending = true
    // What is said in the same turn leaves together: one call, not one for the first of them and one for the others.
    queueMicrotask(() => {
      if (this.#hasWork()) void this.#send()
      else this.#isSending = false
    })
  }

  #hasWork (): boolean {
    return this.#isOpen && (this.#waiting.length > 0 || this.#voidings.size > 0)
  }

  async #send (): Promise<void> {
    const batch = this.#waiting.splice(0, PER_CALL)
    const voidTokens = this.voidTokens(PER_CALL)
    this.#inFlight = batch
    if (batch.length > 0) this.#options.onBatch(batch.length)
    const rejected = await this.#options.send(batch.map(({ grant }) => grant), voidTokens)
    this.#inFlight = []
    this.#isSending = false
    if (rejected === undefined) for (const push of batch) this.#giveUp(push)
    else this.#acknowledge(batch, voidTokens, rejected)
    this.#leave()
  }

  #acknowledge (batch: readonly Push[], voidTokens: VoidTokens, rejected: readonly TokenRejection[]): void {
    this.settleVoid(voidTokens)
    const reasons = rejected.length === 0 ? undefined : new Map(rejected.map(({ token, code }) => [token, code]))
    for (const push of batch) {
      // Too late: its query was told 503, so the token must not live.
      if (push.settle === undefined) this.#revoke(push)
      const reason = reasons?.get(push.grant.token)
      settle(push, reason === undefined ? acknowledged : err(reason))
    }
    for (let at = this.#revokers.length - 1; at >= 0; at--) {
      const { tokens, settle } = this.#revokers[at]!
      if (tokens.some(token => this.#voidings.has(token))) continue
      this.#revokers.splice(at, 1)
      settle(acknowledged)
    }
  }

  // It may or may not have arrived: only a revocation makes sure.
  #giveUp (push: Push): void {
    this.#revoke(push)
    settle(push, unavailable)
  }

  #revoke ({ grant: { token, ttlMs } }: Push): void {
    this.#makeVoid([token as Token], 'revoked', ttlMs)
  }

  #makeVoid (tokens: readonly Token[], reason: keyof VoidTokens, ttlMs: number): void {
    const untilMs = this.#options.clock.now() + ttlMs
    for (const token of tokens) this.#voidings.set(token, { reason, untilMs })
  }

  // One timer for all: every push has the same deadline, so the oldest is due first.
  #watch (): void {
    if (this.#cancelTimer !== undefined) return
    const oldest = this.#inFlight.find(({ settle }) => settle !== undefined) ?? this.#waiting[0]
    if (oldest === undefined) return
    this.#cancelTimer = this.#options.clock.after(oldest.dueMs - this.#options.clock.now(), () => {
      this.#cancelTimer = undefined
      this.#expire()
      this.#watch()
    })
  }

  #expire (): void {
    const now = this.#options.clock.now()
    for (const push of this.#inFlight) if (push.dueMs <= now) settle(push, unavailable)
    const due = this.#waiting.findIndex(({ dueMs }) => dueMs > now)
    for (const push of this.#waiting.splice(0, due < 0 ? this.#waiting.length : due)) settle(push, unavailable)
  }
}

function settle (push: Push, result: PushResult): void {
  push.settle?.(result)
  push.settle = undefined
}
