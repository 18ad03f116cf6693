// The inventory that follows a Kubernetes cluster: one reflector for each resource and namespace fills the store.
// Queries never wait for the API server, and a resource that cannot be read leaves the others as they are.
import type { Config } from '#config/schema.js'
import type { Cancel, Clock } from '#core/clock.js'
import { err, ok, type Result } from '#core/result.js'
import type { EventSink } from '../../events/event-sink.js'
import type { ChangeListener, Inventory, InventoryChange, InventoryLog, InventoryStatus } from '../objects/inventory.js'
import { heldTypes, indexedPaths } from '../objects/resource-types.js'
import { createStore, type Store } from '../store/store.js'
import type { Credentials } from './api/access.js'
import { Collection } from './reflector/collection.js'
import { describeFault } from './api/describe-fault.js'
import { FaultBoard } from './fault-board.js'
import { Reflector, type ReflectorHooks } from './reflector/reflector.js'
import { sourcesFrom, typesNeededFor, type Source } from './api/source.js'
import { createTransport, type Transport } from './api/transport.js'

export interface KubernetesInventoryDeps {
  readonly config: Pick<Config, 'resourceQueryMapping' | 'namespaces' | 'defaultEndpoint' | 'inventory'>
  readonly clock: Clock
  /** Uniform in [0, 1). */
  readonly random: () => number
  readonly log: InventoryLog
  readonly events: EventSink
  readonly hooks?: ReflectorHooks
  /** Instead of those that the configuration and the surroundings give. */
  readonly credentials?: Credentials
}

/** Why there is no inventory, with a sentence for the operator. */
export interface OpenFailure {
  readonly reason: 'no_namespace' | 'no_credentials'
  readonly message: string
}

export interface KubernetesInventory extends Inventory {
  /**
   * Why queries for a resource type in a namespace cannot be answered now: it, or the Services it is reached by, were
   * never listed or are not available. Undefined if they can be.
   */
  readonly unready: (resourceType: string, namespace: string) => string | undefined
}

/** How long changes wait for others before they are told, in milliseconds: some listeners look at all objects, and hundreds of events may come together. */
export const NOTICE_MS = 20

/** Changes told in one turn: each listener looks at each. */
const MAX_TOLD = 250

// First lists are spread over this long for each source, but not over more than two seconds.
const SPREAD_PER_SOURCE_MS = 20
const MAX_SPREAD_MS = 2000

/**
 * Begins to follow the API server. Fails only for what the configuration or the kubeconfig would have to change: a
 * server that cannot be reached, refuses us or lacks a resource is tried again, and `status().faults` says so.
 * `synced` turns true when every source was listed or is known to be unavailable, and one at least was listed.
 */
export async function openKubernetesInventory (deps: KubernetesInventoryDeps): Promise<Result<KubernetesInventory, OpenFailure>> {
  const sources = sourcesFrom(deps.config)
  if (sources.length === 0) {
    return err({ reason: 'no_namespace', message: 'namespaces: provider kubernetes has nothing to watch; name at least one namespace and one mapping.' })
  }
  const credentials = await usableCredentials(deps)
  if (!credentials.ok) return err({ reason: 'no_credentials', message: credentials.error })
  const store = createStore(heldTypes(deps.config.resourceQueryMapping).keys(), indexedPaths(deps.config))
  const cluster = new FollowedCluster(deps, sources, store, createTransport(credentials.value))
  const { find, count, get, sizes, namespaces } = store
  return ok({
    find,
    count,
    get,
    sizes,
    namespaces,
    status: () => cluster.status(),
    unready: (resourceType, namespace) => cluster.unready(resourceType, namespace),
    onChange: listener => cluster.onChange(listener),
    close: () => cluster.close()
  })
}

