// When an object changes, its tokens are judged again: would the query of each still find the same target? One object may have
// thousands of tokens, each with a path of its own, so they are judged in slices, and objects take turns.
import { isDeepStrictEqual } from 'node:util'
import type { Clock } from '#core/clock.js'
import { Work } from '#jsonpath/work.js'
import type { Token } from '#wire/token.js'
import { Backlog } from './backlog.js'
import { SLICE_WORK } from '../../query/search.js'
import type { Selector } from '../../query/selector.js'
import type { TokenRegistry, UnredeemedToken } from '../../tokens/token-registry.js'

export interface TokenReviewDeps {
  readonly registry: Pick<TokenRegistry, 'pending' | 'unredeemed'>
  readonly selector: Pick<Selector, 'recheck'>
  readonly clock: Clock
  /** Makes tokens for one target void. */
  readonly withdraw: (tokens: readonly Token[]) => void
}

interface Pass {
  readonly key: string
  readonly name: string
  readonly tokens: Iterator<UnredeemedToken>
}

/** What judging a token costs beside looking at its object: a path may have to be compiled. */
const TOKEN_WORK = 50

/** Tokens judged before another object has its turn. */
const TOKENS_AT_ONCE = 50

export class TokenReview {
  readonly #deps: TokenReviewDeps
  readonly #backlog: Backlog
  // By key: names of objects whose tokens are to be judged.
  readonly #wanted = new Map<string, string>()
  // In the order of their turns.
  readonly #passes = new Map<string, Pass>()

  constructor (deps: TokenReviewDeps) {
    this.#deps = deps
    this.#backlog = new Backlog(deps.clock, SLICE_WORK, () => this.#someTokens())
  }

  /**
   * The object of that name has changed. While its tokens are being judged, they are judged once more after that, not from
   * the beginning: of an object that never rests the last token has its turn too. One that is issued meanwhile is right.
   */
  review (key: string, name: string): void {
    if (this.#deps.registry.pending(key) === 0) return
    this.#wanted.set(key, name)
    this.#backlog.goOn()
  }

  close (): void {
    this.#backlog.close()
  }

  // What it has cost.
  #someTokens (): number {
    const pass = this.#nextPass()
    if (pass === undefined) return 0
    const work = new Work(Infinity)
    const dead: Token[] = []
    let isDone = false
    for (let count = 0; count < TOKENS_AT_ONCE && work.spent < SLICE_WORK && !isDone; count++) {
      work.spend(TOKEN_WORK)
      const next = pass.tokens.next()
      isDone = next.done === true
      if (next.done !== true && !this.#isRight(next.value, pass.name, work)) dead.push(next.value.token)
    }
    this.#passes.delete(pass.key)
    if (!isDone) this.#passes.set(pass.key, pass)
    if (dead.length > 0) this.#deps.withdraw(dead)
    return work.spent
  }

  #isRight ({ target, selection }: UnredeemedToken, name: string, work: Work): boolean {
    const found = this.#deps.selector.recheck(selection, name, work)?.target
    return found === target || isDeepStrictEqual(found, target)
  }

  #nextPass (): Pass | undefined {
    for (const [key, name] of this.#wanted) {
      if (this.#passes.has(key)) continue
      this.#wanted.delete(key)
      const pass = { key, name, tokens: this.#deps.registry.unredeemed(key)[Symbol.iterator]() }
      this.#passes.set(key, pass)
      return pass
    }
    const [first] = this.#passes.values()
    return first
  }
}
