// From a selection to the targets that match it. Pure: everything it knows is in the inventory's memory.
import type { Config, Selection } from '#config/schema.js'
import { err, ok, type Result } from '#core/result.js'
import type { Slices } from '#core/slices.js'
import { createPathCache } from '#jsonpath/path-cache.js'
import type { Work } from '#jsonpath/work.js'
import type { Inventory } from '../inventory/objects/inventory.js'
import { ALL_NAMESPACES } from '../inventory/objects/resource-types.js'
import { compileCandidate, unusable, type Candidate, type CandidateOf, type NameLookup } from '../targets/candidate.js'
import type { ObjectName } from '../targets/target-key.js'
import type { TargetPolicy } from '../targets/target-policy.js'
import { isMatch } from './matching.js'
import type { SelectFailure } from './query-failure.js'
import { searchAtOnce, searchInSlices, type Admitted, type Found } from './search.js'

export interface Selector {
  /** Every usable match, in the inventory's order: label selector, status query, annotation selector. Never empty when ok; no more than the first `atMost`. Undefined if it would cost more than `work` has. */
  readonly select: {
    (selection: Selection, atMost?: number): Found
    (selection: Selection, atMost: number, work: Work): Found | undefined
  }
  /**
   * The same in slices. QUERY_TOO_COSTLY if it would cost more than `work` has. Between two slices objects may change: what it
   * finds has to be rechecked.
   */
  readonly search: (selection: Selection, atMost: number, work: Work) => Slices<Found>
  /** The one object of that name, if it is usable; what `POST /tokens` and an operator's move ask for. */
  readonly resolve: (name: ObjectName) => Result<Candidate, SelectFailure>
  /** The object of that name, if it is one that `selection` finds now. Whether the selection may be made was settled when it was. What it costs is charged to `work`, which must not end. */
  readonly recheck: (selection: Selection, name: string, work?: Work) => Candidate | undefined
  /** What is known of any object of a type, usable or not; undefined for a type that is not configured. */
  readonly candidateOf: (resourceType: string) => CandidateOf | undefined
}

export interface SelectorDeps {
  readonly config: Pick<Config, 'resourceQueryMapping' | 'dataPorts' | 'namespaces' | 'defaultEndpoint'>
  readonly inventory: Inventory
  /** Whether queries may name each namespace that has objects, where the configuration lists none. */
  readonly opensNamespaces: boolean
  readonly policy: TargetPolicy
  readonly names: NameLookup
}

/**
 * A selector over `inventory`. Namespaces that may be named are the configured ones, or else that of the default
 * endpoint and, where objects come from files, those they are in. The default endpoint itself, which only the operator
 * can write, may be in any. Throws on a mapping that `parseConfig` would refuse.
 */
export function createSelector ({ config, inventory, opensNamespaces, policy, names }: SelectorDeps): Selector {
  const dataPorts = config.dataPorts.map(({ name }) => name)
  const candidates = new Map(Object.entries(config.resourceQueryMapping).map(([resourceType, mapping]) =>
    [resourceType, compileCandidate({ resourceType, mapping, dataPorts, inventory, policy, names })]))
  const paths = createPathCache()

  const isOpen = (namespace: string): boolean => config.namespaces?.some(name => name === namespace || name === ALL_NAMESPACES) ??
    (namespace === config.defaultEndpoint?.namespace || (opensNamespaces && inventory.namespaces().has(namespace)))

  const admit = (resourceType: string, namespace: string, isOperator: boolean): Result<CandidateOf, SelectFailure> => {
    const candidateOf = candidates.get(resourceType)
    if (candidateOf === undefined) return err({ code: 'UNKNOWN_RESOURCE_TYPE', detail: 'The resource type is not a key of resourceQueryMapping.' })
    // Before the namespaces, which without a list of them are known only from the objects.
    if (inventory.unready(resourceType, namespace) !== undefined) return err({ code: 'INVENTORY_NOT_READY', detail: 'Objects of this type cannot be read at the moment.' })
    if (isOperator || isOpen(namespace)) return ok(candidateOf)
    return err({ code: 'NAMESPACE_NOT_ALLOWED', detail: 'The namespace is not one of those that queries may name.' })
  }

  const pathOf = ({ statusQuery }: Selection) => statusQuery === undefined ? undefined : paths.compile(statusQuery.jsonPath)

  const admittedWithPath = (selection: Selection): Result<Admitted, SelectFailure> => {
    const path = pathOf(selection)
    if (path?.ok === false) return err({ code: 'INVALID_JSON_PATH', detail: `${capitalised(path.error.message)}.`, position: path.error.position })
    const admitted = admit(selection.resourceType, selection.namespace, selection === config.defaultEndpoint)
    return admitted.ok ? ok({ path: path?.value, candidateOf: admitted.value }) : admitted
  }

  return {
    // Without a bound there is always an answer.
    select: ((selection: Selection, atMost = Infinity, work?: Work) => {
      const admitted = admittedWithPath(selection)
      return admitted.ok ? searchAtOnce(selection, admitted.value, { atMost, inventory, work }) : admitted
    }) as Selector['select'],
    search: function * (selection, atMost, work) {
      const admitted = admittedWithPath(selection)
      return admitted.ok ? yield * searchInSlices(selection, admitted.value, { atMost, inventory, work }) : admitted
    },
    resolve: ({ resourceType, namespace, name }) => {
      const admitted = admit(resourceType, namespace, false)
      if (!admitted.ok) return admitted
      const object = inventory.get(resourceType, namespace, name)
      if (object === undefined) return err({ code: 'NO_MATCHING_RESOURCE', detail: 'There is no object of this name.' })
      const candidate = admitted.value(object)
      return candidate.ok ? candidate : err({ code: 'NO_MATCHING_RESOURCE', detail: `The object is not usable: ${unusable[candidate.error]}.` })
    },
    recheck: (selection, name, work) => {
      const object = inventory.get(selection.resourceType, selection.namespace, name)
      const path = pathOf(selection)
      if (object === undefined || path?.ok === false || !isMatch(object, selection, path?.value, work)) return undefined
      const candidate = candidates.get(selection.resourceType)?.(object)
      return candidate?.ok === true ? candidate.value : undefined
    },
    candidateOf: resourceType => candidates.get(resourceType)
  }
}

function capitalised (sentence: string): string {
  return sentence.charAt(0).toUpperCase() + sentence.slice(1)
}
