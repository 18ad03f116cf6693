// The objects of one resource type, by namespace. What a call changes it adds to `changes`.
import { isDeepStrictEqual } from 'node:util'
import type { Pace } from '#core/pace.js'
import type { Slices } from '#core/slices.js'
import type { Work } from '#jsonpath/work.js'
import { IndexedObjects } from './indexed-objects.js'
import type { InventoryChange, KubeObject, StatusMatch } from '../objects/inventory.js'
import { PathIndex } from './path-index.js'

type Content = Map<string, IndexedObjects>

/** A content that is ready to be put in place of what is held. */
export interface Replacement {
  readonly next: ReadonlyMap<string, IndexedObjects>
  /** The one namespace that it replaces; undefined if all. */
  readonly within: string | undefined
  readonly changes: readonly InventoryChange[]
}

export class Shelf {
  readonly #resourceType: string
  readonly #paths: PathIndex
  readonly #byNamespace: Content = new Map()
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

  /**
   * What `replace` needs to make the content exactly these objects; with `within` only what is held in that namespace.
   * Yields whenever `pace` says so. Nothing else may change there before it is put in place.
   */
  * prepare (objects: Iterable<KubeObject>, within: string | undefined, pace: Pace): Slices<Replacement> {
    const next: Content = new Map()
    for (const object of objects) {
      const held = this.get(object.metadata.namespace, object.metadata.name)
      this.#insert(next, held !== undefined && isEqual(held, object) ? held : object)
      if (pace.isFull()) yield
    }
    const changes: InventoryChange[] = []
    for (const object of objectsIn(next)) {
      const held = this.get(object.metadata.namespace, object.metadata.name)
      if (held !== object) changes.push(this.#changed(object, held, object))
      if (pace.isFull()) yield
    }
    for (const object of objectsIn(this.#byNamespace, within)) {
      if (next.get(object.metadata.namespace)?.get(object.metadata.name) === undefined) changes.push(this.#changed(object, object, undefined))
      if (pace.isFull()) yield
    }
    return { next, within, changes }
  }

  /** Puts in place what was prepared, in one step. */
  replace ({ next, within, changes }: Replacement): void {
    if (within === undefined) this.#byNamespace.clear()
    else this.#byNamespace.delete(within)
    for (const [namespace, objects] of next) this.#byNamespace.set(namespace, objects)
    for (const { before, after } of changes) this.size += Number(after !== undefined) - Number(before !== undefined)
  }

  put (object: KubeObject, changes: InventoryChange[]): void {
    const held = this.get(object.metadata.namespace, object.metadata.name)
    if (held !== undefined && isEqual(held, object)) return
    this.#insert(this.#byNamespace, object)
    if (held === undefined) this.size++
    changes.push(this.#changed(object, held, object))
  }

  remove (namespace: string, name: string, changes: InventoryChange[]): void {
    const held = this.get(namespace, name)
    if (held !== undefined) this.#delete(held, changes)
  }

  #insert (content: Content, object: KubeObject): void {
    const { namespace } = object.metadata
    const objects = content.get(namespace) ?? new IndexedObjects(this.#paths)
    content.set(namespace, objects)
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

function * objectsIn (content: ReadonlyMap<string, IndexedObjects>, within?: string): Iterable<KubeObject> {
  for (const [namespace, objects] of content) if (within === undefined || within === namespace) yield * objects.find([])
}

// Every version of an object is another one, so those of an API server need not be compared part by part.
function isEqual (held: KubeObject, object: KubeObject): boolean {
  return held.metadata.resourceVersion === object.metadata.resourceVersion && isDeepStrictEqual(held, object)
}
