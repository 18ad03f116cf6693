// How a selection goes over the inventory: in one go, or in slices between which everything else has its turn.
import type { Selection } from '#config/schema.js'
import { err, type Result } from '#core/result.js'
import { Pace } from '#core/pace.js'
import type { Slices } from '#core/slices.js'
import type { CompiledPath } from '#jsonpath/path.js'
import type { Work } from '#jsonpath/work.js'
import type { Inventory } from '../inventory/objects/inventory.js'
import { matchesStatus } from '../inventory/store/path-index.js'
import type { Candidate, CandidateOf } from '../targets/candidate.js'
import { Matches, statusOf } from './matching.js'
import type { SelectFailure } from './query-failure.js'

/** What a selection does in one go, and in each slice after that: about a millisecond. */
export const SLICE_WORK = 20_000

/** Matches judged in one slice, where that is the most of the work: of an object that has changed its target is worked out anew. */
const SLICE_MATCHES = 500

/** What may be searched for. */
export interface Admitted {
  readonly path: CompiledPath | undefined
  readonly candidateOf: CandidateOf
}

export interface Search<Bound> {
  readonly atMost: number
  readonly inventory: Pick<Inventory, 'find' | 'count'>
  readonly work: Bound
}

export type Found = Result<readonly Candidate[], SelectFailure>

/** Undefined if it would cost more than `work` has. */
export function searchAtOnce (selection: Selection, { path, candidateOf }: Admitted, { atMost, inventory, work }: Search<Work | undefined>): Found | undefined {
  const { resourceType, namespace, labelSelector } = selection
  const matches = new Matches(selection, candidateOf, atMost)
  for (const object of inventory.find(resourceType, namespace, labelSelector, statusOf(selection, path, work), work)) if (matches.take(object)) break
  const result = work?.isOver === true ? undefined : matches.result(() => inventory.count(resourceType, namespace, labelSelector, work))
  return work?.isOver === true ? undefined : result
}

/** QUERY_TOO_COSTLY if it would cost more than `work` has. Objects may change between two slices: what it finds is as it was when it was its turn. */
export function * searchInSlices (selection: Selection, { path, candidateOf }: Admitted, { atMost, inventory, work }: Search<Work>): Slices<Found> {
  const { resourceType, namespace, labelSelector } = selection
  const matches = new Matches(selection, candidateOf, atMost)
  const pace = new Pace(SLICE_MATCHES)
  const status = statusOf(selection, path, work)
  const costly = err({ code: 'QUERY_TOO_COSTLY', detail: `The query costs more than limits.maxQueryWork (${work.limit}) allows.` } as const)
  // All in one slice, because the lists are only to be read while nothing changes; it takes a few milliseconds for 100,000.
  const objects = [...inventory.find(resourceType, namespace, labelSelector, status === undefined ? undefined : { ...status, isRough: true }, work)]
  let sliceWork = 0
  for (const object of objects) {
    if (work.isOver) return costly
    if (work.spent - sliceWork >= SLICE_WORK) {
      yield
      sliceWork = work.spent
    }
    work.spend(1)
    if (status !== undefined && !matchesStatus(object, status)) continue
    if (matches.take(object)) break
    if (pace.isFull()) {
      yield
      sliceWork = work.spent
    }
  }
  const result = work.isOver ? costly : matches.result(() => inventory.count(resourceType, namespace, labelSelector, work))
  return work.isOver ? costly : result
}
