// The tokens a former life had, put together from what each of its shards wrote: what a core is granted anew.
import type { Clock } from '#core/clock.js'
import { ADDRESS_WORDS } from '#wire/address.js'
import { TOKEN_WORDS } from '#wire/token.js'
import { RecordTable } from '../core/tables/record-table.js'
import type { TargetSpec } from '../core/tables/target-table.js'
import { Voidness } from '../core/tables/token-table.js'
import { TOKEN } from './format/layout.js'
import { elapsedSince } from './format/moment.js'
import { SavedImages } from './format/saved-images.js'
import type { SavedState } from './saved-state.js'

/** Tokens in columns: row i is the i-th of each. Each worker is handed a copy, and to copy a few arrays takes no time. */
export interface SavedTokens {
  /** The number of each token, four words. */
  readonly numbers: Uint32Array
  readonly voidness: Uint8Array
  /** What is left of its time, in ms. */
  readonly ttlMs: Float64Array
  /** The data ports it was redeemed on: bit i is data port i. */
  readonly consumed: Uint16Array
  /** What it is good for: an index of `specs`, -1 if that is not known. */
  readonly targets: Int32Array
  readonly specs: readonly TargetSpec[]
  /** The address of the only client that may redeem it, four words; NOBODY where anyone may. */
  readonly clients: Uint32Array
  /** With shared claims, the number of its word; NO_CLAIM for one that there is none left for: it is not restored. */
  readonly claims?: Uint32Array
}

/** In place of the number of a token's word: it has none. */
export const NO_CLAIM = 0xffff_ffff

// Longer than any token lives; a time that was wrong when it was written must not make one immortal.
const MAX_TTL_MS = 3_600_000

/**
 * The tokens of a former life. None at all if a log is missing, or a later life had begun: it may have said that they were
 * redeemed, and control, which has them too, knows that better.
 */
export function savedTokens ({ shards, shardCount, bootId, faulty, isOutdated }: SavedState, clock: Pick<Clock, 'boot' | 'wallNow'>): SavedTokens {
  const isWhole = faulty.length === 0 && !isOutdated && shards.size >= shardCount
  const formers = [...isWhole ? shards.values() : []].map(({ batches, lastMoment }) => ({ images: new SavedImages(batches), lastMoment }))
  const tokens = new TokenColumns(formers.reduce((sum, { images }) => sum + images.slots(TOKEN.kind).length, 0))
  // Each shard has a time of its own, so what is compared is what was left.
  for (const { images, lastMoment } of formers) tokens.add(images, lastMoment.lifeMs + elapsedSince(lastMoment, bootId, clock))
  return tokens.columns()
}

// Puts together what all shards say of each token.
class TokenColumns {
  readonly #rows: RecordTable
  readonly #voidness: Uint8Array
  readonly #ttlMs: Float64Array
  readonly #consumed: Uint16Array
  readonly #targets: Int32Array
  readonly #clients: Uint32Array
  readonly #specs: TargetSpec[] = []
  readonly #number = new Uint32Array(TOKEN_WORDS)

  constructor (capacity: number) {
    this.#rows = new RecordTable({ capacity, keyWords: TOKEN_WORDS, stride: TOKEN_WORDS, seed: 0 })
    this.#voidness = new Uint8Array(capacity)
    this.#ttlMs = new Float64Array(capacity).fill(MAX_TTL_MS)
    this.#consumed = new Uint16Array(capacity)
    this.#targets = new Int32Array(capacity).fill(-1)
    this.#clients = new Uint32Array(capacity * ADDRESS_WORDS)
  }

  /** @param endMs the moment now, in the time of the shard that wrote the images */
  add (images: SavedImages, endMs: number): void {
    const { view } = images
    const { read } = TOKEN
    const specIndexes = new Map<number, number>()
    for (const slot of images.slots(TOKEN.kind)) {
      const body = images.body(TOKEN.kind, slot)
      const row = this.#rowOf(view, body)
      // Every shard knows where it was redeemed itself. That it is void is said to all of them.
      this.#consumed[row]! |= read.consumed(view, body)
      if (this.#voidness[row] === Voidness.none) this.#voidness[row] = read.voidness(view, body)
      this.#ttlMs[row] = Math.min(this.#ttlMs[row]!, Math.floor(read.expiresAt(view, body) - endMs))
      read.client(view, body, this.#clients, row * ADDRESS_WORDS)
      const target = read.target(view, body)
      let spec = specIndexes.get(target)
      if (spec === undefined) specIndexes.set(target, spec = this.#addSpec(images.target(target)))
      if (spec >= 0) this.#targets[row] = spec
    }
  }

  columns (): SavedTokens {
    const { size, words } = this.#rows
    return { numbers: words.subarray(0, size * TOKEN_WORDS), voidness: this.#voidness, ttlMs: this.#ttlMs.subarray(0, size), consumed: this.#consumed, targets: this.#targets, specs: this.#specs, clients: this.#clients }
  }

  // Nothing is ever removed: slots are given in order, and a slot is a row.
  #rowOf (view: DataView, body: number): number {
    TOKEN.read.token(view, body, this.#number)
    const known = this.#rows.find(this.#number)
    return known < 0 ? this.#rows.insert(this.#number) : known
  }

  #addSpec (spec: TargetSpec | undefined): number {
    return spec === undefined ? -1 : this.#specs.push(spec) - 1
  }
}
