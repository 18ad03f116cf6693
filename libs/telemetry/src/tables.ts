// Every table of the process that has a bound: its name, how full it is, and how full it may be. For the metrics.

export interface TableReading {
  readonly table: string
  readonly entries: number
  readonly capacity: number
}

export class Tables {
  readonly #tables = new Map<string, { readonly capacity: number, readonly entries: () => number }>()

  /** `entries` is asked at every scrape. */
  add (table: string, capacity: number, entries: () => number): void {
    this.#tables.set(table, { capacity, entries })
  }

  readings (): TableReading[] {
    return [...this.#tables].map(([table, { capacity, entries }]) => ({ table, capacity, entries: entries() }))
  }
}
