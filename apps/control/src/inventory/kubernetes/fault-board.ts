// What is wrong now, source by source. Says it once when it begins and once when it is over, however many sources
// suffer from it and however often they try.
import type { InventoryLog } from '../file/fault-log.js'
import type { SourceFault, Verb } from './describe-fault.js'
import type { Source } from './source.js'

export class FaultBoard {
  readonly #log: InventoryLog
  readonly #faults = new Map<Source, SourceFault & { readonly verb: Verb }>()

  constructor (log: InventoryLog) {
    this.#log = log
  }

  /** Each fault once. */
  get all (): readonly string[] {
    const bySummary = new Map([...this.#faults.values()].map(fault => [fault.summary, `${fault.summary}: ${fault.detail}`]))
    return [...bySummary.values()]
  }

  of (source: Source): SourceFault | undefined {
    return this.#faults.get(source)
  }

  /** What is wrong with `source` now, or with undefined: that this verb works. Lists may work where watches do not. */
  set (source: Source, verb: Verb, fault: SourceFault | undefined): void {
    const before = this.#faults.get(source)
    if (fault === undefined && verb === 'list' && before?.verb === 'watch') return
    const isNew = fault !== undefined && !this.#isKnown(fault.summary)
    if (fault === undefined) this.#faults.delete(source)
    else this.#faults.set(source, { ...fault, verb })
    if (isNew) this.#log.warn({ fault: fault.summary, detail: fault.detail }, 'Kubernetes objects cannot be read, what is known of them is kept')
    if (before !== undefined && !this.#isKnown(before.summary)) this.#log.info({ fault: before.summary }, 'Kubernetes fault is over')
  }

  #isKnown (summary: string): boolean {
    for (const fault of this.#faults.values()) if (fault.summary === summary) return true
    return false
  }
}
