// The objects in memory, indexed so that a query costs what it finds: by resource type, namespace, each label with its
// value, and the values at configured paths. Any provider fills it; readers never see half of a `replace`, because nothing here awaits.
import { isDeepStrictEqual } from 'node:util'
import { Pace } from '#core/pace.js'
import { whole, type Slices } from '#core/slices.js'
import type { Work } from '#jsonpath/work.js'
import { IndexedObjects } from './indexed-objects.js'
import type { ChangeListener, Inventory, InventoryChange, KubeObject, StatusMatch } from './inventory.js'
import { PathIndex } from './path-index.js'
import type { IndexPaths } from './resource-types.js'

export interface Store extends Pick<Inventory, 'find' | 'count' | 'get' | 'sizes' | 'namespaces' | 'onChange'> {
  /**
   * Makes the content of each resource type in `content` exactly these objects; with a `namespace` only what is held of
   * it there, and all objects must be of that namespace. An object that is equal to the one held keeps its identity.
   * Listeners are called once, and only if anything differs; answers whether it did.
   */
  readonly replace: (content: ReadonlyMap<string, Iterable<KubeObject>>, namespace?: string) => boolean
  /**
   * The same in slices of a few milliseconds. What comes and changes is there before anything goes, and listeners are
   * called after each slice: readers see what they would if the objects had changed one after the other. Nobody else may
   * change those types and that namespace meanwhile.
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
    let changes: InventoryChange[] = []
    let isChanged = false
    const pace = new Pace(sliceObjects)
    for (const [type, objects] of content) {
      for (const change of shelves.get(type)?.replace(objects, namespace) ?? []) {
        if (change !== undefined) changes.push(change)
        if (!pace.isFull()) continue
        isChanged = tell(changes) || isChanged
        changes = []
        yield
      }
    }
    return tell(changes) || isChanged
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
export const SLICE_OBJECTS = 200

// The objects of one resource type. What a call changes it adds to `changes`.
class Shelf {
  readonly #resourceType: string
  readonly #paths: PathIndex
  readonly #byNamespace = new Map<string, IndexedObjects>()
  size = 0

  constructor (resourceType: string, indexPaths: readonly string[]) {
    this.#resourceType = resourceType
    this.#paths = new PathIndex(indexPaths)
  }

  get namespaces (): Iterable<string> {
    return this.#byNamespace.keys()
  }

  find (namespace: string, labels: Readonly<Record<string, string>> = {}, status?: StatusMatch, work?: Work): Iterable<KubeObject> {
    return this.#byNamespace.get(namespace)?.find(Object.entries(labels), status, work) ?? []
  }

  count (namespace: string, labels: Readonly<Record<string, string>> = {}, work?: Work): number {
    return this.#byNamespace.get(namespace)?.count(Object.entries(labels), work) ?? 0
  }

  get (namespace: string, name: string): KubeObject | undefined {
    return this.#byNamespace.get(namespace)?.get(name)
  }

  // What became of each object, one by one.
  * replace (objects: Iterable<KubeObject>, within: string | undefined): Iterable<InventoryChange | undefined> {
    const gone = new Set(this.#all(within))
    const changes: InventoryChange[] = []
    for (const object of objects) {
      const held = this.get(object.metadata.namespace, object.metadata.name)
      if (held !== undefined) gone.delete(held)
      this.put(object, changes)
      yield changes.pop()
    }
    for (const object of gone) {
      this.#delete(object, changes)
      yield changes.pop()
    }
  }

  put (object: KubeObject, changes: InventoryChange[]): void {
    const held = this.get(object.metadata.namespace, object.metadata.name)
    if (held !== undefined && isEqual(held, object)) return
    this.#insert(object)
    if (held === undefined) this.size++
    changes.push(this.#changed(object, held, object))
  }

  remove (namespace: string, name: string, changes: InventoryChange[]): void {
    const held = this.get(namespace, name)
    if (held !== undefined) this.#delete(held, changes)
  }

  * #all (within: string | undefined): Iterable<KubeObject> {
    for (const [namespace, objects] of this.#byNamespace) if (within === undefined || within === namespace) yield * objects.find([])
  }

  #insert (object: KubeObject): void {
    const { namespace } = object.metadata
    const objects = this.#byNamespace.get(namespace) ?? new IndexedObjects(this.#paths)
    this.#byNamespace.set(namespace, objects)
    objects.put(object)
  }

  #delete (object: KubeObject, changes: InventoryChange[]): void {
    const objects = this.#byNamespace.get(object.metadata.namespace)
    objects?.delete(object.metadata.name)
    this.size--
    if (objects?.size === 0) this.#byNamespace.delete(object.metadata.namespace)
    changes.push(this.#changed(object, object, undefined))
  }

  #changed ({ metadata: { namespace, name } }: KubeObject, before: KubeObject | undefined, after: KubeObject | undefined): InventoryChange {
    return { resourceType: this.#resourceType, namespace, name, before, after }
  }
}

// Every version of an object is another one, so those of an API server need not be compared part by part.
function isEqual (held: KubeObject, object: KubeObject): boolean {
  return held.metadata.resourceVersion === object.metadata.resourceVersion && isDeepStrictEqual(held, object)
}
