// What can go wrong with a request, as data, and the rules that say which request it happens to.
import { matches, type RequestMatch, type RequestRecord } from '../requests/request-log.js'
import type { Cut, FrameFault } from './frame.js'

export type Fault =
  /** Waits before the first byte, in milliseconds of the server's clock. */
  | { readonly kind: 'delay', readonly ms: number }
  /** Never sends a byte. */
  | { readonly kind: 'hang' }
  /** RST instead of an answer. */
  | { readonly kind: 'reset' }
  /** This answer instead of the right one; without `body` a Status with the usual reason. */
  | { readonly kind: 'status', readonly code: number, readonly message?: string, readonly retryAfterSeconds?: number, readonly headers?: Readonly<Record<string, string>>, readonly body?: string }
  /** Another body under status 200: what `change` makes of the right one. */
  | { readonly kind: 'edit', readonly change: (body: KubeListLike) => unknown }
  /** The body stops after `bytes`, half of it if unset. For watches see `cutFrame` of frame-faults. */
  | { readonly kind: 'cut', readonly how: Cut, readonly bytes?: number }
  /** The body comes in chunks of `bytes` bytes, or cut in two inside every character of several bytes. */
  | { readonly kind: 'pieces', readonly bytes: number | 'within-characters' }
  /** Changes what a watch sends: made by the functions of frame-faults. */
  | { readonly kind: 'frames', readonly start: () => FrameFault }

/** A list's body, open for any change. */
export interface KubeListLike {
  metadata: Record<string, unknown>
  items: unknown[] | null
  [field: string]: unknown
}

export interface FaultMatch extends RequestMatch {
  /** The first request it happens to, counted from 1 among those that match since the rule was made. */
  readonly nth?: number
  /** To how many requests from there on; 1 if unset, Infinity for all. */
  readonly times?: number
}

export interface FaultRule {
  /** Requests it has happened to. */
  readonly hits: () => number
  readonly remove: () => void
}

interface Rule {
  readonly match: FaultMatch
  readonly faults: readonly Fault[]
  seen: number
  hits: number
}

export class FaultBook {
  readonly #rules = new Set<Rule>()

  add (match: FaultMatch, faults: readonly Fault[]): FaultRule {
    const rule: Rule = { match, faults, seen: 0, hits: 0 }
    this.#rules.add(rule)
    return { hits: () => rule.hits, remove: () => { this.#rules.delete(rule) } }
  }

  clear (): void {
    this.#rules.clear()
  }

  /** Faults of all rules whose turn it is with this request, in the order the rules were made. Counts the request. */
  take (request: RequestRecord): Faults {
    const due: Fault[] = []
    for (const rule of this.#rules) {
      const { match: { nth = 1, times = 1 } } = rule
      if (!matches(rule.match, request)) continue
      rule.seen++
      if (rule.seen < nth || rule.seen >= nth + times) continue
      rule.hits++
      due.push(...rule.faults)
    }
    return new Faults(due)
  }
}

/** The faults of one request. */
export class Faults {
  readonly #faults: readonly Fault[]

  constructor (faults: readonly Fault[]) {
    this.#faults = faults
  }

  get delayMs (): number {
    return this.all('delay').reduce((sum, { ms }) => sum + ms, 0)
  }

  first<Kind extends Fault['kind']> (kind: Kind): Extract<Fault, { kind: Kind }> | undefined {
    return this.all(kind)[0]
  }

  all<Kind extends Fault['kind']> (kind: Kind): ReadonlyArray<Extract<Fault, { kind: Kind }>> {
    return this.#faults.filter((fault): fault is Extract<Fault, { kind: Kind }> => fault.kind === kind)
  }
}
