// The fake cluster's state: objects by type, one counter of resource versions for all of them, and the events that led
// here. Knows nothing of HTTP. A mistake of the test (a second create, an unknown type) throws.
import type { Clock } from '#core/clock.js'
import { EventRing, type StoreEvent } from './event-ring.js'
import { apiVersionOf, keyOf, qualifiedName, type KubeObject, type NewObject, type ResourceType } from './resource-type.js'

/** Plural of a type, or `plural.group` where two groups have the same plural. */
export type TypeName = string

/** `namespace/name`; the name alone for a type without namespaces. */
export type ObjectKey = string

export interface Collection {
  readonly type: ResourceType
  readonly objects: ReadonlyMap<string, KubeObject>
  readonly ring: EventRing
}

interface OwnCollection extends Collection {
  readonly objects: Map<string, KubeObject>
}

/** Everything `restore` needs to go back in time. */
export interface Backup {
  readonly version: number
  readonly objects: ReadonlyMap<string, ReadonlyMap<string, KubeObject>>
}

export interface StoreOptions {
  readonly clock: Clock
  readonly firstVersion: number
  readonly ringCapacity: number
  /** Called after every change of the version. */
  readonly onVersion: () => void
}

export class ObjectStore {
  readonly #options: StoreOptions
  readonly #collections = new Map<string, OwnCollection>()
  readonly #usedUids = new Set<string>()
  readonly #listeners = new Set<(collection: Collection, event: StoreEvent) => void>()
  #version: number
  #uids = 0

  constructor (options: StoreOptions) {
    this.#options = options
    this.#version = options.firstVersion
  }

  /** The newest resource version of any type. */
  get version (): number {
    return this.#version
  }

  collections (): Iterable<Collection> {
    return this.#collections.values()
  }

  /** The collection of a type that is served; undefined is what a client sees as 404. */
  find (group: string, version: string, plural: string): Collection | undefined {
    const found = this.#collections.get(qualifiedName({ group, plural } as ResourceType))
    return found?.type.version === version ? found : undefined
  }

  /** Begins to serve a type: a CRD was installed. */
  addType (type: ResourceType): void {
    this.#collections.set(qualifiedName(type), { type, objects: new Map(), ring: new EventRing(this.#options.ringCapacity, this.#version) })
  }

  /** Stops serving a type; its objects are gone, without events. */
  removeType (name: TypeName): ResourceType {
    const { type } = this.collection(name)
    this.#collections.delete(qualifiedName(type))
    return type
  }

  collection (name: TypeName): Collection {
    return this.#own(name)
  }

  get (name: TypeName, key: ObjectKey): KubeObject | undefined {
    return this.#own(name).objects.get(key)
  }

  create (name: TypeName, object: NewObject): KubeObject {
    const collection = this.#own(name)
    const created = this.#complete(collection.type, object)
    if (collection.objects.has(keyOf(created))) throw new Error(`create: ${name} ${keyOf(created)} exists already`)
    return this.#put(collection, undefined, created)
  }

