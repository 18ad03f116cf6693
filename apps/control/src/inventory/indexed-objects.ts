// The objects of one resource type in one namespace, listed under each of their labels and indexed values, so that a
// search starts from the shortest list there is for it.
import type { KubeObject, StatusMatch } from './inventory.js'
import { merged } from './merged.js'
import { ObjectList } from './object-list.js'
import { matchesStatus, type PathIndex } from './path-index.js'

export type Label = readonly [name: string, value: string]

const none: readonly KubeObject[] = []

export class IndexedObjects {
  readonly #paths: PathIndex
  readonly #all = new ObjectList()
  readonly #byKey = new Map<string, ObjectList>()

  constructor (paths: PathIndex) {
    this.#paths = paths
  }

  /** In the order of their names. Use them up before anything else runs. */
  get objects (): readonly KubeObject[] {
    return this.#all.objects
  }

  get (name: string): KubeObject | undefined {
    return this.#all.get(name)
  }

  /** Those with all of the labels and one of the values, in the order of their names. Use them up before anything else runs. */
  find (labels: readonly Label[], status: StatusMatch | undefined): Iterable<KubeObject> {
    const bearers = this.#fewest(labels)
    const valued = status === undefined ? undefined : this.#paths.keysFor(status)?.map(key => this.#under(valueKey(key)))
    if (valued !== undefined && lengthOf(valued) < bearers.length) return filtered(merged(valued), labels, undefined)
    return labels.length === 0 && status === undefined ? bearers : filtered(bearers, labels, status)
  }

  /** How many have all of the labels. With one label or none nothing is looked at. */
  count (labels: readonly Label[]): number {
    const bearers = this.#fewest(labels)
    return labels.length < 2 ? bearers.length : bearers.reduce((count, object) => bears(object, labels) ? count + 1 : count, 0)
  }

  /** Takes `object` in, in place of `held`, whose name it has. Most changes leave most keys alone, and so cost no move in their lists. */
  put (object: KubeObject, held: KubeObject | undefined): void {
    const keys = this.#keysOf(object)
    for (const key of held === undefined ? [] : this.#keysOf(held)) if (!keys.has(key)) this.#remove(key, object)
    this.#all.put(object)
    for (const key of keys) {
      const list = this.#byKey.get(key) ?? new ObjectList()
      this.#byKey.set(key, list)
      list.put(object)
    }
  }

  delete (object: KubeObject): void {
    this.#all.delete(object.metadata.name)
    for (const key of this.#keysOf(object)) this.#remove(key, object)
  }

  #keysOf (object: KubeObject): Set<string> {
    const keys = new Set(this.#paths.keysOf(object).map(valueKey))
    for (const label of Object.entries(object.metadata.labels ?? {})) keys.add(labelKey(label))
    return keys
  }

  #fewest (labels: readonly Label[]): readonly KubeObject[] {
    let fewest = this.#all.objects
    for (const label of labels) {
      const bearers = this.#under(labelKey(label))
      if (bearers.length < fewest.length) fewest = bearers
    }
    return fewest
  }

  #under (key: string): readonly KubeObject[] {
    return this.#byKey.get(key)?.objects ?? none
  }

  #remove (key: string, { metadata: { name } }: KubeObject): void {
    const list = this.#byKey.get(key)
    list?.delete(name)
    if (list?.objects.length === 0) this.#byKey.delete(key)
  }
}

function * filtered (objects: Iterable<KubeObject>, labels: readonly Label[], status: StatusMatch | undefined): Iterable<KubeObject> {
  for (const object of objects) if (bears(object, labels) && (status === undefined || matchesStatus(object, status))) yield object
}

function bears ({ metadata: { labels = {} } }: KubeObject, wanted: readonly Label[]): boolean {
  return wanted.every(([name, value]) => Object.hasOwn(labels, name) && labels[name] === value)
}

function lengthOf (lists: ReadonlyArray<readonly KubeObject[]>): number {
  return lists.reduce((length, list) => length + list.length, 0)
}

// A file may hold labels that Kubernetes would refuse: the length tells where the name ends.
function labelKey ([name, value]: Label): string {
  return `label ${name.length} ${name}=${value}`
}

function valueKey (key: string): string {
  return `value ${key}`
}
