// Where what is counted by client prefix is kept, without remembering any prefix: an attacker who forges addresses has any
// number of them, so a table keyed by address would only be one more thing to fill. Pure.
//
//   prefix ── keyed hash, 32 bits ──┬── low 16 ──▶ row 0: 65,536 cells
//                                   └── high 16 ─▶ row 1: 65,536 cells
//
// A count-min sketch (Cormode, Muthukrishnan 2005): the smaller of the two cells counts. It is never less than the
// truth; it is more where another prefix shares both cells, which for a given two has odds of 1 in 2^32.
import { PREFIX_WORDS, writeClientPrefix } from '#wire/client-prefix.js'

const ROW = 65_536

/** Cells of both rows. */
export const PREFIX_CELLS = 2 * ROW

export class PrefixCells {
  readonly #seed: number
  readonly #prefix = new Uint32Array(PREFIX_WORDS)
  /** After `look`: the prefix's cell of each row. */
  first = 0
  second = 0

  /** @param seed secret: whoever knows it can choose addresses that share the cells of another's */
  constructor (seed: number) {
    this.#seed = seed
  }

  // MurmurHash3 over the prefix's two words, as in record-table.ts.
  look (client: Uint32Array): void {
    writeClientPrefix(client, this.#prefix)
    let hash = mix(mix(this.#seed, this.#prefix[0]!), this.#prefix[1]!)
    hash = Math.imul(hash ^ hash >>> 16, 0x85ebca6b)
    hash = Math.imul(hash ^ hash >>> 13, 0xc2b2ae35)
    hash ^= hash >>> 16
    this.first = hash & 0xffff
    this.second = ROW + (hash >>> 16)
  }
}

function mix (hash: number, word: number): number {
  let mixed = Math.imul(word, 0xcc9e2d51)
  mixed = Math.imul(mixed << 15 | mixed >>> 17, 0x1b873593)
  const turned = hash ^ mixed
  return Math.imul(turned << 13 | turned >>> 19, 5) + 0xe6546b64 | 0
}
