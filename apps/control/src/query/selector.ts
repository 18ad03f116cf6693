// From a selection to the targets that match it. Pure: everything it knows is in the inventory's memory.
import type { Config, Selection } from '#config/schema.js'
import { err, ok, type Result } from '#core/result.js'
import { evaluatePath } from '#jsonpath/evaluate-path.js'
import { matchesAny } from '#jsonpath/matches-any.js'
import { createPathCache } from '#jsonpath/path-cache.js'
import type { CompiledPath } from '#jsonpath/path.js'
import type { Inventory, KubeObject } from '../inventory/inventory.js'
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
  /** Every usable match, in the inventory's order: label selector, status query, annotation selector. Never empty when ok. */
  readonly select: (selection: Selection) => Result<readonly Candidate[], SelectFailure>
  /** The one object of that name, if it is usable; what `POST /tokens` and an operator's move ask for. */
  readonly resolve: (name: ObjectName) => Result<Candidate, SelectFailure>
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

  return {
    select: selection => {
      const path = selection.statusQuery === undefined ? undefined : paths.compile(selection.statusQuery.jsonPath)
      if (path?.ok === false) return err({ code: 'INVALID_JSON_PATH', detail: `${capitalised(path.error.message)}.`, position: path.error.position })
      const admitted = admit(selection.resourceType, selection.namespace, selection === config.defaultEndpoint)
      return admitted.ok ? matching(selection, path?.value, inventory, admitted.value) : admitted
    },
    resolve: ({ resourceType, namespace, name }) => {
      const admitted = admit(resourceType, namespace, false)
      if (!admitted.ok) return admitted
      const object = inventory.get(resourceType, namespace, name)
      if (object === undefined) return err({ code: 'NO_MATCHING_RESOURCE', detail: 'There is no object of this name.' })
      const candidate = admitted.value(object)
      return candidate.ok ? candidate : err({ code: 'NO_MATCHING_RESOURCE', detail: `The object is not usable: ${unusable[candidate.error]}.` })
    }
  }
}

function matching (selection: Selection, path: CompiledPath | undefined, inventory: Inventory, candidateOf: CandidateOf): Result<readonly Candidate[], SelectFailure> {
  const { resourceType, namespace, labelSelector = {}, statusQuery, annotationSelector } = selection
  const counts = { labels: 0, status: 0, annotations: 0 }
  const found: Candidate[] = []
  const refused: Unusable[] = []
  for (const object of inventory.find(resourceType, namespace, labelSelector)) {
    counts.labels++
    if (path !== undefined && !matchesAny(evaluatePath(path, object), statusQuery?.expectedValues ?? [])) continue
    counts.status++
    if (annotationSelector !== undefined && !bears(object, annotationSelector)) continue
    counts.annotations++
    const candidate = candidateOf(object)
    if (candidate.ok) found.push(candidate.value)
    else refused.push(candidate.error)
  }
  return found.length > 0 ? ok(found) : err({ code: 'NO_MATCHING_RESOURCE', detail: noMatchDetail(selection, counts, refused) })
}

function bears ({ metadata: { annotations = {} } }: KubeObject, wanted: Readonly<Record<string, string>>): boolean {
  return Object.entries(wanted).every(([name, value]) => Object.hasOwn(annotations, name) && annotations[name] === value)
}

function capitalised (sentence: string): string {
  return sentence.charAt(0).toUpperCase() + sentence.slice(1)
}
