// Where the rooms of control tell their events. They know nothing of who reads, and never wait for it.
import type { HubData, HubKind } from './hub-kinds.js'

export interface EventSink {
  /** Tells an event. `make` is called at once if somebody reads this kind, and never otherwise. */
  readonly publish: <Kind extends HubKind>(kind: Kind, make: () => HubData<Kind>) => void
}

/** For who hears events elsewhere and passes them on: what nobody reads here need not be sent. */
export interface EventRelay extends EventSink {
  readonly isRead: (kind: HubKind) => boolean
  /** Calls back whenever a kind gets its first reader or loses its last. Returns how to stop that. */
  readonly onDemand: (changed: () => void) => () => void
  /** Tells the readers of a kind that events of it were lost before they came here: so many, or more if `orMore`. */
  readonly lost: (kind: HubKind, count: number, orMore: boolean) => void
}
