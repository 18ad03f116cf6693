// The live tokens that this control process has issued, and how many for each target are not redeemed yet. The proxy redeems from
// a table of its own; control tells it this one again after a restart, and counts it as half of a target's load.
import type { Cancel, Clock } from '#core/clock.js'
import type { Selection } from '#config/schema.js'
import type { Target, TokenGrant } from '#rpc/contract.js'
import type { Token } from '#wire/token.js'

// Tokens are forgotten in whole slices of time, so that a sweep touches only what has ended, whatever the TTLs are.
const SLICE_MS = 250

/** Whose a token is. */
export interface Holder {
  /** The key of the caller that asked for it, which its unredeemed tokens are counted by. */
  readonly caller?: string
  /** The only address that may redeem it. */
  readonly client?: string
}

interface Entry extends Holder {
  readonly target: Target
  readonly selection: Selection | undefined
  /** On the clock's monotonic scale. */
  readonly expiresAtMs: number
  /** Data ports it has been redeemed on; most tokens are redeemed once, on one port. */
  consumed: string[] | undefined
}

/** A token nobody has redeemed yet, and the selection that its target was the answer to. */
export interface UnredeemedToken {
  readonly token: Token
  readonly target: Target
  readonly selection: Selection
}

const nobody: Holder = {}

/** Tokens forgotten in one turn: about a millisecond. */
const FORGOTTEN_AT_ONCE = 1000

export class TokenRegistry {
  readonly #clock: Clock
  readonly #maxTokens: number
  readonly #entries = new Map<Token, Entry>()
  readonly #slices = new Map<number, Set<Token>>()
  // By target key: those that nobody has redeemed yet.
  readonly #pending = new Map<string, Set<Token>>()
  // By caller: how many of their tokens nobody has redeemed yet.
  readonly #held = new Map<string, number>()
  readonly #stopSweep: () => void
  #cancelForget: Cancel | undefined
  #sweptSlice: number
  #unredeemed = 0
  // Tokens that are over and not forgotten yet.
  readonly #over: Token[] = []

  /** Sweeps by itself from now on, until `close`. */
  constructor (clock: Clock, maxTokens: number) {
    this.#clock = clock
    this.#maxTokens = maxTokens
    this.#sweptSlice = Math.floor(clock.now() / SLICE_MS)
    this.#stopSweep = clock.every(SLICE_MS, () => { this.#sweep() })
  }

