// Opens the store on Valkey or Redis. The library is loaded here, when the first store is opened: a director that is alone never does.
import { err, ok, type Result } from '#core/result.js'
import { createSharedStore } from '../create-shared-store.js'
import type { SharedStore, StoreOptions } from '../shared-store.js'
import { openSecrets } from './secrets.js'
import { ValkeyBackend } from './valkey-backend.js'

/** See `OpenStore`. */
export async function openValkeyStore ({ sharedState, replica, deadlineMs, clock, random, log, events }: StoreOptions): Promise<Result<SharedStore, string>> {
  let backend: ValkeyBackend | undefined
  const opened = await openSecrets(sharedState, { clock, log, onChange: () => { backend?.renew() } })
  if (!opened.ok) return err(opened.error)
  const iovalkey = await import('iovalkey')
  return ok(createSharedStore({ prefix: sharedState.prefix, replica, now: clock.now, events }, (channels, backendEvents) => {
    backend = new ValkeyBackend({ iovalkey, sharedState, secrets: opened.value, deadlineMs, clock, random, log, channels, events: backendEvents })
    return backend
  }))
}
