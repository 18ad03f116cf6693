// WATCH: what of the past a stream replays, which events its selectors let through, its bookmarks and its end.
// https://kubernetes.io/docs/reference/using-api/api-concepts/#efficient-detection-of-changes
import type { Cancel, Clock } from '#core/clock.js'
import type { StoreEvent } from '../objects/event-ring.js'
import type { ListOptions } from '../requests/list-options.js'
import type { Collection, ObjectStore } from '../objects/object-store.js'
import { invalidOptions, statusBody, tooOldVersion, type Reply } from '../requests/reply.js'
import { apiVersionOf, type KubeObject } from '../objects/resource-type.js'
import type { Predicate } from '../objects/selector.js'
import type { WatchStream } from './watch-stream.js'

export interface WatchSettings {
  readonly clock: Clock
  readonly bookmarkPeriodMs: number
  /** The deadline of watches that name none. */
  readonly watchTimeoutSeconds: number
  /** Whether `sendInitialEvents` is understood. */
  readonly watchList: boolean
}

/** Bookmarks come this long before the deadline too: bookmarkRefreshPeriod, k8s.io/apiserver cacher/cache_watcher.go. */
const LAST_BOOKMARK_MS = 2_000

/** What is wrong with the options of a watch; undefined if nothing is. */
export function faultOfWatch (options: ListOptions, { watchList }: WatchSettings): Reply | undefined {
  const { sendInitialEvents, versionMatch } = options
  if (sendInitialEvents === undefined) {
    return versionMatch === undefined ? undefined : invalidOptions('resourceVersionMatch', 'resourceVersionMatch is forbidden for watch unless sendInitialEvents is provided')
  }
  if (!watchList) return invalidOptions('sendInitialEvents', 'sendInitialEvents is forbidden for watch unless the WatchList feature gate is enabled')
  if (versionMatch !== 'NotOlderThan') return invalidOptions('resourceVersionMatch', 'sendInitialEvents requires setting resourceVersionMatch to NotOlderThan')
  return undefined
}

export interface Watch {
  readonly stream: WatchStream
  /** Sends a bookmark now, asked for or not. */
  readonly bookmark: () => void
  /** Forgets about it: no more events, no timers. For when the stream is closed. */
  readonly stop: () => void
}

export function startWatch (store: ObjectStore, collection: Collection, namespace: string | undefined, options: ListOptions, settings: WatchSettings, stream: WatchStream): Watch {
  const { clock } = settings
  const cancels: Cancel[] = []
  const selects: Predicate = object => (namespace === undefined || object.metadata.namespace === namespace) && options.selects(object)
  const bookmark = (annotations?: object): void => { stream.bookmark(bookmarkObject(collection, store.version, annotations)) }

  stream.open()
  if (replay(collection, options, selects, stream)) {
    if (options.sendInitialEvents === true) bookmark({ 'k8s.io/initial-events-end': 'true' })
    // As the real server: to a client from the future (after a restored backup) nothing happens until its version is reached.
    const since = options.version ?? 0
    cancels.push(store.onEvent((changed, event) => {
      if (changed === collection && event.resourceVersion > since) sendEvent(stream, event, selects)
    }))
    const timeoutMs = (options.timeoutSeconds ?? settings.watchTimeoutSeconds) * 1000
    if (options.bookmarks) {
      cancels.push(clock.every(settings.bookmarkPeriodMs, () => { bookmark() }))
      if (timeoutMs > LAST_BOOKMARK_MS) cancels.push(clock.after(timeoutMs - LAST_BOOKMARK_MS, () => { bookmark() }))
    }
    cancels.push(clock.after(timeoutMs, () => { stream.cut('end') }))
  }
  return { stream, bookmark: () => { bookmark() }, stop: () => { for (const cancel of cancels) cancel() } }
}

// False when the past that was asked for is forgotten: the answer to that is a frame, not a status code.
function replay ({ objects, ring }: Collection, { version, sendInitialEvents }: ListOptions, selects: Predicate, stream: WatchStream): boolean {
  const anyVersion = version === undefined || version === 0
  const synthetic = sendInitialEvents ?? anyVersion
  if (synthetic) {
    for (const object of objects.values()) if (selects(object)) stream.event('ADDED', object)
    return true
  }
  if (anyVersion) return true
  const events = ring.since(version)
  if (events === undefined) {
    stream.error(statusBody(410, tooOldVersion(version, ring.oldest)))
    stream.cut('end')
    return false
  }
  for (const event of events) sendEvent(stream, event, selects)
  return true
}

// To a watch with a selector an object begins to exist when it matches, and is deleted when it does not any more.
function sendEvent (stream: WatchStream, { before, after, deleted, resourceVersion }: StoreEvent, selects: Predicate): void {
  const matched = before !== undefined && selects(before)
  const matching = !deleted && selects(after)
  if (matching) stream.event(matched ? 'MODIFIED' : 'ADDED', after)
  else if (matched) stream.event('DELETED', deleted ? after : atVersion(before, resourceVersion))
}

function atVersion (object: KubeObject, version: number): KubeObject {
  return { ...object, metadata: { ...object.metadata, resourceVersion: String(version) } }
}

function bookmarkObject ({ type }: Collection, version: number, annotations?: object): object {
  const metadata = { resourceVersion: String(version), creationTimestamp: null, ...(annotations === undefined ? {} : { annotations }) }
  return { kind: type.kind, apiVersion: apiVersionOf(type), metadata }
}
