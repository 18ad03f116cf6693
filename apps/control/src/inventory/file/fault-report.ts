// Says what is wrong with the inventory once, when it goes wrong, and once more when that is over.
import type { EventSink } from '../../events/event-sink.js'
import { formatFault, type FileFault } from './contents.js'

export class FaultReport {
  readonly #events: EventSink
  #known: ReadonlyMap<string, FileFault> = new Map()

  constructor (events: EventSink) {
    this.#events = events
  }

  /** All faults there are now; tells how they differ from those of the call before. */
  report (faults: readonly FileFault[]): void {
    const now = new Map(faults.map(fault => [formatFault(fault), fault]))
    for (const [fault, { file }] of now) {
      if (!this.#known.has(fault)) this.#events.publish('inventory', () => ({ change: 'fault', provider: 'file', subject: file, detail: fault }))
    }
    const broken = new Set(faults.map(({ file }) => file))
    const recovered = new Set([...this.#known.values()].map(({ file }) => file).filter(file => !broken.has(file)))
    for (const file of recovered) this.#events.publish('inventory', () => ({ change: 'recovered', provider: 'file', subject: file }))
    this.#known = now
  }
}
