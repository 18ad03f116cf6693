// From the text of a file to the Kubernetes objects in it: YAML of any number of documents, or JSON; lists unpacked.
import { LineCounter, parseAllDocuments, type Document } from 'yaml'
import { err, ok, type Result } from '#core/result.js'
import type { KubeObject } from '../inventory.js'
import { freezeJson, isMap, type DocumentPath, type Json } from '../json.js'
import { kubeObjectFrom } from '../kube-object.js'

/** Where something stands in a text; line and column count from 1. */
export interface Position {
  readonly line: number
  readonly column: number
}

export interface TextFault {
  /** Missing where finding it would take too long. */
  readonly position?: Position
  readonly message: string
}

/** The part of a text that an object was read from. */
export interface Place {
  /** Index of the document in the text. */
  readonly document: number
  readonly path: DocumentPath
}

export interface PlacedObject {
  readonly object: KubeObject
  readonly place: Place
}

/** A fault in a value, whose position in the text is yet to be found. */
export interface PlacedFault {
  readonly place: Place
  readonly message: string
}

// Faults reported for one text; what follows the tenth is seldom its own fault.
const MAX_FAULTS = 10

// Longest text in which positions are found, in UTF-16 code units: the YAML parser takes a second and more for it.
const MAX_LOCATED_LENGTH = 1024 * 1024

/**
 * The objects of a text, in its order, frozen; or everything that is wrong with it, at least one fault. JSON is also
 * YAML and may come as such; a text that `isJson` and really is one is read about a hundred times faster (measured:
 * 2 MB in 23 ms against 2.4 s).
 */
export function parseDocuments (text: string, isJson: boolean): Result<readonly PlacedObject[], readonly TextFault[]> {
  const values = isJson ? parseJson(text) : undefined
  const documents = values === undefined ? parseYaml(text) : ok(values)
  if (!documents.ok) return documents
  const objects: PlacedObject[] = []
  const faults: PlacedFault[] = []
  for (const [document, value] of documents.value.entries()) {
    const fault = freezeJson(value)
    if (fault !== undefined) faults.push({ place: { document, path: fault.path }, message: fault.message })
    // A document of nothing but comments is none.
    else if (value !== null) unpack(value, { document, path: [] }, objects, faults)
  }
  faults.push(...duplicates(objects))
  return faults.length === 0 ? ok(objects) : err(located(text, faults))
}

/** The first of these faults, each with its position in `text`. Reads the text again, which only faults make worthwhile. */
export function located (text: string, faults: readonly PlacedFault[]): readonly TextFault[] {
  const reported = faults.slice(0, MAX_FAULTS)
  if (reported.length === 0 || text.length > MAX_LOCATED_LENGTH) return reported.map(({ message }) => ({ message }))
  const { documents, positionAt } = readYaml(text)
  return reported.map(({ place, message }) => ({ position: positionAt(offsetAt(documents[place.document], place.path)), message }))
}

/** What two objects may not share within an inventory. The version of the API is no part of it, as in Kubernetes. */
export function identityOf ({ apiVersion, kind, metadata }: KubeObject): string {
  const group = apiVersion.includes('/') ? apiVersion.slice(0, apiVersion.indexOf('/')) : ''
  return [kind, group, metadata.namespace, metadata.name].join('/')
}

// Undefined if it is no JSON after all; the YAML parser then says where, or reads it.
function parseJson (text: string): readonly unknown[] | undefined {
  try {
    return [JSON.parse(text) as unknown]
  } catch {
    return undefined
  }
}

function parseYaml (text: string): Result<readonly unknown[], readonly TextFault[]> {
  const { documents, positionAt } = readYaml(text)
  const faults: TextFault[] = []
  const values = documents.map(document => {
    // One a document: an unclosed bracket makes faults of everything after it.
    const error = document.errors[0]
    if (error === undefined) return valueOf(document, message => faults.push({ position: positionAt(document.range[0]), message }))
    faults.push({ position: positionAt(error.pos[0]), message: error.message })
    return undefined
  })
  return faults.length === 0 ? ok(values) : err(faults.slice(0, MAX_FAULTS))
}

function readYaml (text: string): { documents: readonly Document.Parsed[], positionAt: (offset: number) => Position } {
  const lineCounter = new LineCounter()
  // `merge` for the `<<` keys that Kubernetes' own tools read.
  const documents: readonly Document.Parsed[] = parseAllDocuments(text, { lineCounter, prettyErrors: false, merge: true, logLevel: 'silent' })
  return {
    documents,
    positionAt: offset => {
      const { line, col } = lineCounter.linePos(offset)
      return { line: Math.max(1, line), column: Math.max(1, col) }
    }
  }
}

// `toJS` throws on an alias to nothing, and on aliases that would multiply without end.
function valueOf (document: Document.Parsed, fail: (message: string) => void): unknown {
  try {
    return document.toJS() as unknown
  } catch (error) {
    fail(error instanceof Error ? error.message : String(error))
    return undefined
  }
}

// Of the part at `path`, or of the nearest part around it.
function offsetAt (document: Document.Parsed | undefined, path: DocumentPath): number {
  for (let length = path.length; length >= 0; length--) {
    const node: unknown = length === 0 ? document?.contents : document?.getIn(path.slice(0, length), true)
    if (isMap(node) && Array.isArray(node['range'])) return Number(node['range'][0])
  }
  return 0
}

// Objects and faults of one document, in its order.
function unpack (value: unknown, place: Place, objects: PlacedObject[], faults: PlacedFault[]): void {
  if (!isList(value)) {
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

// A `List`, or a list of one kind as the API answers with. An object with a name is no list, whatever its kind is called.
function isList (value: unknown): value is List {
  if (!isMap(value) || typeof value['kind'] !== 'string' || !value['kind'].endsWith('List')) return false
  const isNamed = isMap(value['metadata']) && value['metadata']['name'] !== undefined
  return !isNamed && Array.isArray(value['items'] ?? [])
}

// The items of a list of one kind may leave out what the list says already.
function kindOfItems ({ apiVersion, kind }: List): Json {
  return kind === 'List' ? {} : { apiVersion, kind: kind.slice(0, -'List'.length) }
}

function duplicates (objects: readonly PlacedObject[]): PlacedFault[] {
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
