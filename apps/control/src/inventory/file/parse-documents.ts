// From the text of a file to the Kubernetes objects in it: YAML of any number of documents, or JSON; lists unpacked.
import { rootAliases } from '#config/aliases.js'
import { ConfigSchema } from '#config/schema.js'
import { err, ok, type Result } from '#core/result.js'
import type { KubeObject } from '../objects/inventory.js'
import { freezeJson, isMap, type Json } from '../objects/json.js'
import { kubeObjectFrom } from '../objects/kube-object.js'
import { MAX_FAULTS, readDocuments, type Place, type Position, type TextFault } from './read-documents.js'

export interface PlacedObject {
  readonly object: KubeObject
  /** Where it stands; missing where finding it would take too long. */
  readonly position?: Position
}

interface Found {
  readonly object: KubeObject
  readonly place: Place
}

interface PlacedFault {
  readonly place: Place
  readonly message: string
}

export type Parsed = Result<readonly PlacedObject[], readonly TextFault[]>

/**
 * The objects of a text, in its order, frozen; or everything that is wrong with it, at least one fault. JSON is also
 * YAML and may come as such; a text that `isJson` and really is one is read about a hundred times faster.
 */
export function parseDocuments (text: string, isJson: boolean): Parsed {
  const documents = readDocuments(text, isJson)
  if (!documents.ok) return documents
  const { values, positionOf } = documents.value
  const objects: Found[] = []
  const faults: PlacedFault[] = []
  for (const [document, value] of values.entries()) {
    const fault = freezeJson(value)
    if (fault !== undefined) faults.push({ place: { document, path: fault.path }, message: fault.message })
    // A document of nothing but comments has no value.
    else if (value !== null) unpack(value, { document, path: [] }, objects, faults)
  }
  faults.push(...duplicates(objects))
  if (faults.length > 0) return err(faults.slice(0, MAX_FAULTS).map(({ place, message }) => at(positionOf(place), { message })))
  // Where an object of JSON is, nobody has asked yet, and finding it takes long.
  return ok(objects.map(({ object, place }) => at(isJson ? undefined : positionOf(place), { object })))
}

function at<Thing extends object> (position: Position | undefined, thing: Thing): Thing & { readonly position?: Position } {
  return position === undefined ? thing : { ...thing, position }
}

const identities = new WeakMap<KubeObject, string>()

/** What two objects may not share within an inventory. The version of the API is not a part of it, as in Kubernetes. */
export function identityOf (object: KubeObject): string {
  const known = identities.get(object)
  if (known !== undefined) return known
  const { apiVersion, kind, metadata } = object
  const group = apiVersion.includes('/') ? apiVersion.slice(0, apiVersion.indexOf('/')) : ''
  const identity = [kind, group, metadata.namespace, metadata.name].join('/')
  identities.set(object, identity)
  return identity
}

// Objects and faults of one document, in its order.
function unpack (value: unknown, place: Place, objects: Found[], faults: PlacedFault[]): void {
  if (!isList(value)) {
    const other = otherText(value)
    if (other !== undefined) {
      faults.push({ place, message: other })
      return
    }
    const object = kubeObjectFrom(value, place.path)
    if (object.ok) objects.push({ object: object.value, place })
    else faults.push({ place: { document: place.document, path: object.error.path }, message: object.error.message })
    return
  }
  for (const [index, item] of (value.items ?? []).entries()) {
    const whole = isMap(item) ? { ...kindOfItems(value), ...item } : item
    unpack(whole, { document: place.document, path: [...place.path, 'items', index] }, objects, faults)
  }
}

interface List extends Json {
  readonly kind: string
  readonly items?: readonly unknown[] | null
}

// A `List`, or a list of one kind as the API answers with. An object with a name is not a list, whatever its kind is called.
function isList (value: unknown): value is List {
  if (!isMap(value) || typeof value['kind'] !== 'string' || !value['kind'].endsWith('List')) return false
  const isNamed = isMap(value['metadata']) && value['metadata']['name'] !== undefined
  return !isNamed && Array.isArray(value['items'] ?? [])
}

// The items of a list of one kind may leave out what the list says already.
function kindOfItems ({ apiVersion, kind }: List): Json {
  return kind === 'List' ? {} : { apiVersion, kind: kind.slice(0, -'List'.length) }
}

function duplicates (objects: readonly Found[]): PlacedFault[] {
  const seen = new Set<string>()
  const faults: PlacedFault[] = []
  for (const { object, place } of objects) {
    if (seen.has(identityOf(object))) faults.push({ place, message: `${describe(object)} is there twice` })
    seen.add(identityOf(object))
  }
  return faults
}

/** An object as people speak of it. */
export function describe ({ kind, metadata }: KubeObject): string {
  return `${kind} ${metadata.namespace}/${metadata.name}`
}

const configKeys: ReadonlySet<string> = new Set([...Object.keys(ConfigSchema.properties), ...rootAliases.map(({ alias }) => alias)])

// What a document is that is not a Kubernetes object, if that says more than what it lacks. Undefined if it may be meant for one.
function otherText (value: unknown): string | undefined {
  if (!isMap(value) || value['kind'] !== undefined || value['apiVersion'] !== undefined) return undefined
  if (Object.keys(value).filter(key => configKeys.has(key)).length < 2) return undefined
  return 'this is a configuration of the director, not a Kubernetes object; keep it outside of inventory.path'
}
