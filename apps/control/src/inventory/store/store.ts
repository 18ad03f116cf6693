// The objects in memory, indexed so that a query costs what it finds: by resource type, namespace, each label with its
// value, and the values at configured paths. Any provider fills it; readers never see half of a `replace`: what takes
// several turns is made beside what is held, and put in its place in one.
import { Pace } from '#core/pace.js'
import { whole, type Slices } from '#core/slices.js'
import type { ChangeListener, Inventory, InventoryChange, KubeObject } from '../objects/inventory.js'
import type { IndexPaths } from '../objects/resource-types.js'
import { Shelf, type Replacement } from './shelf.js'

export interface Store extends Pick<Inventory, 'find' | 'count' | 'get' | 'sizes' | 'namespaces' | 'onChange'> {
  /**
   * Makes the content of each resource type in `content` exactly these objects; with a `namespace` only what is held of
   * it there, and all objects must be of that namespace. An object that is equal to the one held keeps its identity.
   * Listeners are called once, and only if anything differs; answers whether it did.
   */
  readonly replace: (content: ReadonlyMap<string, Iterable<KubeObject>>, namespace?: string) => boolean
  /**
   * The same in slices of a few milliseconds: readers see what there was until all of it is ready. Listeners are called
   * after that, with some of the changes at a time. Nobody else may change those types and that namespace meanwhile.
   */
  readonly replaceInSlices: (content: ReadonlyMap<string, Iterable<KubeObject>>, namespace?: string) => Slices<boolean>
  /** Adds `object` to each of the resource types, in place of one of the same name. Listeners and answer as for `replace`. */
  readonly put: (resourceTypes: Iterable<string>, object: KubeObject) => boolean
  /** Takes the object of that name out of each of the resource types. Listeners and answer as for `replace`. */
  readonly remove: (resourceTypes: Iterable<string>, namespace: string, name: string) => boolean
}

/**
 * An empty store for these resource types; `sizes` names each of them from the start. `indexPaths` has the JSONPaths by
 * whose values objects of a type are indexed, see `indexedPaths`.
 */
export function createStore (resourceTypes: Iterable<string>, indexPaths: IndexPaths = new Map()): Store {
  const shelves = new Map<string, Shelf>()
  const listeners = new Set<ChangeListener>()
  // Until objects come or go.
  let namespaces: ReadonlySet<string> | undefined
  for (const type of resourceTypes) shelves.set(type, new Shelf(type, indexPaths.get(type) ?? []))

  const tell = (changes: readonly InventoryChange[]): boolean => {
    if (changes.some(({ before, after }) => before === undefined || after === undefined)) namespaces = undefined
    if (changes.length > 0) for (const listener of [...listeners]) listener(changes)
    return changes.length > 0
  }

  const change = (types: Iterable<string>, apply: (shelf: Shelf, changes: InventoryChange[]) => void): boolean => {
    const changes: InventoryChange[] = []
    for (const type of types) {
      const shelf = shelves.get(type)
      if (shelf !== undefined) apply(shelf, changes)
    }
    return tell(changes)
  }

  const replaceInSlices = function * (content: ReadonlyMap<string, Iterable<KubeObject>>, namespace: string | undefined, sliceObjects: number): Slices<boolean> {
    const pace = new Pace(sliceObjects)
    const ready: Array<readonly [Shelf, Replacement]> = []
    for (const [type, objects] of content) {
      const shelf = shelves.get(type)
      if (shelf !== undefined) ready.push([shelf, yield * shelf.prepare(objects, namespace, pace)])
    }
    const changes = ready.flatMap(([, replacement]) => replacement.changes)
    for (const [shelf, replacement] of ready) shelf.replace(replacement)
    namespaces = undefined
    for (let at = 0; at < changes.length; at += sliceObjects) {
      if (at > 0) yield
      tell(changes.slice(at, at + sliceObjects))
    }
    return changes.length > 0
  }

  return {
    find: (resourceType, namespace, labels, status, work) => shelves.get(resourceType)?.find(namespace, labels, status, work) ?? [],
    count: (resourceType, namespace, labels, work) => shelves.get(resourceType)?.count(namespace, labels, work) ?? 0,
    get: (resourceType, namespace, name) => shelves.get(resourceType)?.get(namespace, name),
    sizes: () => new Map([...shelves].map(([type, shelf]) => [type, shelf.size])),
    namespaces: () => {
      namespaces ??= new Set([...shelves.values()].flatMap(shelf => [...shelf.namespaces]))
      return namespaces
    },
    onChange: listener => {
      // Wrapped, so that the same function may listen twice and stop once.
      const call: ChangeListener = changes => { listener(changes) }
      listeners.add(call)
      return () => { listeners.delete(call) }
    },
    replace: (content, namespace) => whole(replaceInSlices(content, namespace, Infinity), 0),
    replaceInSlices: (content, namespace) => replaceInSlices(content, namespace, SLICE_OBJECTS),
    put: (types, object) => change(types, (shelf, changes) => { shelf.put(object, changes) }),
    remove: (types, namespace, name) => change(types, (shelf, changes) => { shelf.remove(namespace, name, changes) })
  }
}

/** Objects compared or taken in in one slice. */
const SLICE_OBJECTS = 200
