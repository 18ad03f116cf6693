// The stages of a selection, object by object: what matched, and why the rest did not. Pure.
import type { Selection } from '#config/schema.js'
import { err, ok, type Result } from '#core/result.js'
import type { CompiledPath } from '#jsonpath/path.js'
import type { Work } from '#jsonpath/work.js'
import type { KubeObject, StatusMatch } from '../inventory/objects/inventory.js'
import { matchesStatus } from '../inventory/store/path-index.js'
import type { Candidate, CandidateOf, Unusable } from '../targets/candidate.js'
import { noMatchDetail } from './no-match.js'
import type { SelectFailure } from './query-failure.js'

export class Matches {
  readonly #selection: Selection
  readonly #candidateOf: CandidateOf
  readonly #atMost: number
  readonly #counts = { status: 0, annotations: 0 }
  readonly #found: Candidate[] = []
  readonly #refused = new Map<Unusable, number>()

  constructor (selection: Selection, candidateOf: CandidateOf, atMost: number) {
    this.#selection = selection
    this.#candidateOf = candidateOf
    this.#atMost = atMost
  }

  /** Takes an object that has the labels and the status; answers whether there are enough. */
  take (object: KubeObject): boolean {
    this.#counts.status++
    if (!bears(object.metadata.annotations, this.#selection.annotationSelector)) return false
    this.#counts.annotations++
    const candidate = this.#candidateOf(object)
    if (candidate.ok) return this.#found.push(candidate.value) >= this.#atMost
    this.#refused.set(candidate.error, (this.#refused.get(candidate.error) ?? 0) + 1)
    return false
  }

  /** `labelled` tells how many objects have the labels. */
  result (labelled: () => number): Result<readonly Candidate[], SelectFailure> {
    if (this.#found.length > 0) return ok(this.#found)
    return err({ code: 'NO_MATCHING_RESOURCE', detail: noMatchDetail(this.#selection, { labels: labelled(), ...this.#counts }, this.#refused) })
  }
}

/** What a status query asks for; undefined without one. */
export function statusOf ({ statusQuery }: Selection, path: CompiledPath | undefined, work?: Work): StatusMatch | undefined {
  if (path === undefined) return undefined
  return { path, values: statusQuery?.expectedValues ?? [], ...work === undefined ? {} : { work } }
}

/** The stages for one object. */
export function isMatch (object: KubeObject, selection: Selection, path: CompiledPath | undefined, work?: Work): boolean {
  const { labels, annotations } = object.metadata
  const status = statusOf(selection, path, work)
  return bears(labels, selection.labelSelector) && (status === undefined || matchesStatus(object, status)) && bears(annotations, selection.annotationSelector)
}

function bears (texts: Readonly<Record<string, string>> = {}, wanted: Readonly<Record<string, string>> = {}): boolean {
  return Object.entries(wanted).every(([name, value]) => Object.hasOwn(texts, name) && texts[name] === value)
}
