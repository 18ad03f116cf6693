// The candidates of the default endpoint as the proxy should know them: the latest list wins, one call at a time.
import { MAX_DEFAULT_TARGETS, PER_CALL, type RpcBody, type Target } from '#rpc/contract.js'
import type { RpcFailure } from '#rpc/failure.js'

export type CandidatesPart = Omit<RpcBody<'putDefaultTargets'>, 'epoch'>

/** The calls that a list takes: one at least, for no candidates are a list, too. */
export function candidatesInParts (targets: readonly Target[]): [CandidatesPart, ...CandidatesPart[]] {
  const partAt = (after: number): CandidatesPart => ({
    defaultTargets: targets.slice(after, after + PER_CALL),
    ...after > 0 ? { after } : {},
    ...after + PER_CALL < targets.length ? { more: true } : {}
  })
  const [first, ...others] = Array.from({ length: Math.ceil(targets.length / PER_CALL) }, (_, part) => partAt(part * PER_CALL))
  return [first ?? partAt(0), ...others]
}

/** The proxy works but rejects these candidates; connecting again would not help. */
export function isRefusal ({ code }: RpcFailure): boolean {
  return code === 'INVALID_TARGET' || code === 'TARGET_TABLE_FULL'
}

export class DefaultTargets {
  readonly #send: (targets: Target[]) => Promise<boolean>
  #latest: Target[] = []
  #isDirty = false
  #isOpen = false
  #isSending = false
  readonly #waiters: Array<() => void> = []

  /** `send` tells the proxy; false if it was not acknowledged. */
  constructor (send: (targets: Target[]) => Promise<boolean>) {
    this.#send = send
  }

  set (targets: readonly Target[]): void {
    this.#latest = targets.slice(0, MAX_DEFAULT_TARGETS)
    this.#isDirty = true
    this.#leave()
  }

  /** The latest list, for a snapshot; it need not be sent again unless it changes. */
  take (): Target[] {
    this.#isDirty = false
    return this.#latest
  }

  open (): void {
    this.#isOpen = true
    this.#leave()
  }

  shut (): void {
    this.#isOpen = false
    this.#release()
  }

  /** Resolves when nothing is on its way that the proxy could be told now. */
  async idle (): Promise<void> {
    if (this.#isSending) await new Promise<void>(resolve => { this.#waiters.push(resolve) })
  }

  #release (): void {
    for (const resolve of this.#waiters.splice(0)) resolve()
  }

  #releaseIfIdle (): void {
    if (!this.#isSending) this.#release()
  }

  #leave (): void {
    if (this.#isOpen && this.#isDirty && !this.#isSending) void this.#sendLatest()
  }

  async #sendLatest (): Promise<void> {
    this.#isSending = true
    const isAcknowledged = await this.#send(this.take())
    this.#isSending = false
    // After a failure the next snapshot brings it.
    if (isAcknowledged) this.#leave()
    this.#releaseIfIdle()
  }
}
