// The choice among candidates. Each type gives a candidate a cost, or none if it may not be chosen; the least cost
// wins, and among equals the first in the inventory's order, which is that of the names.
import type { LoadBalancing } from '#config/schema.js'
import type { Candidate } from '../targets/candidate.js'

export interface BalancerDeps {
  /** Sessions of a target, by its key, and the tokens for it that nobody has redeemed yet: without those, all queries between two counts would meet at one target. */
  readonly loadOf: (key: string) => number
  /** Uniform in [0, 1). */
  readonly random: () => number
}

export interface Balancer {
  /** How many candidates `choose` needs, from the first on: with more it would choose the same one. */
  readonly wanted: number
  /** The candidate to use next; undefined if none has capacity, or there is none. */
  readonly choose: (candidates: readonly Candidate[]) => Candidate | undefined
  /** Those with capacity, the one `choose` would take first. Counts as no choice: round robin goes on where it was. */
  readonly ordered: (candidates: readonly Candidate[]) => readonly Candidate[]
}

interface Costs {
  /** Undefined if the candidate may not be chosen. */
  readonly of: (candidate: Candidate) => number | undefined
  readonly chosen?: (candidate: Candidate) => void
}

/** Targets whose last turn is remembered by round robin; with more, the longest unused start over. */
export const MAX_TURNS = 100_000

/** A balancer of the configured type. Throws if `labelArithmetic` lacks a label, which the configuration has checked. */
export function createBalancer (loadBalancing: LoadBalancing, deps: BalancerDeps): Balancer {
  const costs = costsFor[loadBalancing.type](deps, loadBalancing)
  return {
    wanted: loadBalancing.type === 'first' ? 1 : Infinity,
    choose: candidates => {
      const best = cheapest(candidates, costs)
      if (best !== undefined) costs.chosen?.(best)
      return best
    },
    ordered: candidates => candidates
      .flatMap(candidate => {
        const cost = costs.of(candidate)
        return cost === undefined ? [] : [{ candidate, cost }]
      })
      .sort((left, right) => left.cost - right.cost)
      .map(({ candidate }) => candidate)
  }
}

function cheapest (candidates: readonly Candidate[], costs: Costs): Candidate | undefined {
  let best: Candidate | undefined
  let least = Infinity
  for (const candidate of candidates) {
    const cost = costs.of(candidate)
    if (cost === undefined || cost >= least) continue
    best = candidate
    least = cost
  }
  return best
}

const costsFor: Readonly<Record<LoadBalancing['type'], (deps: BalancerDeps, loadBalancing: LoadBalancing) => Costs>> = {
  first: () => ({ of: () => 0 }),
  leastSessions: ({ loadOf }) => ({ of: ({ target }) => loadOf(target.key) }),
  random: ({ random }) => ({ of: random }),
  roundRobin: () => turns(),
  labelArithmetic: ({ loadOf }, loadBalancing) => placesLeft(loadOf, loadBalancing)
}

// The one whose last turn is longest ago; a new target comes first. There is one memory for all targets, not a counter for each
// selection: so every target gets the same share even if selections overlap or their matches come and go.
function turns (): Costs {
  const lastTurn = new Map<string, number>()
  let turn = 0
  return {
    of: ({ target }) => lastTurn.get(target.key) ?? 0,
    chosen: ({ target }) => {
      lastTurn.delete(target.key)
      lastTurn.set(target.key, ++turn)
      if (lastTurn.size > MAX_TURNS) lastTurn.delete(lastTurn.keys().next().value!)
    }
  }
}

// Places are counted by the game (`currentLabel`), and again by us for those it has not seen yet.
function placesLeft (loadOf: BalancerDeps['loadOf'], { currentLabel, maxLabel, overlap }: LoadBalancing): Costs {
  if (currentLabel === undefined || maxLabel === undefined) throw new Error('labelArithmetic needs currentLabel and maxLabel')
  return {
    of: ({ object, target }) => {
      const current = countLabel(object, currentLabel)
      const max = countLabel(object, maxLabel)
      if (current === undefined || max === undefined) return undefined
      const capacity = max - current - loadOf(target.key) - overlap
      return capacity > 0 ? -capacity : undefined
    }
  }
}

function countLabel ({ metadata: { labels = {} } }: Candidate['object'], name: string): number | undefined {
  const text = Object.hasOwn(labels, name) ? labels[name] : undefined
  return text !== undefined && /^\d{1,15}$/.test(text) ? Number(text) : undefined
}
