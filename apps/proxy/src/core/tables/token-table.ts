// Which tokens exist, what they are good for, and on which data ports they have been redeemed.
//
//   word  0–3  the token's number      4  target id      5  claim      6  flags
//         7–8  prefix of the client it is bound to      9  1 if it is bound to one
//   times[slot]   when its TTL ends, in ms of the proxy's clock
//   claims[claim] where it was redeemed: bit i = data port i. With several cores these words are shared memory, and
//                 setting a bit that was not set is what makes a redemption
import { addressOfPrefix, PREFIX_WORDS, writeClientPrefix } from '#wire/client-prefix.js'
import { TOKEN_WORDS } from '#wire/token.js'
import { RecordTable } from './record-table.js'
import { SlotHeap } from './slot-heap.js'
import { SlotList } from './slot-list.js'
import { Changes } from '../feed/changes.js'

const TARGET = 4
const CLAIM = 5
const FLAGS = 6
const PREFIX = 7
const BOUND = 9
const STRIDE = 10

/** Never redeemed on any data port. `tokens_expired_total` counts these when they expire. */
const NEVER_CONSUMED = 0

/** How long an expired token is remembered, so that a late client is told "expired" and not "unknown", in ms. */
export const EXPIRED_MEMORY_MS = 30_000

/** Whether and why a token was made void before it expired. A state log may say `revoked`; this table forgets such a token. */
export const Voidness = Object.freeze({ none: 0, revoked: 1, targetGone: 2 } as const)
export type Voidness = typeof Voidness[keyof typeof Voidness]

export const TokenState = Object.freeze({ live: 0, consumed: 1, expired: 2, unknown: 3, targetGone: 4, notTheirs: 5 } as const)
export type TokenState = typeof TokenState[keyof typeof TokenState]

export class TokenTable {
  readonly #records: RecordTable
  readonly #expiresAt: Float64Array
  readonly #claims: Int32Array
  readonly #release: (targetId: number) => void
  // All tokens, by when they expire.
  readonly #byEnd: SlotHeap
  // Those that are void and only remembered.
  readonly #withdrawn: SlotList
  readonly #prefix = new Uint32Array(PREFIX_WORDS)
  /** Tokens that came, went, were redeemed or made void. */
  readonly changes: Changes
  /** Tokens that expired before anyone redeemed them. */
  expiredUnused = 0

  /** `release` is called with the target id of every token that leaves the table; `claims` are the words shared with other tables. */
  constructor (capacity: number, seed: number, release: (targetId: number) => void, claims: Int32Array = new Int32Array(capacity)) {
    this.#records = new RecordTable({ capacity, keyWords: TOKEN_WORDS, stride: STRIDE, seed })
    this.#expiresAt = new Float64Array(capacity)
    this.#claims = claims
    this.#release = release
    this.#byEnd = new SlotHeap(this.#expiresAt)
    this.#withdrawn = new SlotList(capacity)
    this.changes = new Changes(capacity)
  }

