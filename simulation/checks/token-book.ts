// What control has promised about tokens, and whether the proxy keeps it: those of answered queries work until their time
// is over, those that were taken back or never answered do not.
import type { Token } from '#wire/token.js'
import type { Watch } from './invariants.js'
import { isInStep, isKnown, type Keeper, type Promiser } from './promiser.js'
import type { VirtualTime } from '../basics/virtual-time.js'

interface Promised {
  readonly control: Promiser
  readonly untilMs: number
  /** The life of the proxy that has to keep it; undefined while that is nobody. */
  life: Keeper | undefined
}

interface Made {
  readonly control: Promiser
  readonly atMs: number
}

interface Void {
  readonly control: Promiser
  readonly untilMs: number
  readonly life: Keeper
}

// Two calls, each of which may take two deadlines, after the one within which its query was answered.
const DEADLINES_OF_A_PUSH = 5
/** Longer than any token lives here, and than anything is on its way. */
const LOOKED_AT_MS = 40_000

export interface TokenBookOptions {
  readonly time: VirtualTime
  readonly watch: Watch
  /** How long a query may wait for its token to be brought where it has to be, in ms. */
  readonly pushDeadlineMs: number
  /** The proxy that has to keep what is promised. */
  readonly proxy: () => Keeper | undefined
  /** Every token that a query was answered with is added. */
  readonly known: Token[]
  /** Whoever else has to know that a token was taken back. */
  readonly onTakenBack: (token: Token) => void
  /** Whether it was redeemed at another director. */
  readonly isRedeemedElsewhere: (token: Token) => boolean
}

export class TokenBook {
  readonly #time: VirtualTime
  readonly #proxy: () => Keeper | undefined
  readonly #watch: Watch
  readonly #pushDeadlineMs: number
  readonly #promised = new Map<Token, Promised>()
  readonly #issuers = new Map<Token, Promiser>()
  readonly #void = new Map<Token, Void>()
  // That no query has been answered with.
  readonly #unanswered = new Map<Token, Made>()
  readonly #known: Token[]
  readonly #onTakenBack: (token: Token) => void
  readonly isRedeemedElsewhere: (token: Token) => boolean

  constructor ({ time, watch, pushDeadlineMs, proxy, known, onTakenBack, isRedeemedElsewhere }: TokenBookOptions) {
    this.#time = time
    this.#watch = watch
    this.#pushDeadlineMs = pushDeadlineMs
    this.#proxy = proxy
    this.#known = known
    this.#onTakenBack = onTakenBack
    this.isRedeemedElsewhere = isRedeemedElsewhere
  }

  /** A control process has made it, for a query that is not answered yet. */
  made (control: Promiser, token: Token): void {
    this.#unanswered.set(token, { control, atMs: this.#time.nowMs })
  }

  /** A query was answered with it; `untilMs` is undefined if its target is not what was asked for any more. */
  answered (control: Promiser, token: Token, untilMs: number | undefined): void {
    this.#unanswered.delete(token)
    this.#issuers.set(token, control)
    this.#known.push(token)
    if (untilMs === undefined) {
      this.#onTakenBack(token)
      return
    }
    const life = this.#proxy()
    const promised = { control, untilMs, life: life !== undefined && isKnown(control, life) ? life : undefined }
    this.#promised.set(token, promised)
    this.#holdPromise(token, promised)
  }

  /** Somebody has begun to make it void: nothing is promised any more. */
  takenBack (token: Token): void {
    this.#promised.delete(token)
    this.#onTakenBack(token)
  }

  /** The proxy has acknowledged that it is void. */
  revoked (control: Promiser, token: Token): void {
    const life = this.#proxy()
    if (life === undefined || !isKnown(control, life)) return
    this.#void.set(token, { control, life, untilMs: this.#time.nowMs + LOOKED_AT_MS })
    this.#holdVoid(token, life)
  }

  /** A control process has told a proxy all it knows. */
  synchronised (control: Promiser, life: Keeper): void {
    for (const [token, promised] of this.#promised) {
      if (promised.control !== control || !control.registry.has(token)) continue
      promised.life = life
      this.#holdPromise(token, promised)
    }
  }

  /** A new life of the proxy has taken over the promises of the former one: a token was written before it was acknowledged. */
  restarted (former: Keeper, life: Keeper): void {
    for (const [token, promised] of this.#promised) {
      if (promised.life !== former) continue
      promised.life = life
      this.#holdPromise(token, promised)
    }
  }

  /** Looks at everything that was promised. */
  scan (): void {
    for (const [token, promised] of this.#promised) {
      if (this.#time.nowMs >= promised.untilMs) this.#promised.delete(token)
      else this.#holdPromise(token, promised)
    }
    const life = this.#proxy()
    if (life === undefined) return
    for (const [token, { control, life: former, untilMs }] of this.#void) {
      if (this.#time.nowMs > untilMs) this.#void.delete(token)
      // Another process than the one that issued it may grant it anew to another proxy, and know no better.
      else if (life === former || this.#issuers.get(token) === control) this.#holdVoid(token, life)
    }
    for (const [token, made] of this.#unanswered) this.#holdUnanswered(token, made, life)
  }

  #holdPromise (token: Token, { life, untilMs }: Promised): void {
    if (life?.isAlive === true && this.#time.nowMs < untilMs) this.#watch.hold('answeredTokensWork', life.worksEverywhere(token), token, 'does not work')
  }

  #holdVoid (token: Token, life: Keeper): void {
    this.#watch.hold('voidTokensStayVoid', !life.worksAnywhere(token), token, 'but was taken back')
  }

  // By now its query has failed, and the late push and the revocation after it have been acknowledged, or the link counts as broken.
  #holdUnanswered (token: Token, { control, atMs }: Made, life: Keeper): void {
    const { nowMs } = this.#time
    if (!control.isAlive || nowMs > atMs + LOOKED_AT_MS) this.#unanswered.delete(token)
    else if (nowMs > atMs + DEADLINES_OF_A_PUSH * this.#pushDeadlineMs && isInStep(control, life) && !control.link.isRevoking(token)) {
      this.#watch.hold('voidTokensStayVoid', !life.worksAnywhere(token), token, 'but its query failed')
    }
  }
}
