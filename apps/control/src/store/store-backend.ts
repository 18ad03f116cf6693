// What a store must be able to do for create-shared-store.ts to make a SharedStore of it: run the scripts of the table, and carry
// texts from replica to replica. Nothing here knows what the scripts mean.
import type { ScriptName } from './scripts.js'
import type { StoreRefusal, StoreResult, StoreStatus } from './shared-store.js'

export interface StoreBackend {
  readonly status: StoreStatus
  readonly reason: string | undefined
  /** As `SharedStore.refusal`. */
  readonly refusal: StoreRefusal | undefined
  readonly start: () => void
  /** Runs a script of the table. Its reply as it came: numbers, texts, null, and lists of them. */
  readonly run: (script: ScriptName, keys: readonly string[], args: ReadonlyArray<string | number>) => Promise<StoreResult<unknown>>
  readonly publish: (channel: string, text: string) => Promise<StoreResult<unknown>>
  readonly close: () => Promise<void>
}

export interface BackendEvents {
  readonly onUp: (isAgain: boolean) => void
  readonly onDown: (reason: string) => void
  /** A text on one of `channels`. */
  readonly onText: (text: string) => void
}

/** Opens a backend that hears what is published on `channels`. It connects when it is started. */
export type OpenBackend = (channels: readonly string[], events: BackendEvents) => StoreBackend