  /** Replaces an object; uid and creation time stay. */
  update (name: TypeName, object: NewObject): KubeObject {
    const collection = this.#own(name)
    const key = keyOf(this.#placed(collection.type, object))
    const before = this.#existing(collection, key)
    const { uid = '', creationTimestamp } = before.metadata
    const metadata = { ...object.metadata, uid, creationTimestamp }
    return this.#put(collection, before, this.#placed(collection.type, { ...object, metadata }))
  }

  /** Applies a JSON merge patch (RFC 7386): null removes a field, arrays are replaced. */
  patch (name: TypeName, key: ObjectKey, change: Readonly<Record<string, unknown>>): KubeObject {
    const collection = this.#own(name)
    const before = this.#existing(collection, key)
    return this.#put(collection, before, merged(before, change) as KubeObject)
  }

  delete (name: TypeName, key: ObjectKey): KubeObject {
    const collection = this.#own(name)
    const before = this.#existing(collection, key)
    const after = this.#stamped(before)
    collection.objects.delete(key)
    this.#emit(collection, { resourceVersion: this.#version, before, after, deleted: true })
    return after
  }

  /** Forgets events up to now (or up to `version`): older watches and continue tokens are answered with 410. */
  compact (name?: TypeName, version = this.#version): void {
    for (const collection of name === undefined ? this.#collections.values() : [this.#own(name)]) collection.ring.compact(version)
  }

  /** Raises the resource version without a change to any type that is served, as changes to other types do. */
  tick (by = 1): void {
    this.#version += by
    this.#options.onVersion()
  }

  backup (): Backup {
    return { version: this.#version, objects: new Map([...this.#collections].map(([name, { objects }]) => [name, new Map(objects)])) }
  }

  /** Goes back to a backup, as a restored etcd does: versions go back, history is forgotten, nobody gets an event. */
  restore (backup: Backup): void {
    this.#version = backup.version
    for (const [name, { type }] of this.#collections) {
      this.addType(type)
      for (const [key, object] of backup.objects.get(name) ?? []) this.#own(name).objects.set(key, object)
    }
    this.#options.onVersion()
  }

  /** Calls `listener` at every event, before the call that made it returns. Returns how to stop that. */
  onEvent (listener: (collection: Collection, event: StoreEvent) => void): () => void {
    this.#listeners.add(listener)
    return () => { this.#listeners.delete(listener) }
  }

  #own (name: TypeName): OwnCollection {
    const found = this.#collections.get(name) ?? [...this.#collections.values()].find(({ type }) => type.plural === name)
    if (found === undefined) throw new Error(`the fake API serves no type ${name}`)
    return found
  }

  #existing (collection: Collection, key: ObjectKey): KubeObject {
    const object = collection.objects.get(key)
    if (object === undefined) throw new Error(`no ${collection.type.plural} ${key}`)
    return object
  }

  #put (collection: OwnCollection, before: KubeObject | undefined, object: KubeObject): KubeObject {
    const after = this.#stamped(object)
    collection.objects.set(keyOf(after), after)
    this.#emit(collection, { resourceVersion: this.#version, before, after, deleted: false })
    return after
  }

  #emit (collection: Collection, event: StoreEvent): void {
    collection.ring.push(event)
    for (const listener of [...this.#listeners]) listener(collection, event)
    this.#options.onVersion()
  }

  // A copy under the next resource version: what was handed out before never changes.
  #stamped (object: KubeObject): KubeObject {
    this.#version++
    return frozen(structuredClone({ ...object, metadata: { ...object.metadata, resourceVersion: String(this.#version) } }))
  }

  #placed (type: ResourceType, object: NewObject): KubeObject {
    const { name, namespace = 'default', ...more } = object.metadata
    const metadata = type.namespaced ? { name, namespace, ...more } : { name, ...more }
    return { apiVersion: apiVersionOf(type), kind: type.kind, ...object, metadata }
  }

  #complete (type: ResourceType, object: NewObject): KubeObject {
    const placed = this.#placed(type, object)
    const creationTimestamp = new Date(this.#options.clock.wallNow()).toISOString().replace(/\.\d+Z$/, 'Z')
    return { ...placed, metadata: { creationTimestamp, ...placed.metadata, uid: this.#freshUid(placed.metadata.uid) } }
  }

  // A uid is never used twice, so that a deleted object that a test creates again is another object, as it has to be.
  #freshUid (wanted: string | undefined): string {
    let uid = wanted
    while (uid === undefined || this.#usedUids.has(uid)) uid = `0fa4e000-0000-4000-8000-${String(++this.#uids).padStart(12, '0')}`
    this.#usedUids.add(uid)
    return uid
  }
}

function merged (target: unknown, change: unknown): unknown {
  if (!isMap(change)) return change
  const result: Record<string, unknown> = isMap(target) ? { ...target } : {}
  for (const [key, value] of Object.entries(change)) {
    if (value === null) Reflect.deleteProperty(result, key)
    else result[key] = merged(result[key], value)
  }
  return result
}

function isMap (value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function frozen<T> (value: T): T {
  if (typeof value !== 'object' || value === null || Object.isFrozen(value)) return value
  for (const part of Object.values(value)) frozen(part)
  return Object.freeze(value)
}
