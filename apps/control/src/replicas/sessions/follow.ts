// Whether a client without a session and without a token has a session at another replica: then it goes on here. Asks wait in a queue
// with bounds, so that strangers do not keep the store from claims of tokens, which do not wait here.
import type { Clock } from '#core/clock.js'
import { within } from '#core/within.js'
import type { Answer, Asked } from '#rpc/replica-schemas.js'
import type { ReplicaProxy } from '../parts/replica-part.js'
import { sessionFrom } from './bindings.js'
import type { KnownBindings } from './known-bindings.js'
import type { SessionContext } from './session-context.js'

/** Looked up at the same time; at 1 ms each, 256,000 a second. */
const AT_ONCE = 256

interface Waiting {
  readonly asked: Asked
  readonly atMs: number
}

export class Follow {
  readonly #context: SessionContext
  readonly #known: KnownBindings
  readonly #clock: Clock
  readonly #proxy: Pick<ReplicaProxy, 'answer'>
  readonly #waiting: Waiting[] = []
  #next = 0
  #underWay = 0

  constructor (context: SessionContext, known: KnownBindings) {
    this.#context = context
    this.#known = known
    this.#clock = context.clock
    this.#proxy = context.proxy
  }

  /** Answers within the deadline. What waits is bounded by the proxy: it asks about no more than it keeps datagrams. */
  ask (asked: Asked): void {
    this.#waiting.push({ asked, atMs: this.#clock.now() })
    this.#goOn()
  }

  #goOn (): void {
    while (this.#underWay < AT_ONCE && this.#next < this.#waiting.length) {
      const { asked, atMs } = this.#waiting[this.#next++]!
      // Nobody waits any more, and the proxy has dropped what was held.
      if (this.#clock.now() - atMs >= this.#context.deadlineMs) this.#answer(asked, { verdict: 'late' })
      else if (this.#context.store.status !== 'up') this.#answer(asked, { verdict: 'none' })
      else void this.#look(asked, this.#context.deadlineMs - (this.#clock.now() - atMs))
    }
    if (this.#next < this.#waiting.length) return
    this.#waiting.length = 0
    this.#next = 0
  }

  async #look (asked: Asked, leftMs: number): Promise<void> {
    this.#underWay++
    this.#answer(asked, await within(this.#clock, leftMs, this.#verdictOn(asked), { verdict: 'late' }))
    this.#underWay--
    this.#goOn()
  }

  async #verdictOn ({ client }: Asked): Promise<Omit<Answer, 'id'>> {
    const { store, judge, staysOnGone, metrics } = this.#context
    const found = await store.find(client)
    // One that answers with an error will do so again: the client is not kept waiting for it.
    if (!found.ok) return { verdict: found.error === 'late' ? 'late' : 'none' }
    const { value } = found
    if (value === undefined) return { verdict: 'none' }
    const verdict = judge(value.target)
    if (verdict === 'refused') metrics.targetRefused()
    if (verdict === 'refused' || (verdict === 'gone' && !staysOnGone())) return { verdict: 'none' }
    this.#known.learn(client, value.sequence, value.target)
    return { verdict: 'followed', session: sessionFrom(client, value) }
  }

  #answer ({ id }: Asked, answer: Omit<Answer, 'id'>): void {
    this.#proxy.answer({ id, ...answer })
  }
}
