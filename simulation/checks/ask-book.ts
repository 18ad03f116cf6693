// What one control process was asked by its proxy, and what it has answered: each ask once, and in time.
import type { VirtualTime } from '../basics/virtual-time.js'
import type { Watch } from './invariants.js'

interface Heard {
  readonly heardMs: number
  /** The life of the proxy that has asked. */
  readonly life: object
  answers: number
}

/** Any other answer to it would have come by then: answers wait for a proxy that comes into step. */
const KEPT_MS = 10_000

export class AskBook {
  readonly #time: VirtualTime
  readonly #watch: Watch
  readonly #mostMs: number
  readonly #asks = new Map<number, Heard>()

  /** @param mostMs how long an answer may take */
  constructor (time: VirtualTime, watch: Watch, mostMs: number) {
    this.#time = time
    this.#watch = watch
    this.#mostMs = mostMs
  }

  heard (life: object, id: number): void {
    if (!this.#asks.has(id)) this.#asks.set(id, { heardMs: this.#time.nowMs, life, answers: 0 })
  }

  answered (id: number): void {
    const heard = this.#asks.get(id)
    this.#watch.hold('oneAnswerPerAsk', heard !== undefined, id, 'was answered and never asked')
    if (heard !== undefined) this.#watch.hold('oneAnswerPerAsk', ++heard.answers === 1, id, `was answered ${heard.answers} times`)
  }

  /** Looks at all of this life of the proxy, with which control has been in step since then. */
  scan (now: object, inStepSinceMs: number): void {
    const { nowMs } = this.#time
    for (const [id, { heardMs, life, answers }] of this.#asks) {
      if (nowMs - heardMs < this.#mostMs) continue
      if (life === now && heardMs > inStepSinceMs) this.#watch.hold('oneAnswerPerAsk', answers > 0, id, `was not answered for ${Math.round(nowMs - heardMs)} ms`)
      if (nowMs - heardMs > this.#mostMs + KEPT_MS) this.#asks.delete(id)
    }
  }
}
