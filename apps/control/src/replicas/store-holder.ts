// Opens the store before there is anybody who hears of it: the link to the proxy, the parts and the store need each other.
import { ok, type Result } from '#core/result.js'
import type { OpenStore, SharedStore, StoreEvents, StoreOptions } from '../store/shared-store.js'

export interface HeldStore {
  readonly store: SharedStore
  /** Who hears of it; before `start`. */
  readonly attach: (events: StoreEvents) => void
}

/** A store that is not connected yet. Fails with a sentence if what the configuration names cannot be read. */
export async function holdStore (openStore: OpenStore, options: Omit<StoreOptions, 'events'>): Promise<Result<HeldStore, string>> {
  let attached: StoreEvents | undefined
  const opened = await openStore({
    ...options,
    events: {
      onUp: isAgain => { attached?.onUp(isAgain) },
      onDown: reason => { attached?.onDown(reason) },
      onMessage: message => { attached?.onMessage(message) },
      onNewerRecord: () => { attached?.onNewerRecord() },
      onCall: (call, outcome, seconds) => { attached?.onCall(call, outcome, seconds) }
    }
  })
  return opened.ok ? ok({ store: opened.value, attach: events => { attached = events } }) : opened
}
