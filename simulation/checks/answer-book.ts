// What queries were answered with, and what becomes of the answers when the inventory changes under them: a target was what
// was asked for, and its token cannot be redeemed for long after it is not any more.
import type { Selection } from '#config/schema.js'
import type { Result } from '#core/result.js'
import type { Target } from '#rpc/contract.js'
import type { Token } from '#wire/token.js'
import { isNamed } from '../cast/objects.js'
import { isAnswer } from './inventory-view.js'
import type { Watch } from './invariants.js'
import { isInStep, type Keeper, type Promiser } from './promiser.js'
import type { TokenBook } from './token-book.js'
import type { VirtualTime } from '../basics/virtual-time.js'

export interface Answer {
  readonly token: Token
  readonly target: Target
  readonly selection: Selection
  readonly untilMs: number
}

interface Outdated {
  readonly control: Promiser
  /** When whoever has to act on it was told. */
  readonly toldMs: number
  readonly untilMs: number
}

/** What a control process may take to act on what it was told: a turn or two. */
const ACTS_WITHIN_MS = 10

export class AnswerBook {
  readonly #time: VirtualTime
  readonly #watch: Watch
  readonly #tokens: TokenBook
  readonly #isLeastBusy: boolean
  readonly #proxy: () => Keeper | undefined
  // Those that may still be redeemed, by control process.
  readonly #answers = new Map<Promiser, Map<Token, Answer>>()
  readonly #outdated = new Map<Token, Outdated>()

  /** @param isLeastBusy whether a query is to be answered with the least busy of those that match */
  constructor (time: VirtualTime, watch: Watch, tokens: TokenBook, isLeastBusy: boolean, proxy: () => Keeper | undefined) {
    this.#time = time
    this.#watch = watch
    this.#tokens = tokens
    this.#isLeastBusy = isLeastBusy
    this.#proxy = proxy
  }

  /** A control process has chosen a target for a query, or found none. */
  chosen ({ view, load }: Promiser, selection: Selection, chosen: Result<Target, { readonly code: string }>): void {
    const matching = view.matching(selection)
    const hold = (isRight: boolean, key: string, how: string): void => { this.#watch.hold('answersMatch', isRight, key, how) }
    if (chosen.ok) {
      const { key } = chosen.value
      const place = matching.get(key)
      hold(place !== undefined && view.mayBeAt(place, chosen.value), key, 'is the answer to a query that it does not match')
      // Of a name it is not known whether it is resolved.
      if (this.#isLeastBusy) for (const [other, at] of matching) hold(isNamed(at) || load.of(other) >= load.of(key), key, `is busier than ${other}, and both match`)
    } else if (chosen.error.code === 'NO_MATCHING_RESOURCE' || chosen.error.code === 'NAMESPACE_NOT_ALLOWED') {
      for (const [key, at] of matching) hold(isNamed(at), key, `matches a query that was answered ${chosen.error.code}`)
    }
  }

  /** A query was answered with a token. */
  answered (control: Promiser, answer: Answer): void {
    const answers = this.#answers.get(control) ?? new Map<Token, Answer>()
    this.#answers.set(control, answers)
    answers.set(answer.token, answer)
    this.#tokens.answered(control, answer.token, isRight(control, answer) ? answer.untilMs : undefined)
  }

  /** The inventory of a control process has another state of a server. */
  changed (control: Promiser, key: string): void {
    for (const answer of this.#answersFor(control, key)) if (!isRight(control, answer)) this.#tokens.takenBack(answer.token)
  }

  /** Whoever listens to the inventory of a control process has been told of that. */
  told (control: Promiser, keys: ReadonlySet<string>): void {
    for (const key of keys) {
      for (const answer of this.#answersFor(control, key)) {
        const { token, untilMs } = answer
        if (isOutdated(control, answer) && !this.#outdated.has(token)) this.#outdated.set(token, { control, toldMs: this.#time.nowMs, untilMs })
      }
    }
  }

  /** Looks at everything that has to be void by now. */
  scan (): void {
    const { nowMs } = this.#time
    for (const [control, answers] of this.#answers) {
      for (const [token, { untilMs }] of answers) if (nowMs > untilMs) answers.delete(token)
      if (!control.isAlive) this.#answers.delete(control)
    }
    const life = this.#proxy()
    for (const [token, { control, toldMs, untilMs }] of this.#outdated) {
      if (nowMs > untilMs || !control.isAlive) this.#outdated.delete(token)
      else if (life !== undefined && nowMs > toldMs + ACTS_WITHIN_MS && isInStep(control, life) && !control.link.isRevoking(token) && !life.hasRedeemed(token) && !this.#tokens.isRedeemedElsewhere(token)) {
        this.#watch.hold('tokensFollowTargets', !life.worksAnywhere(token), token)
      }
    }
  }

  #answersFor (control: Promiser, key: string): Answer[] {
    return [...this.#answers.get(control)?.values() ?? []].filter(({ target }) => target.key === key)
  }
}

function isRight ({ view }: Promiser, { target, selection }: Answer): boolean {
  const seen = view.now(target.key)
  return seen !== undefined && isAnswer(seen, selection) && view.isAt(seen.place!, target)
}

// What becomes of a name is for control to find out, in its time.
function isOutdated (control: Promiser, answer: Answer): boolean {
  const seen = control.view.now(answer.target.key)
  const mayMove = seen !== undefined && isAnswer(seen, answer.selection) && isNamed(seen.place!)
  return !mayMove && !isRight(control, answer)
}
