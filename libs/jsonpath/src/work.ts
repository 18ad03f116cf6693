// How much a search has cost, in nodes and objects that were looked at. Counted rather than timed, so that the same
// question costs the same on every machine.

export class Work {
  readonly limit: number
  spent: number

  /** `spent` is what was spent before. */
  constructor (limit: number, spent = 0) {
    this.limit = limit
    this.spent = spent
  }

  spend (units: number): void {
    this.spent += units
  }

  /** More was spent than there was. */
  get isOver (): boolean {
    return this.spent > this.limit
  }
}
