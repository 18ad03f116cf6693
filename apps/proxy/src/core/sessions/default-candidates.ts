// The candidates of the default endpoint, and which of them the next client without a token gets.
import type { SessionOptions } from './options.js'
import type { HeldTarget, TargetTable } from '../tables/target-table.js'

type DefaultChoice = SessionOptions['defaultChoice']

/** Up to here every candidate is compared; beyond, the better of two random ones is nearly as good and costs no scan. */
const FULL_SCAN = 64

export class DefaultCandidates {
  readonly #targets: TargetTable
  readonly #choice: DefaultChoice
  readonly #random: () => number
  #candidates: readonly HeldTarget[] = []
  #former: HeldTarget[] = []
  #next = 0

  /** @param random uniform in [0, 1) */
  constructor (targets: TargetTable, choice: DefaultChoice, random: () => number) {
    this.#targets = targets
    this.#choice = choice
    this.#random = random
  }

  get candidates (): readonly HeldTarget[] { return this.#candidates }

  /** Replaces the candidates, best first; takes over the caller's hold on each. The former ones are held until `forget`. */
  replace (candidates: readonly HeldTarget[]): void {
    this.#former = this.#former.concat(this.#candidates)
    this.#candidates = candidates
  }

  /** Lets go of former candidates, `most` of them at most. Returns how many there were. */
  forget (most: number): number {
    const forgotten = this.#former.splice(0, most)
    for (const target of forgotten) this.#targets.release(target.id)
    return forgotten.length
  }

  /** The target for the next session among some of the candidates, or undefined if there is none. */
  choose (among = this.#candidates): HeldTarget | undefined {
    const count = among.length
    if (count <= 1) return among[0]
    switch (this.#choice) {
      case 'first': return among[0]
      // Control keeps the list ordered by free capacity, which only it can compute.
      case 'labelArithmetic': return among[0]
      case 'roundRobin': return among[this.#next++ % count]
      case 'random': return this.#any(among)
      case 'leastSessions': return count <= FULL_SCAN ? this.#leastLoaded(among) : this.#lessLoaded(this.#any(among), this.#any(among))
    }
  }

  #any (among: readonly HeldTarget[]): HeldTarget {
    return among[Math.floor(this.#random() * among.length)]!
  }

  #leastLoaded (among: readonly HeldTarget[]): HeldTarget {
    return among.reduce((best, target) => this.#lessLoaded(best, target))
  }

  #lessLoaded (one: HeldTarget, other: HeldTarget): HeldTarget {
    return this.#targets.sessionsOf(other.key) < this.#targets.sessionsOf(one.key) ? other : one
  }
}
