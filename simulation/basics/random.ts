// The one source of chance of a simulation. Same seed, same numbers: nothing here may ask the machine for anything.

/** A stream of pseudo-random numbers (mulberry32, Tommy Ettinger, public domain): good enough to choose, and quick. */
export class Random {
  #state: number

  constructor (seed: number) {
    this.#state = seed | 0
    // Neighbouring seeds start with neighbouring numbers; a few rounds part them.
    for (let round = 0; round < 4; round++) this.next()
  }

  /** Uniform in [0, 1). */
  readonly next = (): number => {
    this.#state = this.#state + 0x6d2b79f5 | 0
    let mixed = Math.imul(this.#state ^ this.#state >>> 15, this.#state | 1)
    mixed ^= mixed + Math.imul(mixed ^ mixed >>> 7, mixed | 61)
    return ((mixed ^ mixed >>> 14) >>> 0) / 0x1_0000_0000
  }

  /** A whole number from 0 on, below `bound`. */
  below (bound: number): number {
    return Math.floor(this.next() * bound)
  }

  /** A whole number from `least` to `most`. */
  between (least: number, most: number): number {
    return least + this.below(most - least + 1)
  }

  chance (probability: number): boolean {
    return this.next() < probability
  }

  /** One of `list`, which must not be empty. */
  pick<Item> (list: readonly Item[]): Item {
    return list[this.below(list.length)]!
  }

  /** 32 random bits. */
  bits (): number {
    return this.next() * 0x1_0000_0000 >>> 0
  }
}
