// What queries were answered with, and what becomes of the answers when the inventory changes under them: a target was what
// was asked for, and its token cannot be redeemed for long after it is not any more.
import type { Selection } from '#config/schema.js'
import type { Target } from '#rpc/contract.js'
import type { Token } from '#wire/token.js'
import { isAnswer, isAt } from './inventory-view.js'
import type { Watch } from '../invariants.js'
import { isInStep, type Keeper, type Promiser } from './promiser.js'
import type { TokenBook } from './token-book.js'
import type { VirtualTime } from '../virtual-time.js'

export interface Answer {
  readonly token: Token
  readonly target: Target
  readonly selection: Selection
  readonly askedMs: number
  readonly untilMs: number
}

export interface Refusal {
  readonly code: string
  readonly selection: Selection
  readonly askedMs: number
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
  readonly #proxy: () => Keeper | undefined
  // Those that may still be redeemed, by control process.
  readonly #answers = new Map<Promiser, Map<Token, Answer>>()
  readonly #outdated = new Map<Token, Outdated>()

  constructor (time: VirtualTime, watch: Watch, tokens: TokenBook, proxy: () => Keeper | undefined) {
    this.#time = time
    this.#watch = watch
    this.#tokens = tokens
    this.#proxy = proxy
  }

  answered (control: Promiser, answer: Answer): void {
    const { token, target, selection, askedMs, untilMs } = answer
    const states = control.view.since(target.key, askedMs)
    this.#watch.hold('answersMatch', states.some(seen => isAnswer(seen, selection) && isAt(seen.place!, target)), target.key, 'is the answer to a query that it did not match')
    const answers = this.#answers.get(control) ?? new Map<Token, Answer>()
    this.#answers.set(control, answers)
    answers.set(token, answer)
    this.#tokens.answered(control, token, isRight(control, answer) ? untilMs : undefined)
  }

  /** A query was answered with a failure. If that took no time, it is known what the query could find. */
  refused ({ view }: Promiser, { code, selection, askedMs }: Refusal): void {
    const isForWant = code === 'NO_MATCHING_RESOURCE' || code === 'NAMESPACE_NOT_ALLOWED'
    if (!isForWant || this.#time.nowMs !== askedMs) return
    const [key] = view.matching(selection).keys()
    this.#watch.hold('answersMatch', key === undefined, key ?? '', `matches a query that was answered ${code}`)
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
        if (!isRight(control, answer) && !this.#outdated.has(token)) this.#outdated.set(token, { control, toldMs: this.#time.nowMs, untilMs })
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
      else if (life !== undefined && nowMs > toldMs + ACTS_WITHIN_MS && isInStep(control, life) && !control.link.isRevoking(token) && !life.hasRedeemed(token)) {
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
  return seen !== undefined && isAnswer(seen, selection) && isAt(seen.place!, target)
}
