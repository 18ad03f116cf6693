// What a set of files adds up to. Pure: each file's last good content is carried from one reading to the next, and a
// file that is broken is represented by that.
import type { Result } from '#core/result.js'
import type { KubeObject } from '../inventory.js'
import { describe, identityOf, located, parseDocuments, type PlacedObject, type TextFault } from './parse-documents.js'

/** A file as it was read: its text, or why there is none. */
export interface SourceFile {
  readonly name: string
  readonly text: Result<string, string>
}

export interface FileFault extends TextFault {
  readonly file: string
}

type Parsed = Result<readonly PlacedObject[], readonly TextFault[]>

interface FileState {
  readonly source: SourceFile
  readonly parsed: Parsed
  /** What the file said when it was last without fault; empty if it never was. */
  readonly lastGood: readonly KubeObject[]
}

export interface Contents {
  readonly files: ReadonlyMap<string, FileState>
  /** All objects, no two of one identity. */
  readonly objects: readonly KubeObject[]
  readonly faults: readonly FileFault[]
}

export const noContents: Contents = { files: new Map(), objects: [], faults: [] }

/**
 * The contents after a reading of all files, which come in the order of their names. A file that is gone takes its
 * objects along. An object that an earlier file has already is a fault of the later file.
 */
export function nextContents (previous: Contents, sources: readonly SourceFile[]): Contents {
  const owners = new Map<string, string>()
  const files = new Map<string, FileState>()
  const objects: KubeObject[] = []
  const faults: FileFault[] = []
  for (const source of sources) {
    const before = previous.files.get(source.name)
    const parsed = parse(source, before)
    const found = parsed.ok ? conflicts(source, parsed.value, owners) : parsed.error
    const lastGood = parsed.ok && found.length === 0 ? parsed.value.map(({ object }) => object) : before?.lastGood ?? []
    files.set(source.name, { source, parsed, lastGood })
    faults.push(...found.map(fault => ({ file: source.name, ...fault })))
    // Only last good content can still meet an owner here: an object that has moved to an earlier file.
    const fresh = lastGood.filter(object => !owners.has(identityOf(object)))
    for (const object of fresh) owners.set(identityOf(object), source.name)
    objects.push(...fresh)
  }
  return { files, objects, faults }
}

/** `file:line:column: message`, as compilers write it. */
export function formatFault ({ file, position, message }: FileFault): string {
  return position === undefined ? `${file}: ${message}` : `${file}:${position.line}:${position.column}: ${message}`
}

// A file whose text is the same needs no second look: YAML is slow, and most files of a directory stay as they are.
function parse (source: SourceFile, before: FileState | undefined): Parsed {
  if (!source.text.ok) return { ok: false, error: [{ message: source.text.error }] }
  // What an editor or a full disk leaves in the middle of writing. Whoever means it can write a comment.
  if (source.text.value === '') return { ok: false, error: [{ message: 'the file is empty; delete it if nothing belongs in it' }] }
  if (before?.source.text.ok === true && before.source.text.value === source.text.value) return before.parsed
  return parseDocuments(source.text.value, source.name.endsWith('.json'))
}

function conflicts ({ text }: SourceFile, objects: readonly PlacedObject[], owners: ReadonlyMap<string, string>): readonly TextFault[] {
  return located(text.ok ? text.value : '', objects.flatMap(({ object, place }) => {
    const owner = owners.get(identityOf(object))
    return owner === undefined ? [] : [{ place, message: `${describe(object)} is in ${owner} already` }]
  }))
}
