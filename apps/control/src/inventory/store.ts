// The objects in memory, indexed so that a query costs what it finds: by resource type, namespace, and each label with
// its value. Any provider fills it; readers never see half of a `replace`, because nothing here awaits.
import { isDeepStrictEqual } from 'node:util'
import type { ChangeListener, Inventory, InventoryChange, KubeObject } from './inventory.js'
import { ObjectList } from './object-list.js'

export interface Store extends Pick<Inventory, 'find' | 'get' | 'sizes' | 'namespaces' | 'onChange'> {
  /**
   * Makes the content of each resource type in `content` exactly these objects; with a `namespace` only what is held of
   * it there, and all objects must be of that namespace. An object that is equal to the one held keeps its identity.
   * Listeners are called once, and only if anything differs; answers whether it did.
   */
  readonly replace: (content: ReadonlyMap<string, Iterable<KubeObject>>, namespace?: string) => boolean
  /** Adds `object` to each of the resource types, in place of one of the same name. Listeners and answer as for `replace`. */
  readonly put: (resourceTypes: Iterable<string>, object: KubeObject) => boolean
  /** Takes the object of that name out of each of the resource types. Listeners and answer as for `replace`. */
  readonly remove: (resourceTypes: Iterable<string>, namespace: string, name: string) => boolean
}

/** An empty store for these resource types; `sizes` names each of them from the start. */
export function createStore (resourceTypes: Iterable<string>): Store {
  const shelves = new Map<string, Shelf>()
  const listeners = new Set<ChangeListener>()
  for (const type of resourceTypes) shelves.set(type, new Shelf(type))

  const change = (types: Iterable<string>, apply: (shelf: Shelf, changes: InventoryChange[], type: string) => void): boolean => {
    const changes: InventoryChange[] = []
    for (const type of types) {
      const shelf = shelves.get(type)
      if (shelf !== undefined) apply(shelf, changes, type)
    }
    if (changes.length > 0) for (const listener of [...listeners]) listener(changes)
    return changes.length > 0
  }

  return {
    find: (resourceType, namespace, labels) => shelves.get(resourceType)?.find(namespace, labels) ?? [],
    get: (resourceType, namespace, name) => shelves.get(resourceType)?.get(namespace, name),
    sizes: () => new Map([...shelves].map(([type, shelf]) => [type, shelf.size])),
    namespaces: () => new Set([...shelves.values()].flatMap(shelf => [...shelf.namespaces])),
    onChange: listener => {
      // Wrapped, so that the same function may listen twice and stop once.
      const call: ChangeListener = changes => { listener(changes) }
      listeners.add(call)
      return () => { listeners.delete(call) }
    },
    replace: (content, namespace) => change(content.keys(), (shelf, changes, type) => { shelf.replace(content.get(type) ?? [], namespace, changes) }),
    put: (types, object) => change(types, (shelf, changes) => { shelf.put(object, changes) }),
    remove: (types, namespace, name) => change(types, (shelf, changes) => { shelf.remove(namespace, name, changes) })
  }
}

// The objects of one resource type. What a call changes it adds to `changes`.
class Shelf {
  readonly #resourceType: string
  readonly #byNamespace = new Map<string, LabelledObjects>()
  size = 0

  constructor (resourceType: string) {
    this.#resourceType = resourceType
  }

  get namespaces (): Iterable<string> {
    return this.#byNamespace.keys()
  }

  find (namespace: string, labels: Readonly<Record<string, string>> = {}): Iterable<KubeObject> {
    return this.#byNamespace.get(namespace)?.find(Object.entries(labels)) ?? []
  }

  get (namespace: string, name: string): KubeObject | undefined {
    return this.#byNamespace.get(namespace)?.get(name)
  }