  get size (): number { return this.#records.size }

  /** One past the largest slot ever used: the bound of a loop over `isKnown`. */
  get highWater (): number { return this.#records.highWater }

  isKnown (slot: number): boolean { return this.#records.isLive(slot) }

  /** Copies the number of the token in `slot` to `token[0..3]`. */
  readToken (slot: number, token: Uint32Array): void {
    for (let word = 0; word < TOKEN_WORDS; word++) token[word] = this.#records.words[slot * STRIDE + word]!
  }

  /** Why the token in `slot` is void, if it is. */
  voidnessOf (slot: number): Voidness {
    return this.#records.words[slot * STRIDE + FLAGS] as Voidness
  }

  /** The data ports it was redeemed on: bit i is data port i. 0 for a void one. */
  consumedOn (slot: number): number {
    return this.voidnessOf(slot) === Voidness.none ? Atomics.load(this.#claims, this.#claimOf(slot)) : 0
  }

  /** The token's slot, or -1. */
  find (token: Uint32Array): number {
    return this.#records.find(token)
  }

  /**
   * Adds a token; the table takes over the caller's hold on the target. A token that is there already (a repeated
   * snapshot) keeps its time and target and only learns where else it was consumed. Returns false if the table is full.
   * @param claim the number of its word in shared claims, which is 0 or says where others have redeemed it already
   * @param client address words of the only client that may redeem it, give or take the rest of its prefix
   */
  add (token: Uint32Array, targetId: number, consumed: number, expiresAt: number, now: number, claim?: number, client?: Uint32Array): boolean {
    const known = this.#records.find(token)
    if (known >= 0) {
      // One that was void before its grant came has no claim of its own, and needs none.
      if (this.voidnessOf(known) === Voidness.none) Atomics.or(this.#claims, this.#claimOf(known), consumed)
      this.changes.mark(known)
      this.#release(targetId)
      return true
    }
    const slot = this.#insert(token, expiresAt, now)
    if (slot < 0) return false
    const base = slot * STRIDE
    this.#records.words[base + TARGET] = targetId + 1
    this.#records.words[base + CLAIM] = claim ?? slot
    if (claim === undefined) this.#claims[slot] = consumed
    else Atomics.or(this.#claims, claim, consumed)
    if (client !== undefined) this.#bindTo(slot, client)
    return true
  }

  /** Makes a token void: it is forgotten, and nobody can tell it from one that never was. */
  revoke (token: Uint32Array): void {
    const slot = this.#records.find(token)
    if (slot >= 0) this.#remove(slot)
  }

  /** Makes a token void whose target is gone. Presenting it means `targetGone` for as long as it would have lived, if there is room to remember that. */
  withdraw (token: Uint32Array): void {
    const slot = this.#records.find(token)
    if (slot < 0 || this.voidnessOf(slot) !== Voidness.none) return
    this.#releaseTarget(slot)
    this.#records.words[slot * STRIDE + FLAGS] = Voidness.targetGone
    this.#withdrawn.add(slot)
    this.changes.mark(slot)
  }

  /** Remembers until `until` that this token's target is gone, if there is room: the process before this one knew it. */
  remember (token: Uint32Array, until: number): void {
    if (this.#records.find(token) >= 0 || this.#records.size === this.#records.capacity) return
    const slot = this.#insert(token, until, until)
    this.#records.words[slot * STRIDE + FLAGS] = Voidness.targetGone
    this.#withdrawn.add(slot)
  }

  /** What presenting this token on `dataPort` means now, from a client whose address begins `client`. */
  stateOf (slot: number, dataPort: number, client: Uint32Array, now: number): TokenState {
    if (slot < 0) return TokenState.unknown
    const voidness = this.voidnessOf(slot)
    if (voidness === Voidness.revoked) return TokenState.unknown
    if (voidness === Voidness.targetGone) return TokenState.targetGone
    if (now >= this.#expiresAt[slot]!) return TokenState.expired
    if ((Atomics.load(this.#claims, this.#claimOf(slot)) >>> dataPort & 1) === 1) return TokenState.consumed
    return this.#isFor(slot, client) ? TokenState.live : TokenState.notTheirs
  }

  /** Redeems the token on `dataPort`. Call only in state live. False if another core was quicker. */
  consume (slot: number, dataPort: number): boolean {
    const bit = 1 << dataPort
    this.changes.mark(slot)
    return (Atomics.or(this.#claims, this.#claimOf(slot), bit) & bit) === 0
  }

  targetOf (slot: number): number {
    return this.#records.words[slot * STRIDE + TARGET]! - 1
  }

  /** An address that stands for the clients that may redeem the token, as `add` takes it; undefined if all may. */
  clientOf (slot: number): Uint32Array | undefined {
    const base = slot * STRIDE
    return this.#records.words[base + BOUND] === 0 ? undefined : addressOfPrefix(this.#records.words, base + PREFIX)
  }

  expiresAt (slot: number): number {
    return this.#expiresAt[slot]!
  }

  /** Whether there is a token in this slot that nobody has redeemed anywhere and that still can be. */
  isUnredeemed (slot: number, now: number): boolean {
    if (!this.#records.isLive(slot) || this.voidnessOf(slot) !== Voidness.none || now >= this.#expiresAt[slot]!) return false
    return Atomics.load(this.#claims, this.#claimOf(slot)) === NEVER_CONSUMED
  }

  /** Forgets tokens that expired `EXPIRED_MEMORY_MS` ago or earlier, `most` of them at most. Returns how many there were. */
  sweep (now: number, most: number): number {
    let forgotten = 0
    while (forgotten < most && this.#forgetFirst(now - EXPIRED_MEMORY_MS)) forgotten++
    return forgotten
  }

  #insert (token: Uint32Array, expiresAt: number, now: number): number {
    let slot = this.#records.insert(token)
    // The table is full: a token that is only remembered gives way to one that can be redeemed.
    if (slot < 0 && (this.#forgetFirst(now) || this.#forgetWithdrawn())) slot = this.#records.insert(token)
    if (slot < 0) return slot
    this.#expiresAt[slot] = expiresAt
    this.#byEnd.add(slot)
    this.changes.mark(slot)
    return slot
  }

  // Forgets the token that expired first, if it did so at `end` or before.
  #forgetFirst (end: number): boolean {
    const slot = this.#byEnd.first
    if (slot < 0 || this.#expiresAt[slot]! > end) return false
    if (this.voidnessOf(slot) === Voidness.none && Atomics.load(this.#claims, this.#claimOf(slot)) === NEVER_CONSUMED) this.expiredUnused++
    this.#remove(slot)
    return true
  }

  #forgetWithdrawn (): boolean {
    const slot = this.#withdrawn.any
    if (slot < 0) return false
    this.#remove(slot)
    return true
  }

  #remove (slot: number): void {
    this.#releaseTarget(slot)
    if (this.voidnessOf(slot) !== Voidness.none) this.#withdrawn.remove(slot)
    this.#byEnd.remove(slot)
    this.#records.remove(slot)
    this.changes.mark(slot)
  }

  // Whether a client at this address may redeem the token.
  #isFor (slot: number, client: Uint32Array): boolean {
    const base = slot * STRIDE
    if (this.#records.words[base + BOUND] === 0) return true
    writeClientPrefix(client, this.#prefix)
    for (let word = 0; word < PREFIX_WORDS; word++) if (this.#records.words[base + PREFIX + word] !== this.#prefix[word]) return false
    return true
  }

  #bindTo (slot: number, client: Uint32Array): void {
    writeClientPrefix(client, this.#records.words, slot * STRIDE + PREFIX)
    this.#records.words[slot * STRIDE + BOUND] = 1
  }

  #claimOf (slot: number): number {
    return this.#records.words[slot * STRIDE + CLAIM]!
  }

  #releaseTarget (slot: number): void {
    const targetId = this.targetOf(slot)
    if (targetId < 0) return
    this.#records.words[slot * STRIDE + TARGET] = 0
    this.#release(targetId)
  }
}
