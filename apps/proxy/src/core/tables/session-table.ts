// One record per client address (ip and port): which target it has, since when, and by which token.
//
//   word  0–3  client address     4  client port       5  target id
//         6    origin, and 4 if it ever redeemed a token
//         7–10 token last bound with              11  first flow + 1
//   doubles per slot: its past, field by field; lastSeen; tokenExpiresAt
import { ADDRESS_WORDS } from '#wire/address.js'
import { TOKEN_WORDS } from '#wire/token.js'
import { RecordTable } from './record-table.js'
import { Changes } from '../feed/changes.js'

const PORT = 4
const TARGET = 5
const ORIGIN = 6
const TOKEN = 7
const FIRST_FLOW = 11
const STRIDE = 12

// In the word of the origin.
const ORIGIN_BITS = 3
const REDEEMED = 4

/**
 * What a session's past is, and how it is written to a state log: a restart gives it back as it was. A new field is a row here
 * and one of the log's layout. A time is in ms of the proxy's clock, a count is a whole number.
 */
export const sessionPast = {
  /** Counts the sessions ever made; tells two sessions apart that had the same slot. */
  serial: 'u32',
  createdAt: 'time',
  datagramsToTarget: 'count',
  bytesToTarget: 'count',
  datagramsToClient: 'count',
  bytesToClient: 'count'
} as const

export type PastField = keyof typeof sessionPast
export type SessionPast = { readonly [Field in PastField]: number }
export const pastFields = Object.keys(sessionPast) as readonly PastField[]

// Where each double of a slot is, from the slot's first on.
const column = Object.fromEntries(pastFields.map((field, index) => [field, index])) as SessionPast
const { serial: SERIAL, createdAt: CREATED_AT } = column
const { datagramsToTarget: DATAGRAMS_TO_TARGET, bytesToTarget: BYTES_TO_TARGET, datagramsToClient: DATAGRAMS_TO_CLIENT, bytesToClient: BYTES_TO_CLIENT } = column
const LAST_SEEN = pastFields.length
const TOKEN_EXPIRES_AT = LAST_SEEN + 1
const DOUBLES = TOKEN_EXPIRES_AT + 1

/** Length of a client address key: address and port. */
export const CLIENT_KEY_WORDS = ADDRESS_WORDS + 1

/** What bound a session to its present target. `followed`: its client had it at another replica, and came here. */
export const Origin = Object.freeze({ token: 0, default: 1, operator: 2, followed: 3 } as const)
export type Origin = typeof Origin[keyof typeof Origin]
export const originNames = ['token', 'default', 'operator', 'followed'] as const

export type SessionTraffic = Pick<SessionPast, 'datagramsToTarget' | 'bytesToTarget' | 'datagramsToClient' | 'bytesToClient'>

export class SessionTable {
  readonly #records: RecordTable
  readonly #doubles: Float64Array
  /** Sessions that came, went, or were bound anew. */
  readonly changes: Changes
  readonly #longSilenceMs: number
  #serial = 0

  /** @param timeoutMs a session that is idle for longer is over */
  constructor (capacity: number, seed: number, timeoutMs: number) {
    this.#longSilenceMs = timeoutMs / 2
    this.#records = new RecordTable({ capacity, keyWords: CLIENT_KEY_WORDS, stride: STRIDE, seed })
    this.#doubles = new Float64Array(capacity * DOUBLES)
    this.changes = new Changes(capacity)
  }

