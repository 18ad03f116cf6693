// How many sessions a client prefix has, and how fast it opens new ones. Pure.
import { PREFIX_CELLS, PrefixCells } from './prefix-cells.js'
import { PrefixRate } from './prefix-rate.js'

/** Which sessions are counted together: those that never redeemed a token, and those that did. */
export const Standing = Object.freeze({ default: 0, token: 1 } as const)
export type Standing = typeof Standing[keyof typeof Standing]

export interface PrefixLimits {
  /** Most sessions of a prefix, of each standing. */
  readonly maxSessionsPerPrefix: number
  /** New default-endpoint sessions a prefix may open per second, as many at once; 0 means no limit. */
  readonly newSessionsPerSecond: number
}

export class PrefixGuard {
  readonly #maxSessions: number
  readonly #cells: PrefixCells
  // By standing.
  readonly #counts = [new Uint32Array(PREFIX_CELLS), new Uint32Array(PREFIX_CELLS)] as const
  readonly #newSessions: PrefixRate

  /** @param seed secret: whoever knows it can choose addresses that share the cells of another's */
  constructor ({ maxSessionsPerPrefix, newSessionsPerSecond }: PrefixLimits, seed: number) {
    this.#maxSessions = maxSessionsPerPrefix
    this.#cells = new PrefixCells(seed)
    this.#newSessions = new PrefixRate(this.#cells, newSessionsPerSecond)
  }

  /** Whether the client's prefix may have one more session of this standing. */
  hasRoom (client: Uint32Array, standing: Standing): boolean {
    this.#cells.look(client)
    const counts = this.#counts[standing]
    return Math.min(counts[this.#cells.first]!, counts[this.#cells.second]!) < this.#maxSessions
  }

  add (client: Uint32Array, standing: Standing): void {
    this.#cells.look(client)
    this.#counts[standing][this.#cells.first]!++
    this.#counts[standing][this.#cells.second]!++
  }

  /** Takes back an `add`. */
  remove (client: Uint32Array, standing: Standing): void {
    this.#cells.look(client)
    this.#counts[standing][this.#cells.first]!--
    this.#counts[standing][this.#cells.second]!--
  }

  /** Whether the client's prefix may open a session now; if so, it is held against the prefix. */
  takeNew (client: Uint32Array, now: number): boolean {
    return this.#newSessions.take(client, now)
  }
}
