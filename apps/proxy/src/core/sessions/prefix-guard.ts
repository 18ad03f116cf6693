// How many sessions a client prefix has, and how fast it opens new ones, without remembering any prefix: an attacker
// who forges addresses has any number of them, so a table keyed by address would only be one more thing to fill. Pure.
//
//   prefix ── keyed hash, 32 bits ──┬── low 16 ──▶ row 0: 65,536 cells
//                                   └── high 16 ─▶ row 1: 65,536 cells
//
// A count-min sketch (Cormode, Muthukrishnan 2005): the smaller of the two cells counts. It is never less than the
// truth; it is more where another prefix shares both cells, which for a given two has odds of 1 in 2^32.
import { PREFIX_WORDS, writeClientPrefix } from '#wire/client-prefix.js'

const ROW = 65_536

/** Which sessions are counted together: those that never redeemed a token, and those that did. */
export const Standing = Object.freeze({ default: 0, token: 1 } as const)
export type Standing = typeof Standing[keyof typeof Standing]

export interface PrefixLimits {
  /** Most sessions of a prefix, of each standing. */
  readonly maxSessionsPerPrefix: number
  /** New default-endpoint sessions a prefix may open per second, as many at once; 0 means no limit. */
  readonly newSessionsPerSecond: number
}

// Sums of fractions of a millisecond are not exact.
const TOLERANCE_MS = 1e-6

export class PrefixGuard {
  readonly #maxSessions: number
  readonly #intervalMs: number
  readonly #burstMs: number
  readonly #seed: number
  readonly #prefix = new Uint32Array(PREFIX_WORDS)
  /** By standing: both rows, one after the other. */
  readonly #counts = [new Uint32Array(2 * ROW), new Uint32Array(2 * ROW)] as const
  // When a prefix would be back to no debt: the theoretical arrival time of GCRA (ITU-T I.371), in ms.
  readonly #dueMs = new Float64Array(2 * ROW)
  #first = 0
  #second = 0

  /** @param seed secret: whoever knows it can choose addresses that share the cells of another's */
  constructor ({ maxSessionsPerPrefix, newSessionsPerSecond }: PrefixLimits, seed: number) {
    this.#maxSessions = maxSessionsPerPrefix
    this.#intervalMs = newSessionsPerSecond > 0 ? 1000 / newSessionsPerSecond : 0
    this.#burstMs = Math.max(0, 1000 - this.#intervalMs) + TOLERANCE_MS
    this.#seed = seed
  }

  /** Whether the client's prefix may have one more session of this standing. */
  hasRoom (client: Uint32Array, standing: Standing): boolean {
    this.#look(client)
    const counts = this.#counts[standing]
    return Math.min(counts[this.#first]!, counts[this.#second]!) < this.#maxSessions
  }

  add (client: Uint32Array, standing: Standing): void {
    this.#look(client)
    this.#counts[standing][this.#first]!++
    this.#counts[standing][this.#second]!++
  }

  /** Takes back an `add`. */
  remove (client: Uint32Array, standing: Standing): void {
    this.#look(client)
    this.#counts[standing][this.#first]!--
    this.#counts[standing][this.#second]!--
  }

  /** Whether the client's prefix may open a session now; if so, it is held against the prefix. */
  takeNew (client: Uint32Array, now: number): boolean {
    if (this.#intervalMs === 0) return true
    this.#look(client)
    const due = this.#dueMs
    const earliest = Math.min(due[this.#first]!, due[this.#second]!)
    if (earliest - now > this.#burstMs) return false
    // Conservative update: a cell that others have pushed further already is left where it is.
    const next = Math.max(earliest, now) + this.#intervalMs
    due[this.#first] = Math.max(due[this.#first]!, next)
    due[this.#second] = Math.max(due[this.#second]!, next)
    return true
  }

  // MurmurHash3 over the prefix's two words, as in record-table.ts.
  #look (client: Uint32Array): void {
    writeClientPrefix(client, this.#prefix)
    let hash = mix(mix(this.#seed, this.#prefix[0]!), this.#prefix[1]!)
    hash = Math.imul(hash ^ hash >>> 16, 0x85ebca6b)
    hash = Math.imul(hash ^ hash >>> 13, 0xc2b2ae35)
    hash ^= hash >>> 16
    this.#first = hash & 0xffff
    this.#second = ROW + (hash >>> 16)
  }
}

function mix (hash: number, word: number): number {
  let mixed = Math.imul(word, 0xcc9e2d51)
  mixed = Math.imul(mixed << 15 | mixed >>> 17, 0x1b873593)
  const turned = hash ^ mixed
  return Math.imul(turned << 13 | turned >>> 19, 5) + 0xe6546b64 | 0
}
