// What control always hears from a proxy, because it acts on it: how many sessions its targets have, which tokens were redeemed, what
// becomes of its state.
import type { EventKind, RpcEvent, StateStatus } from '#rpc/contract.js'
import type { Token } from '#wire/token.js'
import type { EventRelay } from '../events/event-sink.js'
import type { TokenRegistry } from '../tokens/token-registry.js'
import { relay } from './relay.js'
import { SessionCounts } from './session-counts.js'

/** The kinds of events that control asks for on every connection. */
export const HEARD: readonly EventKind[] = ['counts', 'redeemed']

/** The same where directors share a store. */
export const HEARD_OF_REPLICAS: readonly EventKind[] = ['asked', ...HEARD, 'binding']

export interface HeardOptions {
  readonly registry: Pick<TokenRegistry, 'consume'>
  readonly events: Pick<EventRelay, 'publish' | 'lost'>
  /** The stream is open, and the proxy tells all counts anew. */
  readonly onHello: (instanceId: string) => void
  /** After the counts are known: target keys that the proxy has counted sessions of. */
  readonly onCounts: (keys: readonly string[]) => void
  /** What the proxy asks, and tells of sessions that have redeemed a token. */
  readonly onReplicaEvent: (event: ReplicaEvent) => void
}

/** `skipped`: lines of kind `binding` were left out. */
export type ReplicaEvent = Extract<RpcEvent, { readonly type: 'asked' | 'binding' | 'skipped' }>

export class Heard {
  readonly counts = new SessionCounts()
  readonly #options: HeardOptions
  #stateStatus: StateStatus = 'off'

  constructor (options: HeardOptions) {
    this.#options = options
  }

  /** Whether a restart of the proxy would find what it knows. */
  get stateStatus (): StateStatus {
    return this.#stateStatus
  }

  hear (event: RpcEvent): void {
    const { registry, events, onHello, onCounts, onReplicaEvent } = this.#options
    if (event.type === 'asked' || event.type === 'binding' || (event.type === 'skipped' && event.kind === 'binding')) {
      onReplicaEvent(event)
      return
    }
    if (event.type === 'counts') {
      this.counts.apply(event.sessions)
      onCounts(Object.keys(event.sessions))
    } else if (event.type === 'redeemed') registry.consume(event.token as Token, event.dataPort)
    else if (event.type === 'state') this.#stateStatus = event.status
    else if (event.type === 'hello') {
      this.counts.clear()
      this.#stateStatus = 'off'
      onHello(event.instanceId)
    }
    relay(event, events)
  }
}
