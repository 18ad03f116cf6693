// What other replicas say of clients that have a session here, too. It is applied when nothing of the client is on its way to the store:
// only then is it known which is newer.
import type { ReplicaMessage } from '../../store/shared-store.js'
import type { KnownBindings } from './known-bindings.js'
import type { OwnProxy } from './own-proxy.js'
import type { SessionContext } from './session-context.js'

export type ElsewhereMessage = Extract<ReplicaMessage, { type: 'elsewhere' }>

/** Held for one client; the older ones are void by the newer. */
const MAX_HELD = 8

export interface MessagesDeps {
  readonly context: SessionContext
  readonly known: KnownBindings
  readonly ownProxy: OwnProxy
  readonly isBusy: (client: string) => boolean
  /** The client's session here was told that its datagrams come to another replica. */
  readonly onSeenElsewhere: (client: string) => void
}

export class Messages {
  readonly #deps: MessagesDeps
  // By client, the newest last: there are no more of them than clients that are busy.
  readonly #held = new Map<string, ElsewhereMessage[]>()

  constructor (deps: MessagesDeps) {
    this.#deps = deps
  }

  hear (message: ElsewhereMessage): void {
    const { client } = message
    if (!this.#deps.isBusy(client)) {
      this.#apply(message)
      return
    }
    const held = this.#held.get(client)
    if (held === undefined) this.#held.set(client, [message])
    else {
      held.push(message)
      if (held.length > MAX_HELD) held.shift()
    }
  }

  /** Nothing of this client is on its way any more. */
  settled (client: string): void {
    const held = this.#held.get(client)
    if (held === undefined) return
    this.#held.delete(client)
    for (const message of held) this.#apply(message)
  }

  #apply ({ client, change, target, sequence }: ElsewhereMessage): void {
    const { known, ownProxy, onSeenElsewhere, context: { judge, metrics } } = this.#deps
    const knownSequence = known.of(client)
    // What this replica bound since, or heard since.
    if (sequence !== undefined && sequence < knownSequence) return
    if (change === 'ended') ownProxy.end(client)
    else if (change === 'seen') {
      ownProxy.seenElsewhere(client)
      onSeenElsewhere(client)
    } else if (target !== undefined && sequence !== knownSequence) {
      if (judge(target) === 'refused') metrics.targetRefused()
      else {
        if (sequence !== undefined) known.learn(client, sequence, target)
        ownProxy.move(client, target)
      }
    }
  }
}
