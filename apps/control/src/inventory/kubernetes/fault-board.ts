// What is wrong now, source by source. Says it once when it begins and once when it is over, however many sources
// suffer from it, however often they try, and whatever else goes wrong with them in between.
import type { EventSink } from '../../events/event-sink.js'
import type { SourceFault, Verb } from './api/describe-fault.js'
import type { Source } from './api/source.js'

/** What is wrong with one source. */
interface Trouble {
  /** By verb; the one that came last is at the end. */
  readonly faults: Map<Verb, SourceFault>
  /** Summaries of all there were since something is wrong. */
  readonly summaries: Set<string>
}

export class FaultBoard {
  readonly #events: EventSink
  readonly #troubles = new Map<Source, Trouble>()

  constructor (events: EventSink) {
    this.#events = events
  }

  /** Each fault once. */
  get all (): readonly string[] {
    const bySummary = new Map<string, string>()
    for (const trouble of this.#troubles.values()) {
      const { summary, detail } = latestOf(trouble)
      bySummary.set(summary, `${summary}: ${detail}`)
    }
    return [...bySummary.values()]
  }

  of (source: Source): SourceFault | undefined {
    const trouble = this.#troubles.get(source)
    return trouble === undefined ? undefined : latestOf(trouble)
  }

  /** What is wrong with `source` now, or with undefined: that this verb works. Lists may work where watches do not. */
  set (source: Source, verb: Verb, fault: SourceFault | undefined): void {
    if (fault === undefined) this.#recover(source, verb)
    else this.#add(source, verb, fault)
  }

  #add (source: Source, verb: Verb, fault: SourceFault): void {
    const { summary, detail } = fault
    if (!this.#isKnown(summary)) this.#events.publish('inventory', () => ({ change: 'fault', provider: 'kubernetes', subject: summary, detail }))
    const { faults, summaries } = this.#troubles.get(source) ?? { faults: new Map<Verb, SourceFault>(), summaries: new Set<string>() }
    faults.delete(verb)
    this.#troubles.set(source, { faults: faults.set(verb, fault), summaries: summaries.add(summary) })
  }

  // A fault that became another one is not over: only a source without any has recovered.
  #recover (source: Source, verb: Verb): void {
    const trouble = this.#troubles.get(source)
    if (trouble === undefined) return
    trouble.faults.delete(verb)
    // A watch goes on from a list: whatever kept us from listing is no more.
    if (verb === 'watch') trouble.faults.clear()
    if (trouble.faults.size > 0) return
    this.#troubles.delete(source)
    for (const fault of trouble.summaries) if (!this.#isKnown(fault)) this.#events.publish('inventory', () => ({ change: 'recovered', provider: 'kubernetes', subject: fault }))
  }

  #isKnown (summary: string): boolean {
    for (const { summaries } of this.#troubles.values()) if (summaries.has(summary)) return true
    return false
  }
}

function latestOf ({ faults }: Trouble): SourceFault {
  return [...faults.values()].at(-1) ?? { summary: '', detail: '' }
}
