// What a set of files adds up to. Pure: each file's last good content is carried from one reading to the next, and a
// file that is broken is represented by that.
import type { Result } from '#core/result.js'
import type { KubeObject } from '../inventory.js'
import { heldUntil, stillHeld, type Resting } from './held.js'
import { describe, identityOf, located, parseDocuments, type PlacedObject, type TextFault } from './parse-documents.js'

/** A file as it was read: its text, or why there is none. */
export interface SourceFile {
  readonly name: string
  readonly text: Result<string, string>
  /** Which file of this name it is: another one after a rename, the same one after a write in place. */
  readonly id?: string
  /** Differs from an earlier one if the file was changed. */
  readonly stamp?: string
}

export interface FileFault extends TextFault {
  readonly file: string
}

type Parsed = Result<readonly PlacedObject[], readonly TextFault[]>

interface FileState extends Resting {
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
  /** How many objects are kept which a file lacks that may still be written. */
  readonly held: number
  /** When to look again, even if nothing changes. */
  readonly heldUntilMs?: number
}

export const noContents: Contents = { files: new Map(), objects: [], faults: [], held: 0 }

/**
 * The contents after a reading of all files, which come in the order of their names. A file that is gone takes its
 * objects along, and so does one that was replaced as a whole; one that was written in place keeps for a while what it
 * lacks. An object that an earlier file has already is a fault of the later file.
 */
export function nextContents (previous: Contents, sources: readonly SourceFile[], nowMs = 0): Contents {
  const owners = new Map<string, string>()
  const files = new Map<string, FileState>()
  const objects: KubeObject[] = []
  const faults: FileFault[] = []
  for (const source of sources) {
    const before = previous.files.get(source.name)
    const parsed = parse(source, before)
    const found = parsed.ok ? conflicts(source, parsed.value, owners) : parsed.error
    const lastGood = parsed.ok && found.length === 0 ? parsed.value.map(({ object }) => object) : before?.lastGood ?? []
    const isSame = before !== undefined && source.id !== undefined && before.source.id === source.id
    const changedAtMs = isSame && before.source.stamp === source.stamp ? before.changedAtMs : nowMs
    const held = isSame ? stillHeld(before, lastGood, changedAtMs, nowMs) : []
    files.set(source.name, { source, parsed, lastGood, held, changedAtMs })
    faults.push(...found.map(fault => ({ file: source.name, ...fault })))
    // Only last good content can still meet an owner here: an object that has moved to an earlier file.
    const fresh = lastGood.filter(object => !owners.has(identityOf(object)))
    for (const object of fresh) owners.set(identityOf(object), source.name)
    objects.push(...fresh)
  }
  return { files, faults, ...withHeld(objects, files) }
}

// Held objects come last: one that has moved to another file is there already.
function withHeld (objects: readonly KubeObject[], files: ReadonlyMap<string, FileState>): Pick<Contents, 'objects' | 'held' | 'heldUntilMs'> {
  const holding = [...files.values()].filter(({ held }) => held.length > 0)
  if (holding.length === 0) return { objects, held: 0 }
  const all = new Map(objects.map(object => [identityOf(object), object]))
  const begun = new Set(holding.flatMap(({ lastGood }) => lastGood.slice(-1)))
  let count = 0
  for (const { object } of holding.flatMap(({ held }) => held)) {
    const said = all.get(identityOf(object))
    if (said !== undefined && !begun.has(said)) continue
    all.set(identityOf(object), object)
    count++
  }
  return { objects: [...all.values()], held: count, heldUntilMs: Math.min(...holding.map(({ held, changedAtMs }) => heldUntil(held, changedAtMs))) }
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
