// What a proxy is asked to tell only while somebody reads it in the hub: a stream for each such kind, opened with its first reader and
// ended with its last. They are apart from the stream that control acts on, so neither a flood of them nor the coming and
// going of readers costs it a line; and a proxy makes no event of a kind that nobody reads.
import type { Cancel, Clock } from '#core/clock.js'
import type { RpcClient } from '#rpc/client.js'
import type { EventKind } from '#rpc/contract.js'
import type { EventRelay } from '../events/event-sink.js'
import { kindsOfProxies, type HubKind } from '../events/hub-kinds.js'
import { HEARD_OF_REPLICAS } from './heard.js'
import { relay } from './relay.js'

/** How long until a stream that ended is opened again, in milliseconds, while the link stands. */
export const REOPEN_MS = 1000

const demanded = [...kindsOfProxies].filter(([proxyKind]) => !HEARD_OF_REPLICAS.includes(proxyKind))

export interface DemandedEventsOptions {
  readonly client: Pick<RpcClient, 'events'>
  readonly clock: Clock
  readonly events: EventRelay
}

interface Stream {
  readonly ending: AbortController
  cancelReopen: Cancel
}

export class DemandedEvents {
  readonly #options: DemandedEventsOptions
  readonly #streams = new Map<HubKind, Stream>()
  readonly #stopListening: () => void
  #isOpen = false

  constructor (options: DemandedEventsOptions) {
    this.#options = options
    this.#stopListening = options.events.onDemand(() => { this.#follow() })
  }

  /** The proxy is there, from now until `shut`. */
  open (): void {
    this.#isOpen = true
    this.#follow()
  }

  /** The proxy is lost: what it tells until it is back is lost to those who read. */
  shut (): void {
    this.#isOpen = false
    for (const kind of this.#streams.keys()) this.#options.events.lost(kind, 0, true)
    this.#follow()
  }

  close (): void {
    this.#stopListening()
    this.#isOpen = false
    this.#follow()
  }

  #follow (): void {
    for (const [proxyKind, kind] of demanded) {
      const isWanted = this.#isOpen && this.#options.events.isRead(kind)
      const stream = this.#streams.get(kind)
      if (isWanted && stream === undefined) {
        const opened = { ending: new AbortController(), cancelReopen: () => undefined }
        this.#streams.set(kind, opened)
        void this.#read(opened, proxyKind, kind)
      } else if (!isWanted && stream !== undefined) {
        this.#streams.delete(kind)
        stream.cancelReopen()
        stream.ending.abort()
      }
    }
  }

  async #read (stream: Stream, proxyKind: EventKind, kind: HubKind): Promise<void> {
    const { client, clock, events } = this.#options
    const { signal } = stream.ending
    await client.events(event => { if (!signal.aborted) relay(event, events) }, signal, [proxyKind])
    if (signal.aborted) return
    events.lost(kind, 0, true)
    // Its last reader may have left just now.
    if (this.#streams.get(kind) === stream) stream.cancelReopen = clock.after(REOPEN_MS, () => { void this.#read(stream, proxyKind, kind) })
  }
}
