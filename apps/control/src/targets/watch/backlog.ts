// Work that waits in a queue: as much of it as a turn of the event loop may cost is done at once, the rest a moment later.
import type { Cancel, Clock } from '#core/clock.js'

const PAUSE_MS = 1

export class Backlog {
  readonly #clock: Pick<Clock, 'after'>
  readonly #perTurn: number
  readonly #step: () => number
  #left: number
  #cancel: Cancel | undefined

  /** `step` does a piece and answers what it has cost, 0 if there was nothing to do. `perTurn` is what pieces of one turn may cost. */
  constructor (clock: Pick<Clock, 'after'>, perTurn: number, step: () => number) {
    this.#clock = clock
    this.#perTurn = perTurn
    this.#step = step
    this.#left = perTurn
  }

  /** There is something in the queue. */
  goOn (): void {
    while (this.#left > 0) {
      const cost = this.#step()
      if (cost === 0) break
      this.#left -= cost
    }
    if (this.#left === this.#perTurn) return
    this.#cancel ??= this.#clock.after(PAUSE_MS, () => {
      this.#cancel = undefined
      this.#left = this.#perTurn
      this.goOn()
    })
  }

  close (): void {
    this.#cancel?.()
    this.#left = 0
  }
}
