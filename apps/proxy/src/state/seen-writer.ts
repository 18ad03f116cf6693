// Writes when sessions were last seen. Datagrams of an established session change nothing else that is saved, and must not
// cost a write each; so all sessions are gone through again and again, and those that were seen meanwhile are written.
import type { CoreState } from '../core/datagrams/core-state.js'
import { writeSeen } from './format/images.js'
import type { ImageWriter } from './format/image-writer.js'

/** A round takes this long at most, in ms. */
const LONGEST_ROUND_MS = 10_000

/** And this part of `sessionTimeoutSeconds`. What was seen in the last round before a kill may not be known after it. */
const ROUNDS_PER_TIMEOUT = 20

/** How long a round takes, in ms. */
export function seenRoundMs (sessionTimeoutMs: number): number {
  return Math.min(LONGEST_ROUND_MS, sessionTimeoutMs / ROUNDS_PER_TIMEOUT)
}

/** Slots looked at in one turn: a bound for tables of any size, well below a millisecond. */
const MOST_SLOTS = 10_000

export class SeenWriter {
  readonly #state: CoreState
  readonly #roundMs: number
  #slot = 0
  #lastMs: number
  // Who was seen before that has been written by the round before this one.
  #writtenUntilMs = -Infinity
  #roundStartMs: number

  constructor (state: CoreState, now: number) {
    this.#state = state
    this.#roundMs = seenRoundMs(state.options.sessionTimeoutMs)
    this.#lastMs = this.#roundStartMs = now
  }

  /** Looks at as many sessions as the time since the last turn is a part of a round. */
  turn (writer: ImageWriter, now: number): void {
    const { sessions } = this.#state
    const due = Math.ceil(sessions.highWater * (now - this.#lastMs) / this.#roundMs)
    this.#lastMs = now
    for (let looks = Math.min(due, sessions.highWater, MOST_SLOTS); looks > 0; looks--) {
      if (this.#slot >= sessions.highWater) this.#nextRound(now)
      if (sessions.isLive(this.#slot) && this.#state.lastSeen(this.#slot) >= this.#writtenUntilMs) writeSeen(writer, this.#state, this.#slot)
      this.#slot++
    }
  }

  #nextRound (now: number): void {
    this.#slot = 0
    this.#writtenUntilMs = this.#roundStartMs
    this.#roundStartMs = now
  }
}
