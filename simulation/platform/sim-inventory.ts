// The inventory of one simulated control process: the product's store, filled with what the fleet shows, late. It behaves as
// the configured provider does: files are there at once and again as a whole; a cluster is listed, then watched, and what
// changes is told a moment after it can be found.
import type { Config } from '#config/schema.js'
import type { Clock } from '#core/clock.js'
import type { ChangeListener, Inventory, InventoryChange, InventoryStatus, KubeObject } from '../../apps/control/src/inventory/objects/inventory.js'
import { heldTypes, indexedPaths, SERVICES_TYPE } from '../../apps/control/src/inventory/objects/resource-types.js'
import { NOTICE_MS } from '../../apps/control/src/inventory/kubernetes/kubernetes-inventory.js'
import { createStore, type Store } from '../../apps/control/src/inventory/store/store.js'
import type { Fleet, FleetChange } from '../cast/fleet.js'
import type { InventoryView } from '../checks/inventory-view.js'
import { NAMESPACE, serverName, serviceName, type HeldType } from '../cast/objects.js'
import type { Plant } from '../checks/plants.js'
import type { Surroundings } from './surroundings.js'

export interface SimInventoryOptions {
  readonly surroundings: Surroundings
  readonly clock: Clock
  readonly config: Config
  readonly fleet: Fleet
  readonly view: InventoryView
  /** It has another state of this server. */
  readonly onChanged: (key: string) => void
  /** Whoever listens has been told of changes of these servers. */
  readonly onTold: (keys: ReadonlySet<string>) => void
  readonly isAlive: () => boolean
}

export class SimInventory implements Inventory {
  readonly #options: SimInventoryOptions
  readonly #store: Store
  readonly #types: readonly HeldType[]
  readonly #listed = new Set<HeldType>()
  readonly #listeners = new Set<ChangeListener>()
  // What comes of one type comes in order, and after a new list nothing of before it.
  readonly #dueMs = new Map<HeldType, number>()
  readonly #lists = new Map<HeldType, number>()
  #untold: InventoryChange[] = []
  readonly find: Inventory['find']
  readonly count: Inventory['count']
  readonly get: Inventory['get']
  readonly sizes: Inventory['sizes']
  readonly namespaces: Inventory['namespaces']

  constructor (options: SimInventoryOptions) {
    const { config } = options
    this.#options = options
    this.#types = [...heldTypes(config.resourceQueryMapping).keys()] as HeldType[]
    const store = this.#store = createStore(this.#types, indexedPaths(config))
    this.find = store.find
    this.count = store.count
    this.get = store.get
    this.sizes = store.sizes
    this.namespaces = store.namespaces
    store.onChange(changes => { this.#notice(changes) })
    for (const type of this.#types) {
      if (this.#isCluster) this.relist(type)
      else this.#list(type)
    }
  }

  readonly status = (): InventoryStatus => ({ synced: this.#listed.size === this.#types.length, ageMs: 0, faults: [] })

  readonly unready = (resourceType: string): string | undefined => {
    const needed = resourceType === 'hosted' ? [resourceType, SERVICES_TYPE] as const : [resourceType as HeldType]
    return needed.every(type => this.#listed.has(type)) ? undefined : 'Not listed yet.'
  }

  readonly onChange = (listener: ChangeListener): () => void => {
    this.#listeners.add(listener)
    return () => { this.#listeners.delete(listener) }
  }

  readonly close = async (): Promise<void> => { await Promise.resolve() }

  /** Something has happened to an object: it is found some time later. */
  hear (change: FleetChange): void {
    const { heldType } = change
    this.#later(heldType, () => {
      this.#take(change)
      const { server: { name }, object } = change
      if (object !== undefined) this.#put(heldType, object)
      else this.#store.remove([heldType], NAMESPACE, heldType === SERVICES_TYPE ? serviceName(name) : name)
    })
  }

  /** Whatever was on its way is lost, and all objects of a type are read anew. */
  relist (heldType: HeldType = this.#options.surroundings.random.pick(this.#types)): void {
    this.#lists.set(heldType, (this.#lists.get(heldType) ?? 0) + 1)
    this.#later(heldType, () => { this.#list(heldType) })
  }

  get #isCluster (): boolean { return this.#options.config.inventory.provider === 'kubernetes' }

  #list (heldType: HeldType): void {
    const { fleet, view } = this.#options
    const listed = fleet.list(heldType)
    for (const server of view.servers(heldType)) {
      if (!listed.some(({ server: { key } }) => server.key === key)) this.#take({ heldType, server, object: undefined })
    }
    for (const change of listed) this.#take(change)
    this.#listed.add(heldType)
    this.#store.replace(new Map([[heldType, listed.map(({ object }) => object)]]))
  }

  #take (change: FleetChange): void {
    const { view, onChanged } = this.#options
    view.take(change)
    onChanged(change.server.key)
  }

  #put (heldType: HeldType, object: KubeObject): void {
    const { plant } = this.#options.surroundings
    const isKnown = this.#store.get(heldType, NAMESPACE, object.metadata.name) !== undefined
    if (plant !== 'changeMissed' || !isKnown) this.#store.put([heldType], object)
  }

  #later (heldType: HeldType, run: () => void): void {
    const { surroundings: { random, time, profile: { mostInventoryDelayMs } }, isAlive } = this.#options
    const list = this.#lists.get(heldType)
    const dueMs = Math.max(this.#dueMs.get(heldType) ?? 0, time.nowMs + random.between(0, mostInventoryDelayMs))
    this.#dueMs.set(heldType, dueMs)
    time.plan(dueMs - time.nowMs, () => {
      if (isAlive() && this.#lists.get(heldType) === list) run()
    }, true)
  }

  #notice (changes: readonly InventoryChange[]): void {
    if (!this.#isCluster) {
      this.#tell(changes)
      return
    }
    if (this.#untold.length === 0) this.#options.clock.after(NOTICE_MS, () => { this.#tell(this.#untold.splice(0)) })
    this.#untold.push(...changes)
  }

  #tell (changes: readonly InventoryChange[]): void {
    const { surroundings: { plant }, onTold } = this.#options
    const heard = changes.filter(change => !isUnheard(change, plant))
    for (const listener of [...this.#listeners]) listener(heard)
    onTold(new Set(changes.map(keyOf)))
  }
}

function keyOf ({ resourceType, namespace, name }: InventoryChange): string {
  return resourceType === SERVICES_TYPE ? `hosted/${namespace}/${serverName(name)}` : `${resourceType}/${namespace}/${name}`
}

function isUnheard ({ before, after }: InventoryChange, plant: Plant | undefined): boolean {
  const isLobby = [before, after].some(object => object?.metadata.labels?.['pool'] === 'lobby')
  return plant === 'watchDeaf' ? !isLobby : plant === 'defaultsDeaf' && isLobby
}
