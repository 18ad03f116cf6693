// The keys by whose mark tokens are known as ours: the one that new tokens are marked by, and all that proxies are told. Without a
// shared store there is one, of this life of the process; with one they come from there (replicas/tokens).
import { tokenKeyFrom } from '#wire/token-mac.js'

/** Most keys that a proxy is told at once; see TokenKeysSchema. */
export const MAX_TOLD_KEYS = 4

export class TokenKeys {
  #marking: Uint32Array
  #told: readonly string[]
  readonly #onChanged: () => void

  /**
   * @param first 32 hexadecimal digits that nobody can guess
   * @param isShared whether others have keys that are not known yet: until then nobody is told any, because a token without the mark of
   *   one that was told counts as forged
   */
  constructor (first: string, onChanged: () => void, isShared = false) {
    this.#marking = tokenKeyFrom(first)
    this.#told = isShared ? [] : [first]
    this.#onChanged = onChanged
  }

  /** The key that new tokens are marked by. */
  get marking (): Uint32Array {
    return this.#marking
  }

  /** All whose mark is ours, the newest first. */
  get told (): readonly string[] {
    return this.#told
  }

  /** New keys: `told` the newest first, `marking` one of them. */
  set (marking: string, told: readonly string[]): void {
    this.#marking = tokenKeyFrom(marking)
    const former = this.#told
    this.#told = told.slice(0, MAX_TOLD_KEYS)
    if (this.#told.join() !== former.join()) this.#onChanged()
  }
}
