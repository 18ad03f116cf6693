// How control shuts down without cutting players off: no new tokens, the proxy told, and a wait until no session and no redeemable token is left. The
// proxy counts, because it also has the sessions and tokens of former control processes.
import type { Clock } from '#core/clock.js'
import { drain, type DrainLeft } from '#core/drain.js'
import type { EventSink } from '../events/event-sink.js'
import type { ProxyPeer } from './proxy-peer.js'

/** `sessions` and `unredeemedTokens` are as the proxy last said, and absent until it has. */
export interface DrainStatus extends Partial<DrainLeft> {
  readonly secondsLeft: number
}

export interface DrainDeps {
  readonly clock: Clock
  readonly link: Pick<ProxyPeer, 'drain' | 'status'>
  /** What control itself knows of; it lags behind the proxy, and knows only tokens of its own. */
  readonly known: () => DrainLeft
  /** `drainTimeoutSeconds`, in ms. */
  readonly timeoutMs: number
  readonly events: EventSink
}

export class Drain {
  readonly #deps: DrainDeps
  #untilMs: number | undefined
  #left: DrainLeft | undefined
  /** The proxy has said that it will not come back. */
  #isProxyStopping = false

  constructor (deps: DrainDeps) {
    this.#deps = deps
  }

  /** Undefined before the drain begins. */
  status (): DrainStatus | undefined {
    return this.#untilMs === undefined ? undefined : this.#statusUntil(this.#untilMs)
  }

  #statusUntil (untilMs: number): DrainStatus {
    return { ...this.#left, secondsLeft: Math.max(0, Math.ceil((untilMs - this.#deps.clock.now()) / 1000)) }
  }

  get isDraining (): boolean {
    return this.#untilMs !== undefined
  }

  /** Begins, and resolves when there is nothing to wait for any more, or the time is over. With a time of 0 it does nothing. */
  async run (): Promise<void> {
    const { clock, timeoutMs, events } = this.#deps
    if (timeoutMs === 0) return
    const untilMs = clock.now() + timeoutMs
    this.#untilMs = untilMs
    events.publish('drain', () => ({ change: 'begun', secondsLeft: timeoutMs / 1000 }))
    const { outcome } = await drain({
      clock,
      untilMs,
      look: async () => await this.#look(untilMs),
      onProgress: () => { events.publish('drain', () => ({ change: 'goes_on', ...this.#statusUntil(untilMs) })) }
    })
    events.publish('drain', () => ({ change: 'ended', outcome, ...this.#left }))
  }

  // A proxy that does not answer may come back with sessions, so that is not a reason to end.
  async #look (untilMs: number): Promise<DrainLeft | 'alone' | undefined> {
    const { link } = this.#deps
    const said = await link.drain(untilMs)
    if (said === undefined) return this.#isAlone() ? 'alone' : undefined
    this.#left = { sessions: said.sessions, unredeemedTokens: said.unredeemedTokens }
    this.#isProxyStopping = said.stopping
    return this.#left
  }

  // Nobody's: there never was a proxy, a newer control process has it, it stopped after this process had been told, or it is
  // gone before it was asked and had nothing. Both get their signal at the same time where the proxy is not a sidecar.
  #isAlone (): boolean {
    const { state, proxy } = this.#deps.link.status()
    return state === 'superseded' || proxy === undefined || this.#isProxyStopping || this.#hadNothing()
  }

  #hadNothing (): boolean {
    const { sessions, unredeemedTokens } = this.#left ?? this.#deps.known()
    return sessions === 0 && unredeemedTokens === 0
  }
}