  replace (objects: Iterable<KubeObject>, within: string | undefined, changes: InventoryChange[]): void {
    const gone = new Set(this.#all(within))
    for (const object of objects) {
      const held = this.get(object.metadata.namespace, object.metadata.name)
      if (held !== undefined) gone.delete(held)
      this.put(object, changes)
    }
    for (const object of gone) this.#delete(object, changes)
  }

  put (object: KubeObject, changes: InventoryChange[]): void {
    const held = this.get(object.metadata.namespace, object.metadata.name)
    if (isDeepStrictEqual(held, object)) return
    this.#insert(object, held)
    changes.push(this.#changed(object, held, object))
  }

  remove (namespace: string, name: string, changes: InventoryChange[]): void {
    const held = this.get(namespace, name)
    if (held !== undefined) this.#delete(held, changes)
  }

  #all (within: string | undefined): readonly KubeObject[] {
    if (within === undefined) return [...this.#byNamespace.values()].flatMap(held => held.find([]))
    return this.#byNamespace.get(within)?.find([]) ?? []
  }

  #insert (object: KubeObject, held: KubeObject | undefined): void {
    const { namespace } = object.metadata
    const objects = this.#byNamespace.get(namespace) ?? new LabelledObjects()
    this.#byNamespace.set(namespace, objects)
    if (held === undefined) this.size++
    objects.put(object, held)
  }

  #delete (object: KubeObject, changes: InventoryChange[]): void {
    const objects = this.#byNamespace.get(object.metadata.namespace)
    objects?.delete(object)
    this.size--
    if (objects?.find([]).length === 0) this.#byNamespace.delete(object.metadata.namespace)
    changes.push(this.#changed(object, object, undefined))
  }

  #changed ({ metadata: { namespace, name } }: KubeObject, before: KubeObject | undefined, after: KubeObject | undefined): InventoryChange {
    return { resourceType: this.#resourceType, namespace, name, before, after }
  }
}

type Label = readonly [name: string, value: string]

// The objects of one resource type in one namespace.
class LabelledObjects {
  readonly #all = new ObjectList()
  readonly #byLabel = new Map<string, ObjectList>()

  get (name: string): KubeObject | undefined {
    return this.#all.get(name)
  }

  // Starts from the rarest of the labels; the others are checked object by object.
  find (labels: readonly Label[]): readonly KubeObject[] {
    let fewest = this.#all.objects
    for (const label of labels) {
      const bearers = this.#byLabel.get(labelKey(label))?.objects ?? []
      if (bearers.length < fewest.length) fewest = bearers
    }
    return labels.length === 0 ? fewest : fewest.filter(object => labels.every(([name, value]) => ownLabel(object, name) === value))
  }

  // In place of `held`, whose name it has. Most changes leave the labels alone, and so cost no move in any list.
  put (object: KubeObject, held: KubeObject | undefined): void {
    this.#all.put(object)
    for (const label of Object.entries(held?.metadata.labels ?? {})) {
      if (ownLabel(object, label[0]) !== label[1]) this.#unlabel(object.metadata.name, label)
    }
    for (const label of Object.entries(object.metadata.labels ?? {})) {
      const bearers = this.#byLabel.get(labelKey(label)) ?? new ObjectList()
      this.#byLabel.set(labelKey(label), bearers)
      bearers.put(object)
    }
  }

  delete (object: KubeObject): void {
    const { name, labels = {} } = object.metadata
    this.#all.delete(name)
    for (const label of Object.entries(labels)) this.#unlabel(name, label)
  }

  #unlabel (name: string, label: Label): void {
    const bearers = this.#byLabel.get(labelKey(label))
    bearers?.delete(name)
    if (bearers?.objects.length === 0) this.#byLabel.delete(labelKey(label))
  }
}

// A label's name cannot contain `=`, and if it did, `find` would still check the label itself.
function labelKey ([name, value]: Label): string {
  return `${name}=${value}`
}

function ownLabel (object: KubeObject, name: string): string | undefined {
  const labels = object.metadata.labels ?? {}
  return Object.hasOwn(labels, name) ? labels[name] : undefined
}
