// Where rooms under test tell their events.
import type { EventSink } from '../../src/events/event-sink.js'
import { logEvents } from '../../src/events/event-log.js'
import { EventsHub } from '../../src/events/events-hub.js'
import type { HubData, HubKind } from '../../src/events/hub-kinds.js'

export interface Told<Kind extends HubKind = HubKind> {
  readonly kind: Kind
  readonly data: HubData<Kind>
}

export interface RecordingSink extends EventSink {
  /** Everything that was published, in order. */
  readonly told: Told[]
}

/** Reads every kind, and keeps it all. */
export function recordingSink (): RecordingSink {
  const told: Told[] = []
  return { told, publish: (kind, make) => { told.push({ kind, data: make() }) } }
}

type Write = (fields: object, sentence: string) => void

/** A hub that has the lines of its events written, as control's log has them. */
export function loggedEvents (log: { readonly info: Write, readonly warn: Write }): EventsHub {
  const hub = new EventsHub({ wallNow: () => 0 })
  logEvents(hub, { level: 'info', debug: () => undefined, error: () => undefined, ...log })
  return hub
}
