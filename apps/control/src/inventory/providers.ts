// Where objects may come from: a row for each `inventory.provider` of the configuration. Nothing else in control asks which
// one it is, so another provider is a folder and a row.
import type { BaseLogger } from 'pino'
import type { Config } from '#config/schema.js'
import type { Clock } from '#core/clock.js'
import { err, type Result } from '#core/result.js'
import type { EventSink } from '../events/event-sink.js'
import { openFileInventory } from './file/open-file-inventory.js'
import { sourcesFrom } from './kubernetes/api/source.js'
import { openKubernetesInventory } from './kubernetes/kubernetes-inventory.js'
import { eventOutcomes } from './kubernetes/reflector/follow-watch.js'
import { corruptReasons } from './kubernetes/reflector/intake.js'
import { relistReasons } from './kubernetes/reflector/reflector-state.js'
import { watchOutcomes, type ReflectorHooks } from './kubernetes/reflector/reflector.js'
import type { Inventory } from './objects/inventory.js'
import { indexedPaths } from './objects/resource-types.js'

/** Told as they happen, by whichever provider has such things; `listed` after every reading of a source. */
export type InventoryMetrics = Required<ReflectorHooks>

/** What providers count by, for metrics that are to begin at 0. */
export const inventoryLabels = { events: eventOutcomes, badEvents: corruptReasons, watchEnds: watchOutcomes, relists: relistReasons } as const

export interface ProviderDeps {
  readonly config: Config
  readonly clock: Clock
  /** Uniform in [0, 1). */
  readonly random: () => number
  readonly log: BaseLogger
  readonly events: EventSink
  readonly metrics: InventoryMetrics
}

export interface Provider {
  /** Fails, with a sentence for the operator, only for what they would have to change. */
  readonly open: (deps: ProviderDeps) => Promise<Result<Inventory, { readonly message: string }>>
  /**
   * Whether it holds objects of a type and namespace at all, so that it means something if one is not there: a session can
   * outlive the configuration that let it begin.
   */
  readonly holds: (config: Pick<Config, 'resourceQueryMapping' | 'namespaces' | 'defaultEndpoint'>) => (resourceType: string, namespace: string) => boolean
  /** Whether queries may name each namespace that has objects, where the configuration lists none. */
  readonly opensNamespaces: boolean
}

export const providers: Readonly<Record<Config['inventory']['provider'], Provider>> = {
  file: {
    open: async ({ config, clock, log, events, metrics }) => {
      const { inventory: { path }, resourceQueryMapping: mappings } = config
      if (path === undefined) throw new Error('inventory.path is missing, which the configuration has checked')
      return await openFileInventory({ path, mappings, indexPaths: indexedPaths(config), clock, log, events, onReload: metrics.listed })
    },
    // Files may have any namespace.
    holds: ({ resourceQueryMapping }) => resourceType => Object.hasOwn(resourceQueryMapping, resourceType),
    opensNamespaces: true
  },
  kubernetes: {
    open: async ({ metrics, ...deps }) => await openKubernetesInventory({ ...deps, hooks: metrics }),
    holds: config => {
      const sources = sourcesFrom(config)
      return (resourceType, namespace) => sources.some(source => source.types.includes(resourceType) && (source.namespace ?? namespace) === namespace)
    },
    opensNamespaces: false
  }
}

/** Opens the inventory of the configured provider. Fails with a sentence for the operator. */
export async function openInventory (deps: ProviderDeps): Promise<Result<Inventory, string>> {
  const opened = await providers[deps.config.inventory.provider].open(deps)
  return opened.ok ? opened : err(opened.error.message)
}