  get size (): number { return this.#records.size }
  get isFull (): boolean { return this.#records.size === this.#records.capacity }
  get highWater (): number { return this.#records.highWater }
  isLive (slot: number): boolean { return this.#records.isLive(slot) }

  find (client: Uint32Array): number {
    return this.#records.find(client)
  }

  /** Adds a session without target or flows; -1 if the table is full. */
  insert (client: Uint32Array, now: number): number {
    const slot = this.#records.insert(client)
    if (slot < 0) return slot
    this.#serial = this.#serial + 1 >>> 0
    this.#doubles.fill(0, slot * DOUBLES, (slot + 1) * DOUBLES)
    this.#doubles[slot * DOUBLES + SERIAL] = this.#serial
    this.#doubles[slot * DOUBLES + CREATED_AT] = now
    this.#doubles[slot * DOUBLES + LAST_SEEN] = now
    this.changes.mark(slot)
    return slot
  }

  remove (slot: number): void {
    this.#records.remove(slot)
    this.changes.mark(slot)
  }

  /** Tells two sessions apart that had the same slot. */
  serial (slot: number): number { return this.#doubles[slot * DOUBLES + SERIAL]! }
  target (slot: number): number { return this.#word(slot, TARGET) }
  origin (slot: number): Origin { return (this.#word(slot, ORIGIN) & ORIGIN_BITS) as Origin }
  firstFlow (slot: number): number { return this.#word(slot, FIRST_FLOW) - 1 }
  /** Whether the session was made by a token, or redeemed one since; else it is a default-endpoint session. */
  hasRedeemed (slot: number): boolean { return (this.#word(slot, ORIGIN) & REDEEMED) !== 0 }
  lastSeen (slot: number): number { return this.#doubles[slot * DOUBLES + LAST_SEEN]! }
  createdAt (slot: number): number { return this.#doubles[slot * DOUBLES + CREATED_AT]! }
  clientPort (slot: number): number { return this.#word(slot, PORT) }

  /** A view of the client's address words. Allocates: not for the packet path. */
  clientWords (slot: number): Uint32Array {
    return this.#records.words.subarray(slot * STRIDE, slot * STRIDE + ADDRESS_WORDS)
  }

  /** Whether the client's address is `words[0..3]`, whatever its port. */
  hasAddress (slot: number, words: Uint32Array): boolean {
    for (let word = 0; word < ADDRESS_WORDS; word++) if (this.#word(slot, word) !== words[word]) return false
    return true
  }

  /** Copies the client's address to `words[0..3]`. */
  readClientWords (slot: number, words: Uint32Array): void {
    for (let word = 0; word < ADDRESS_WORDS; word++) words[word] = this.#word(slot, word)
  }

  setFirstFlow (slot: number, flow: number): void {
    this.#records.words[slot * STRIDE + FIRST_FLOW] = flow + 1
  }

  bind (slot: number, targetId: number, origin: Origin): void {
    this.#records.words[slot * STRIDE + TARGET] = targetId
    this.#records.words[slot * STRIDE + ORIGIN] = this.#word(slot, ORIGIN) & REDEEMED | origin
    this.changes.mark(slot)
  }

  setRedeemed (slot: number): void {
    this.#records.words[slot * STRIDE + ORIGIN]! |= REDEEMED
    this.changes.mark(slot)
  }

  /** Remembers the token the session was bound with, so that its retransmission is recognised. */
  setToken (slot: number, token: Uint32Array, expiresAt: number): void {
    for (let word = 0; word < TOKEN_WORDS; word++) this.#records.words[slot * STRIDE + TOKEN + word] = token[word]!
    this.#doubles[slot * DOUBLES + TOKEN_EXPIRES_AT] = expiresAt
    this.changes.mark(slot)
  }

  /** True if `token` is the one the session was last bound with, and its TTL lasts. */
  isOwnToken (slot: number, token: Uint32Array, now: number): boolean {
    return now < this.#doubles[slot * DOUBLES + TOKEN_EXPIRES_AT]! && this.isBoundBy(slot, token)
  }

  /** True if `token` is the one the session was last bound with, whether or not its TTL lasts. */
  isBoundBy (slot: number, token: Uint32Array): boolean {
    const base = slot * STRIDE + TOKEN
    for (let word = 0; word < TOKEN_WORDS; word++) if (this.#records.words[base + word] !== token[word]) return false
    return true
  }

  /** Copies the token the session was last bound with to `token[0..3]`; returns when its TTL ends, 0 if there was none. */
  readToken (slot: number, token: Uint32Array): number {
    for (let word = 0; word < TOKEN_WORDS; word++) token[word] = this.#word(slot, TOKEN + word)
    return this.#doubles[slot * DOUBLES + TOKEN_EXPIRES_AT]!
  }

  /** Copies the session's past to `past`, in the order of `pastFields`. */
  readPast (slot: number, past: Float64Array): void {
    for (let field = 0; field < pastFields.length; field++) past[field] = this.#doubles[slot * DOUBLES + field]!
  }

  /** Gives a session that was just inserted the past it had before a restart. */
  restore (slot: number, past: SessionPast): void {
    for (const field of pastFields) this.#doubles[slot * DOUBLES + column[field]] = past[field]
    // Serials tell the successive tenants of a slot apart, over restarts as well.
    this.#serial = Math.max(this.#serial, past.serial)
  }

  /** Makes the session one that was last active at `lastSeen`. */
  setLastSeen (slot: number, lastSeen: number): void {
    this.#doubles[slot * DOUBLES + LAST_SEEN] = lastSeen
    this.changes.mark(slot)
  }

  touch (slot: number, now: number): void {
    const at = slot * DOUBLES + LAST_SEEN
    // After a long silence a session is written at once, so that a kill does not lose it. The others are written in rounds.
    if (now - this.#doubles[at]! > this.#longSilenceMs) this.changes.mark(slot)
    this.#doubles[at] = now
  }

  countToTarget (slot: number, bytes: number): void {
    const datagrams = ++this.#doubles[slot * DOUBLES + DATAGRAMS_TO_TARGET]!
    this.#doubles[slot * DOUBLES + BYTES_TO_TARGET]! += bytes
    // From the second on its client is believed (`wouldAmplify`), over a restart as well.
    if (datagrams === 2) this.changes.mark(slot)
  }

  /**
   * Whether `bytes` more to the client would be more than `factor` times what it has sent, in a session whose client
   * has sent one datagram so far: its address may be forged, and its true owner may never have asked.
   */
  wouldAmplify (slot: number, bytes: number, factor: number): boolean {
    const at = slot * DOUBLES
    if (this.#doubles[at + DATAGRAMS_TO_TARGET] !== 1 || this.hasRedeemed(slot)) return false
    return this.#doubles[at + BYTES_TO_CLIENT]! + bytes > factor * this.#doubles[at + BYTES_TO_TARGET]!
  }

  countToClient (slot: number, bytes: number): void {
    this.#doubles[slot * DOUBLES + DATAGRAMS_TO_CLIENT]!++
    this.#doubles[slot * DOUBLES + BYTES_TO_CLIENT]! += bytes
  }

  traffic (slot: number): SessionTraffic {
    const { datagramsToTarget, bytesToTarget, datagramsToClient, bytesToClient } = this.past(slot)
    return { datagramsToTarget, bytesToTarget, datagramsToClient, bytesToClient }
  }

  /** All of its past. Allocates: not for the packet path. */
  past (slot: number): SessionPast {
    return Object.fromEntries(pastFields.map(field => [field, this.#doubles[slot * DOUBLES + column[field]]!])) as SessionPast
  }

  #word (slot: number, word: number): number {
    return this.#records.words[slot * STRIDE + word]!
  }
}
