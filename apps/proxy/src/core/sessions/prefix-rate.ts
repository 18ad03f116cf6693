// How fast each client prefix may do something, for any number of prefixes: GCRA (ITU-T I.371) over the cells of a sketch.
import { PREFIX_CELLS, type PrefixCells } from './prefix-cells.js'

// Sums of fractions of a millisecond are not exact.
const TOLERANCE_MS = 1e-6

export class PrefixRate {
  readonly #cells: PrefixCells
  readonly #intervalMs: number
  readonly #burstMs: number
  // When a prefix would be back to no debt: the theoretical arrival time, in ms.
  readonly #dueMs: Float64Array

  /**
   * @param cells may be shared with others that count by prefix
   * @param perSecond how often a prefix may, and as many times at once; 0 means no limit
   */
  constructor (cells: PrefixCells, perSecond: number) {
    this.#cells = cells
    this.#intervalMs = perSecond > 0 ? 1000 / perSecond : 0
    this.#dueMs = new Float64Array(perSecond > 0 ? PREFIX_CELLS : 0)
    this.#burstMs = Math.max(0, 1000 - this.#intervalMs) + TOLERANCE_MS
  }

  /** Whether the client's prefix may now; if so, it is held against the prefix. */
  take (client: Uint32Array, now: number): boolean {
    if (this.#intervalMs === 0) return true
    this.#cells.look(client)
    const { first, second } = this.#cells
    const due = this.#dueMs
    const earliest = Math.min(due[first]!, due[second]!)
    if (earliest - now > this.#burstMs) return false
    // Conservative update: a cell that others have pushed further already is left where it is.
    const next = Math.max(earliest, now) + this.#intervalMs
    due[first] = Math.max(due[first]!, next)
    due[second] = Math.max(due[second]!, next)
    return true
  }
}