  /**
   * Takes a token in; false if `limits.maxTokens` is reached. Without a `selection` its target is an address, which no
   * object can take away.
   */
  add (token: Token, target: Target, ttlMs: number, selection?: Selection, holder: Holder = nobody): boolean {
    if (this.#entries.size >= this.#maxTokens) return false
    const expiresAtMs = this.#clock.now() + ttlMs
    this.#entries.set(token, { ...holder, target, selection, expiresAtMs, consumed: undefined })
    // The end of its slice: a token is forgotten up to 250 ms late, never early.
    const slice = sliceOf(expiresAtMs)
    const tokens = this.#slices.get(slice)
    if (tokens === undefined) this.#slices.set(slice, new Set([token]))
    else tokens.add(token)
    const pending = this.#pending.get(target.key)
    if (pending === undefined) this.#pending.set(target.key, new Set([token]))
    else pending.add(token)
    this.#unredeemed++
    if (holder.caller !== undefined) this.#held.set(holder.caller, this.held(holder.caller) + 1)
    return true
  }

  /** The target of a live token. */
  targetOf (token: Token): Target | undefined {
    const entry = this.#entries.get(token)
    return entry !== undefined && entry.expiresAtMs > this.#clock.now() ? entry.target : undefined
  }

  has (token: Token): boolean {
    return this.#entries.has(token)
  }

  /** Forgets a token; false if it was not there or has expired. */
  delete (token: Token): boolean {
    const isLive = this.targetOf(token) !== undefined
    this.#forget(token)
    return isLive
  }

  /** Notes that the proxy redeemed a token on a data port. */
  consume (token: Token, dataPort: string): void {
    const entry = this.#entries.get(token)
    if (entry === undefined) return
    if (entry.consumed === undefined) {
      entry.consumed = [dataPort]
      this.#settle(token, entry)
    } else if (!entry.consumed.includes(dataPort)) entry.consumed.push(dataPort)
  }

  /** Tokens that nobody has redeemed yet. */
  get unredeemedTokens (): number {
    return this.#unredeemed
  }

  /** Tokens for a target that nobody has redeemed yet. */
  pending (targetKey: string): number {
    return this.#pending.get(targetKey)?.size ?? 0
  }

  /** The same of every target that has any, by its key. */
  * pendingByTarget (): Iterable<readonly [targetKey: string, count: number]> {
    for (const [key, tokens] of this.#pending) yield [key, tokens.size]
  }

  /** Tokens a caller has asked for that nobody has redeemed yet. */
  held (caller: string): number {
    return this.#held.get(caller) ?? 0
  }

  /** Those of a target that depend on an object. */
  * unredeemed (targetKey: string): Iterable<UnredeemedToken> {
    for (const token of this.#pending.get(targetKey) ?? []) {
      const { target, selection } = this.#entries.get(token)!
      if (selection !== undefined) yield { token, target, selection }
    }
  }

  get size (): number {
    return this.#entries.size
  }

  /** A live token with what is left of its TTL. */
  grantOf (token: Token): TokenGrant | undefined {
    const entry = this.#entries.get(token)
    return entry === undefined ? undefined : this.#grantFrom(token, entry)
  }

  /** Every live token with what is left of its TTL when it is its turn; tokens may come and go between two of them. */
  * grants (): Generator<TokenGrant> {
    for (const [token, entry] of this.#entries) {
      const grant = this.#grantFrom(token, entry)
      if (grant !== undefined) yield grant
    }
  }

  close (): void {
    this.#stopSweep()
    this.#cancelForget?.()
  }

  #grantFrom (token: Token, { target, expiresAtMs, consumed, client }: Entry): TokenGrant | undefined {
    const ttlMs = Math.ceil(expiresAtMs - this.#clock.now())
    if (ttlMs <= 0) return undefined
    const grant = client === undefined ? { token, ttlMs, target } : { token, ttlMs, target, client }
    return consumed === undefined ? grant : { ...grant, consumed: [...consumed] }
  }

  #sweep (): void {
    const current = Math.floor(this.#clock.now() / SLICE_MS)
    while (this.#sweptSlice < current) {
      this.#sweptSlice++
      const tokens = this.#slices.get(this.#sweptSlice)
      this.#slices.delete(this.#sweptSlice)
      if (tokens !== undefined) for (const token of tokens) this.#over.push(token)
    }
    if (this.#cancelForget === undefined) this.#forgetSome()
  }

  // A few at a time, because queries wait meanwhile: the sweep may be late, and thousands may end in the same slice.
  #forgetSome (): void {
    this.#cancelForget = undefined
    for (const token of this.#over.splice(Math.max(0, this.#over.length - FORGOTTEN_AT_ONCE))) this.#forget(token)
    if (this.#over.length > 0) this.#cancelForget = this.#clock.after(1, () => { this.#forgetSome() })
  }

  #forget (token: Token): void {
    const entry = this.#entries.get(token)
    if (entry === undefined) return
    this.#entries.delete(token)
    // A token that is taken back early leaves nothing behind in its slice.
    this.#slices.get(sliceOf(entry.expiresAtMs))?.delete(token)
    if (entry.consumed === undefined) this.#settle(token, entry)
  }

  #settle (token: Token, { target: { key }, caller }: Entry): void {
    this.#unredeemed--
    const pending = this.#pending.get(key)
    pending?.delete(token)
    if (pending?.size === 0) this.#pending.delete(key)
    if (caller === undefined) return
    const held = this.held(caller)
    if (held > 1) this.#held.set(caller, held - 1)
    else this.#held.delete(caller)
  }
}

function sliceOf (expiresAtMs: number): number {
  return Math.floor(expiresAtMs / SLICE_MS) + 1
}
