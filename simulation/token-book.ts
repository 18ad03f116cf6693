// What control has promised about tokens, and whether the proxy keeps it: those of answered queries work until their time
// is over, those that were taken back or never answered do not.
import type { Token } from '#wire/token.js'
import type { ControlLife } from './control-life.js'
import type { Watch } from './invariants.js'
import type { ProxyLife } from './proxy-life.js'
import type { VirtualTime } from './virtual-time.js'

interface Promised {
  readonly control: ControlLife
  readonly untilMs: number
  /** The life of the proxy that has to keep it; undefined while that is nobody. */
  life: ProxyLife | undefined
}

interface Failed {
  readonly control: ControlLife
  /** By then the late push and the revocation after it have been acknowledged, or the link counts as broken. */
  readonly graceMs: number
  readonly untilMs: number
}

interface Void {
  readonly control: ControlLife
  readonly untilMs: number
  readonly life: ProxyLife
}

// Two calls, each of which may take two deadlines.
const CALLS_OF_A_PUSH = 4
/** Longer than any token lives here, and than anything is on its way. */
const LOOKED_AT_MS = 40_000

export class TokenBook {
  readonly #time: VirtualTime
  readonly #proxy: () => ProxyLife | undefined
  readonly #watch: Watch
  readonly #promised = new Map<Token, Promised>()
  readonly #issuers = new Map<Token, ControlLife>()
  readonly #void = new Map<Token, Void>()
  readonly #failed = new Map<Token, Failed>()
  /** Tokens of answered queries, all there ever were: what an eavesdropper could have. */
  readonly known: Token[] = []

  constructor (time: VirtualTime, watch: Watch, proxy: () => ProxyLife | undefined) {
    this.#time = time
    this.#watch = watch
    this.#proxy = proxy
  }

  /** A query was answered with a token. */
  answered (control: ControlLife, token: Token, untilMs: number): void {
    const life = this.#proxy()
    const isSame = life !== undefined && control.link.status().proxy?.instanceId === life.instanceId
    const promised = { control, untilMs, life: isSame ? life : undefined }
    this.#promised.set(token, promised)
    this.#issuers.set(token, control)
    this.known.push(token)
    this.#holdPromise(token, promised)
  }

  /** A query was not answered with this token, which it had tried. */
  failed (control: ControlLife, token: Token, pushDeadlineMs: number): void {
    this.#failed.set(token, { control, graceMs: this.#time.nowMs + CALLS_OF_A_PUSH * pushDeadlineMs, untilMs: this.#time.nowMs + LOOKED_AT_MS })
  }

  /** Somebody has begun to make it void: nothing is promised any more. */
  takenBack (token: Token): void {
    this.#promised.delete(token)
  }

  /** The proxy has acknowledged that it is void. */
  revoked (control: ControlLife, token: Token): void {
    const life = this.#proxy()
    if (life === undefined || control.link.status().proxy?.instanceId !== life.instanceId) return
    this.#void.set(token, { control, life, untilMs: this.#time.nowMs + LOOKED_AT_MS })
    this.#holdVoid(token, life)
  }

  /** A control process has told a proxy all it knows. */
  synchronised (control: ControlLife, life: ProxyLife): void {
    for (const [token, promised] of this.#promised) {
      if (promised.control !== control || !control.registry.has(token)) continue
      promised.life = life
      this.#holdPromise(token, promised)
    }
  }

  /** A new life of the proxy has taken over the promises of the former one: a token was written before it was acknowledged. */
  restarted (former: ProxyLife, life: ProxyLife): void {
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
    for (const [token, failed] of this.#failed) this.#holdFailed(token, failed, life)
  }

  #holdPromise (token: Token, { life, untilMs }: Promised): void {
    if (life?.isAlive === true && this.#time.nowMs < untilMs) this.#watch.hold('answeredTokensWork', life.worksEverywhere(token), token, 'does not work')
  }

  #holdVoid (token: Token, life: ProxyLife): void {
    this.#watch.hold('voidTokensStayVoid', !life.worksAnywhere(token), token, 'but was taken back')
  }

  #holdFailed (token: Token, { control, graceMs, untilMs }: Failed, life: ProxyLife): void {
    if (!control.isAlive || this.#time.nowMs > untilMs) this.#failed.delete(token)
    else if (this.#time.nowMs > graceMs && control.link.isSynchronised && control.link.status().proxy?.instanceId === life.instanceId && !control.link.isRevoking(token)) {
      this.#watch.hold('voidTokensStayVoid', !life.worksAnywhere(token), token, 'but its query failed')
    }
  }
}