async function usableCredentials (deps: KubernetesInventoryDeps): Promise<Result<Credentials, string>> {
  if (deps.credentials !== undefined) return ok(deps.credentials)
  const { openCredentials } = await import('./api/credentials.js')
  const { kubeconfig } = deps.config.inventory
  const credentials = openCredentials(kubeconfig === undefined ? {} : { kubeconfig })
  if (!credentials.ok) return credentials
  const access = await credentials.value.access()
  return access.ok ? credentials : access
}

class FollowedCluster {
  readonly #deps: KubernetesInventoryDeps
  readonly #store: Store
  readonly #transport: Transport
  readonly #faults: FaultBoard
  readonly #reflectors: ReadonlyMap<Source, Reflector>
  readonly #runs: ReadonlyArray<Promise<void>>
  readonly #listeners = new Set<ChangeListener>()
  #changes: InventoryChange[] = []
  readonly #stopListening: () => void
  #cancelNotice: Cancel | undefined
  #isSynced = false

  constructor (deps: KubernetesInventoryDeps, sources: readonly Source[], store: Store, transport: Transport) {
    this.#deps = deps
    this.#store = store
    this.#transport = transport
    this.#faults = new FaultBoard(deps.events)
    this.#stopListening = store.onChange(changes => { this.#noticeSoon(changes) })
    const spreadMs = Math.min(MAX_SPREAD_MS, SPREAD_PER_SOURCE_MS * (sources.length - 1))
    this.#reflectors = new Map(sources.map(source => [source, this.#reflectorOf(source, spreadMs)]))
    // Nobody catches what a run throws: it is a bug, and main.ts ends the process for it.
    this.#runs = [...this.#reflectors.values()].map(reflector => reflector.run())
  }

  status (): InventoryStatus {
    const reflectors = [...this.#reflectors.values()]
    this.#isSynced ||= reflectors.some(({ isListed }) => isListed) && reflectors.every(({ isListed, isUnavailable }) => isListed || isUnavailable)
    return {
      synced: this.#isSynced,
      ageMs: Math.max(...reflectors.map(({ ageMs }) => ageMs)),
      faults: this.#faults.all
    }
  }

  unready (resourceType: string, namespace: string): string | undefined {
    const needed = typesNeededFor(this.#deps.config, resourceType)
    for (const [source, { isListed, isUnavailable }] of this.#reflectors) {
      if (!source.types.some(type => needed.includes(type)) || namespace !== (source.namespace ?? namespace)) continue
      if (isUnavailable) return this.#faults.of(source)?.summary ?? `${source.resource} are not available.`
      if (!isListed) return `${source.resource} have not been listed yet.`
    }
    return undefined
  }

  onChange (listener: ChangeListener): () => void {
    const call: ChangeListener = changes => { listener(changes) }
    this.#listeners.add(call)
    return () => { this.#listeners.delete(call) }
  }

  async close (): Promise<void> {
    for (const reflector of this.#reflectors.values()) reflector.stop()
    this.#stopListening()
    this.#cancelNotice?.()
    await this.#transport.close()
    await Promise.allSettled(this.#runs)
  }

  #reflectorOf (source: Source, spreadMs: number): Reflector {
    const { clock, random, log, hooks = {} } = this.#deps
    return new Reflector({
      source,
      collection: new Collection(this.#store, source),
      transport: this.#transport,
      clock,
      random,
      hooks,
      onFault: (verb, failure) => { this.#faults.set(source, verb, failure === undefined ? undefined : describeFault(verb, source, failure)) },
      onCorrupt: reason => {
        const { resource, namespace } = source
        log.warn({ resource, namespace, reason }, 'Kubernetes event makes no sense, objects are listed again')
      },
      firstDelayMs: spreadMs * random()
    })
  }

  #noticeSoon (more: readonly InventoryChange[]): void {
    for (const change of more) this.#changes.push(change)
    this.#cancelNotice ??= this.#deps.clock.after(NOTICE_MS, () => {
      this.#cancelNotice = undefined
      const changes = this.#changes.splice(0, MAX_TOLD)
      if (this.#changes.length > 0) this.#noticeSoon([])
      for (const listener of [...this.#listeners]) listener(changes)
    })
  }
}
