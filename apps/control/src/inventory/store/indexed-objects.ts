// The objects of one resource type in one namespace, listed under each of their labels and indexed values, so that a
// search starts from the shortest list there is for it and reads no object that the lists can tell of.
import type { Work } from '#jsonpath/work.js'
import { EntryList, type Entry } from './entry-list.js'
import type { KubeObject, StatusMatch } from '../objects/inventory.js'
import { merged } from './merged.js'
import { matchesStatus, type Mark, type PathIndex } from './path-index.js'

/** Which entries a search is for, as far as lists can tell. */
interface Wanted {
  /** Lists that have to have it. */
  readonly all: readonly EntryList[]
  /** Lists of which one has to have it; undefined if none need. */
  readonly any: readonly EntryList[] | undefined
  readonly work: Work | undefined
}

export class IndexedObjects {
  readonly #paths: PathIndex
  readonly #byName = new Map<string, Entry>()
  readonly #all = new EntryList()
  // By the two parts of the mark.
  readonly #marked = new Map<Mark[0], Map<string, EntryList>>()
  // Of entries that are gone.
  readonly #freeIds: number[] = []

  constructor (paths: PathIndex) {
    this.#paths = paths
  }

  get size (): number {
    return this.#byName.size
  }

  get (name: string): KubeObject | undefined {
    return this.#byName.get(name)?.object
  }

  /** Those with all of the labels and one of the values, in the order of their names, until `work` is over. Use them up before anything else runs. */
  find (labels: readonly Mark[], status?: StatusMatch, work?: Work): Iterable<KubeObject> {
    const all = this.#listsOfAll(labels)
    if (all === undefined) return []
    const any = status === undefined ? undefined : this.#paths.marksFor(status)?.flatMap(mark => this.#list(mark) ?? [])
    const shortest = this.#shortest(all)
    const entries = any !== undefined && lengthOf(any) < shortest.ids.length
      ? merged(any.map(list => [...entriesIn(list, { all, any: undefined, work })]))
      : entriesIn(shortest, { all: all.filter(list => list !== shortest), any, work })
    return objectsIn(entries, any === undefined && status?.isRough !== true ? status : undefined)
  }

  /** How many have all of the labels. With one label or none nothing is looked at. */
  count (labels: readonly Mark[], work?: Work): number {
    const all = this.#listsOfAll(labels)
    if (all === undefined) return 0
    const { ids } = this.#shortest(all)
    if (all.length > 1) work?.spend(ids.length)
    return all.length < 2 ? ids.length : ids.reduce((count, id) => isInAll(id, all) ? count + 1 : count, 0)
  }

  /** Takes `object` in, in place of one of the same name. Costs as much as its marks, and more only for those that it had not before. */
  put (object: KubeObject): void {
    const entry = this.#byName.get(object.metadata.name) ?? this.#newEntry(object)
    entry.object = object
    const former = new Set(entry.lists)
    const lists = this.#listsFor(object)
    for (const list of former) if (!lists.has(list)) this.#leave(list, entry)
    for (const list of lists) if (!former.has(list)) list.add(entry)
    entry.lists = [...lists]
  }

  delete (name: string): void {
    const entry = this.#byName.get(name)
    if (entry === undefined) return
    this.#byName.delete(name)
    this.#all.delete(entry)
    for (const list of entry.lists) this.#leave(list, entry)
    this.#freeIds.push(entry.id)
  }

  #newEntry (object: KubeObject): Entry {
    const { name } = object.metadata
    // As many as there are entries are in use or free.
    const id = this.#freeIds.pop() ?? this.#byName.size
    const entry: Entry = { name, id, object, lists: [] }
    this.#byName.set(name, entry)
    this.#all.add(entry)
    return entry
  }

  // Those that are new are empty.
  #listsFor (object: KubeObject): ReadonlySet<EntryList> {
    const marks: readonly Mark[] = [...Object.entries(object.metadata.labels ?? {}), ...this.#paths.marksOf(object)]
    return new Set(marks.map(mark => this.#list(mark) ?? this.#newList(mark)))
  }

  #list ([facet, value]: Mark): EntryList | undefined {
    return this.#marked.get(facet)?.get(value)
  }

  #newList (mark: Mark): EntryList {
    const [facet, value] = mark
    const byValue = this.#marked.get(facet) ?? new Map<string, EntryList>()
    const list = new EntryList(mark)
    this.#marked.set(facet, byValue)
    byValue.set(value, list)
    return list
  }

  #leave (list: EntryList, entry: Entry): void {
    list.delete(entry)
    if (list.ids.length > 0 || list.mark === undefined) return
    const [facet, value] = list.mark
    const byValue = this.#marked.get(facet)
    byValue?.delete(value)
    if (byValue?.size === 0) this.#marked.delete(facet)
  }

  // Undefined if nothing has one of them.
  #listsOfAll (labels: readonly Mark[]): readonly EntryList[] | undefined {
    const lists: EntryList[] = []
    for (const label of labels) {
      const list = this.#list(label)
      if (list === undefined) return undefined
      lists.push(list)
    }
    return lists
  }

  #shortest (lists: readonly EntryList[]): EntryList {
    return lists.reduce((shortest, list) => list.ids.length < shortest.ids.length ? list : shortest, this.#all)
  }
}

function * entriesIn ({ entries, ids }: EntryList, { all, any, work }: Wanted): Iterable<Entry> {
  for (let at = 0; at < ids.length; at++) {
    if (work?.isOver === true) return
    work?.spend(1)
    const id = ids[at]!
    if (isInAll(id, all) && (any === undefined || isInAny(id, any))) yield entries[at]!
  }
}

function * objectsIn (entries: Iterable<Entry>, status: StatusMatch | undefined): Iterable<KubeObject> {
  for (const { object } of entries) if (status === undefined || matchesStatus(object, status)) yield object
}

function isInAll (id: number, lists: readonly EntryList[]): boolean {
  for (const list of lists) if (!list.has(id)) return false
  return true
}

function isInAny (id: number, lists: readonly EntryList[]): boolean {
  for (const list of lists) if (list.has(id)) return true
  return false
}

function lengthOf (lists: readonly EntryList[]): number {
  return lists.reduce((length, { ids }) => length + ids.length, 0)
}
