// Where the sessions of each key are, as far as control knows: what a change of an object is compared with. An entry is
// made when a session may come, not when it has been counted, which is later.
import { isDeepStrictEqual } from 'node:util'
import type { Target } from '#rpc/contract.js'

export class Places {
  // Undefined: at more than one place, or at one that nobody knows.
  readonly #targets = new Map<string, Target | undefined>()

  /** A token or a default endpoint may bring sessions to `target`. */
  expect (target: Target): void {
    if (!this.#targets.has(target.key)) this.#targets.set(target.key, target)
  }

  /** All sessions of the key are at `target`, or will be once the proxy has heard of it. */
  settle (target: Target): void {
    this.#targets.set(target.key, target)
  }

  /** Sessions of the key may be anywhere. */
  scatter (key: string): void {
    this.#targets.set(key, undefined)
  }

  forget (key: string): void {
    this.#targets.delete(key)
  }

  /** Whether sessions of the key were to be expected. */
  has (key: string): boolean {
    return this.#targets.has(key)
  }

  /** Whether all sessions of the key are known to be at `target`. */
  areAt (target: Target): boolean {
    const known = this.#targets.get(target.key)
    return known === target || isDeepStrictEqual(known, target)
  }
}
