// From a selection to the targets that match it. Pure: everything it knows is in the inventory's memory.
import type { Config, Selection } from '#config/schema.js'
import { err, ok, type Result } from '#core/result.js'
import { createPathCache } from '#jsonpath/path-cache.js'
import type { CompiledPath } from '#jsonpath/path.js'
import type { Inventory, KubeObject, StatusMatch } from '../inventory/inventory.js'
import { matchesStatus } from '../inventory/path-index.js'
import { ALL_NAMESPACES } from '../inventory/resource-types.js'
import { compileCandidate, unusable, type Candidate, type CandidateOf, type Unusable } from './candidate.js'
import type { NameLookup } from './host-names.js'
import { noMatchDetail } from './no-match.js'
import type { TargetPolicy } from './target-policy.js'

export type SelectFailure =
  | { readonly code: 'UNKNOWN_RESOURCE_TYPE', readonly detail: string }
  | { readonly code: 'NAMESPACE_NOT_ALLOWED', readonly detail: string }
  | { readonly code: 'INVALID_JSON_PATH', readonly detail: string, readonly position: number }
  | { readonly code: 'INVENTORY_NOT_READY', readonly detail: string }
  | { readonly code: 'NO_MATCHING_RESOURCE', readonly detail: string }

export interface ObjectName {
  readonly resourceType: string
  readonly namespace: string
  readonly name: string
}

export interface Selector {
  /** Every usable match, in the inventory's order: label selector, status query, annotation selector. Never empty when ok; no more than the first `atMost`. */
  readonly select: (selection: Selection, atMost?: number) => Result<readonly Candidate[], SelectFailure>
  /** The one object of that name, if it is usable; what `POST /tokens` and an operator's move ask for. */
  readonly resolve: (name: ObjectName) => Result<Candidate, SelectFailure>
  /** The object of that name, if it is one that `selection` finds now. Whether the selection may be made was settled when it was. */
  readonly recheck: (selection: Selection, name: string) => Candidate | undefined
  /** What is known of any object of a type, usable or not; undefined for a type that is not configured. */
  readonly candidateOf: (resourceType: string) => CandidateOf | undefined
}

export interface SelectorDeps {
  readonly config: Pick<Config, 'resourceQueryMapping' | 'dataPorts' | 'namespaces' | 'defaultEndpoint' | 'inventory'>
  readonly inventory: Inventory
  readonly policy: TargetPolicy
  readonly names: NameLookup
}

/**
 * A selector over `inventory`. Namespaces that may be named are the configured ones, or else that of the default
 * endpoint and, where objects come from files, those they are in. The default endpoint itself, which only the operator
 * can write, may be in any. Throws on a mapping that `parseConfig` would refuse.
 */
