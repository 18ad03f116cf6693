// The objects of one source in the store: the rules by which a list or an event may change what is held.
import type { Slices } from '#core/slices.js'
import type { KubeObject } from '../../objects/inventory.js'
import type { Store } from '../../store/store.js'
import type { Source } from '../api/source.js'

export type ObjectChange = 'ADDED' | 'MODIFIED' | 'DELETED'

export class Collection {
  readonly #store: Store
  readonly #types: readonly string[]
  readonly #namespace: string | undefined

  constructor (store: Store, { types, namespace }: Source) {
    this.#store = store
    this.#types = types
    this.#namespace = namespace
  }

  /** Makes the content exactly these objects. Nothing may be applied before it is done. */
  replace (objects: readonly KubeObject[]): Slices<boolean> {
    // Looked up when it is its turn.
    const content = { [Symbol.iterator]: () => this.#eachUnchanged(objects) }
    return this.#store.replaceInSlices(new Map(this.#types.map(type => [type, content])), this.#namespace)
  }

  * #eachUnchanged (objects: readonly KubeObject[]): Generator<KubeObject, undefined> {
    for (const object of objects) yield this.#unchanged(object) ?? object
  }

  /** True if a newer state of the object is held than this one: it is late news. */
  isStale (object: KubeObject): boolean {
    return isOlder(object.metadata.resourceVersion, this.#held(object)?.metadata.resourceVersion)
  }

  apply (change: ObjectChange, object: KubeObject): void {
    if (change !== 'DELETED') {
      this.#store.put(this.#types, object)
      return
    }
    const held = this.#held(object)
    if (held === undefined || isSuccessor(held, object)) return
    this.#store.remove(this.#types, object.metadata.namespace, object.metadata.name)
  }

  // One version of one object is always the same: comparing them part by part would take the longest part of a relist.
  #unchanged (object: KubeObject): KubeObject | undefined {
    const held = this.#held(object)
    const { uid, resourceVersion } = object.metadata
    const isSame = uid !== undefined && resourceVersion !== undefined &&
      held?.metadata.uid === uid && held.metadata.resourceVersion === resourceVersion
    return isSame ? held : undefined
  }

  #held ({ metadata: { namespace, name } }: KubeObject): KubeObject | undefined {
    const [type = ''] = this.#types
    return this.#store.get(type, namespace, name)
  }
}

// An object that was created under the name of a deleted one has another uid, and outlives the news of the deletion.
function isSuccessor (held: KubeObject, deleted: KubeObject): boolean {
  const { uid, resourceVersion } = held.metadata
  return uid !== undefined && deleted.metadata.uid !== undefined && uid !== deleted.metadata.uid &&
    !isOlder(resourceVersion, deleted.metadata.resourceVersion)
}

// The order of resourceVersions. Since Kubernetes 1.35 those of one resource type are integers of any size that grow
// with time (KEP-5504), and etcd's always were; other storage may hand out anything, which then has no order.

const integer = /^[0-9]+$/

/** Negative if `left` is older than `right`, positive if newer, 0 if the same; undefined if nobody can say. */
export function compareVersions (left: string, right: string): number | undefined {
  if (left === right) return 0
  if (!integer.test(left) || !integer.test(right)) return undefined
  const difference = BigInt(left) - BigInt(right)
  return difference < 0n ? -1 : difference > 0n ? 1 : 0
}

/** True if `left` is known to be older than `right`. */
export function isOlder (left: string | undefined, right: string | undefined): boolean {
  return left !== undefined && right !== undefined && (compareVersions(left, right) ?? 0) < 0
}