export function createSelector ({ config, inventory, policy, names }: SelectorDeps): Selector {
  const dataPorts = config.dataPorts.map(({ name }) => name)
  const candidates = new Map(Object.entries(config.resourceQueryMapping).map(([resourceType, mapping]) =>
    [resourceType, compileCandidate({ resourceType, mapping, dataPorts, inventory, policy, names })]))
  const paths = createPathCache()

  const isOpen = (namespace: string): boolean => config.namespaces?.some(name => name === namespace || name === ALL_NAMESPACES) ??
    (namespace === config.defaultEndpoint?.namespace || (config.inventory.provider === 'file' && inventory.namespaces().has(namespace)))

  const admit = (resourceType: string, namespace: string, isOperator: boolean): Result<CandidateOf, SelectFailure> => {
    const candidateOf = candidates.get(resourceType)
    if (candidateOf === undefined) return err({ code: 'UNKNOWN_RESOURCE_TYPE', detail: 'The resource type is no key of resourceQueryMapping.' })
    // Before the namespaces, which without a list of them are known only from the objects.
    if (inventory.unready(resourceType, namespace) !== undefined) return err({ code: 'INVENTORY_NOT_READY', detail: 'Objects of this type cannot be read at the moment.' })
    if (isOperator || isOpen(namespace)) return ok(candidateOf)
    return err({ code: 'NAMESPACE_NOT_ALLOWED', detail: 'The namespace is not one of those that queries may name.' })
  }

  const pathOf = ({ statusQuery }: Selection) => statusQuery === undefined ? undefined : paths.compile(statusQuery.jsonPath)

  return {
    select: (selection, atMost = Infinity) => {
      const path = pathOf(selection)
      if (path?.ok === false) return err({ code: 'INVALID_JSON_PATH', detail: `${capitalised(path.error.message)}.`, position: path.error.position })
      const admitted = admit(selection.resourceType, selection.namespace, selection === config.defaultEndpoint)
      return admitted.ok ? matching(selection, path?.value, atMost, inventory, admitted.value) : admitted
    },
    resolve: ({ resourceType, namespace, name }) => {
      const admitted = admit(resourceType, namespace, false)
      if (!admitted.ok) return admitted
      const object = inventory.get(resourceType, namespace, name)
      if (object === undefined) return err({ code: 'NO_MATCHING_RESOURCE', detail: 'There is no object of this name.' })
      const candidate = admitted.value(object)
      return candidate.ok ? candidate : err({ code: 'NO_MATCHING_RESOURCE', detail: `The object is not usable: ${unusable[candidate.error]}.` })
    },
    recheck: (selection, name) => {
      const object = inventory.get(selection.resourceType, selection.namespace, name)
      const path = pathOf(selection)
      if (object === undefined || path?.ok === false || !isMatch(object, selection, path?.value)) return undefined
      const candidate = candidates.get(selection.resourceType)?.(object)
      return candidate?.ok === true ? candidate.value : undefined
    },
    candidateOf: resourceType => candidates.get(resourceType)
  }
}

function matching (selection: Selection, path: CompiledPath | undefined, atMost: number, inventory: Inventory, candidateOf: CandidateOf): Result<readonly Candidate[], SelectFailure> {
  const { resourceType, namespace, labelSelector, annotationSelector } = selection
  const counts = { status: 0, annotations: 0 }
  const found: Candidate[] = []
  const refused = new Map<Unusable, number>()
  for (const object of inventory.find(resourceType, namespace, labelSelector, statusOf(selection, path))) {
    counts.status++
    if (!bears(object.metadata.annotations, annotationSelector)) continue
    counts.annotations++
    const candidate = candidateOf(object)
    if (!candidate.ok) refused.set(candidate.error, (refused.get(candidate.error) ?? 0) + 1)
    else if (found.push(candidate.value) >= atMost) break
  }
  if (found.length > 0) return ok(found)
  const labels = inventory.count(resourceType, namespace, labelSelector)
  return err({ code: 'NO_MATCHING_RESOURCE', detail: noMatchDetail(selection, { labels, ...counts }, refused) })
}

// The stages of `matching` for one object.
function isMatch (object: KubeObject, selection: Selection, path: CompiledPath | undefined): boolean {
  const { labels, annotations } = object.metadata
  return bears(labels, selection.labelSelector) && hasStatus(object, selection, path) && bears(annotations, selection.annotationSelector)
}

function hasStatus (object: KubeObject, selection: Selection, path: CompiledPath | undefined): boolean {
  const status = statusOf(selection, path)
  return status === undefined || matchesStatus(object, status)
}

function statusOf ({ statusQuery }: Selection, path: CompiledPath | undefined): StatusMatch | undefined {
  return path === undefined ? undefined : { path, values: statusQuery?.expectedValues ?? [] }
}

function bears (texts: Readonly<Record<string, string>> = {}, wanted: Readonly<Record<string, string>> = {}): boolean {
  return Object.entries(wanted).every(([name, value]) => Object.hasOwn(texts, name) && texts[name] === value)
}

function capitalised (sentence: string): string {
  return sentence.charAt(0).toUpperCase() + sentence.slice(1)
}
