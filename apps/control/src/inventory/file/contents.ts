// What a set of files adds up to. Pure: each file's last good content is carried from one reading to the next, and stands in for
// a file that is broken.
import { err, type Result } from '#core/result.js'
import { Pace } from '#core/pace.js'
import type { Slices } from '#core/slices.js'
import type { KubeObject } from '../objects/inventory.js'
import { heldUntil, stillHeld, type Resting } from './held.js'
import { describe, identityOf, type Parsed, type PlacedObject } from './parse-documents.js'
import { MAX_FAULTS, type TextFault } from './read-documents.js'

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

/** A file with what its text says. */
export interface ReadFile {
  readonly source: SourceFile
  readonly parsed: Parsed
}

/** Objects looked at in one slice: about a millisecond. */
const SLICE_OBJECTS = 500

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
 * lacks. An object that an earlier file has already is a fault of the later file. Yields after every few hundred objects.
 */
export function * nextContents (previous: Contents, read: readonly ReadFile[], nowMs = 0): Slices<Contents> {
  const owners = new Map<string, string>()
  const files = new Map<string, FileState>()
  const objects: KubeObject[] = []
  const faults: FileFault[] = []
  const pace = new Pace(SLICE_OBJECTS)
  for (const { source, parsed } of read) {
    const before = previous.files.get(source.name)
    const found = parsed.ok ? yield * conflicts(parsed.value, owners, pace) : parsed.error
    const lastGood = parsed.ok && found.length === 0 ? parsed.value.map(({ object }) => object) : before?.lastGood ?? []
    const isSame = before !== undefined && source.id !== undefined && before.source.id === source.id
    const changedAtMs = isSame && before.source.stamp === source.stamp ? before.changedAtMs : nowMs
    const held = isSame ? yield * stillHeld(before, lastGood, { changedAtMs, nowMs, pace }) : []
    files.set(source.name, { source, parsed, lastGood, held, changedAtMs })
    faults.push(...found.map(fault => ({ file: source.name, ...fault })))
    for (const object of lastGood) {
      const identity = identityOf(object)
      // Only last good content can still meet an owner here: an object that has moved to an earlier file.
      if (!owners.has(identity)) objects.push(object)
      if (!owners.has(identity)) owners.set(identity, source.name)
      if (pace.isFull()) yield
    }
  }
  return { files, faults, ...yield * withHeld(objects, files, pace) }
}

// Held objects come last: one that has moved to another file is there already.
function * withHeld (objects: readonly KubeObject[], files: ReadonlyMap<string, FileState>, pace: Pace): Slices<Pick<Contents, 'objects' | 'held' | 'heldUntilMs'>> {
  const holding = [...files.values()].filter(({ held }) => held.length > 0)
  if (holding.length === 0) return { objects, held: 0 }
  const all = new Map<string, KubeObject>()
  for (const object of objects) {
    all.set(identityOf(object), object)
    if (pace.isFull()) yield
  }
  const begun = new Set(holding.flatMap(({ lastGood }) => lastGood.slice(-1)))
  let count = 0
  for (const { object } of holding.flatMap(({ held }) => held)) {
    if (pace.isFull()) yield
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

/**
 * What is known of a file without parsing it: that it cannot be read, or what it said when its text was the same. YAML is
 * slow, and most files of a directory stay as they are.
 */
export function parsedBefore (source: SourceFile, previous: Contents): Parsed | undefined {
  if (!source.text.ok) return err([{ message: source.text.error }])
  // What an editor or a full disk leaves in the middle of writing. Whoever means it can write a comment.
  if (source.text.value === '') return err([{ message: 'the file is empty; delete it if nothing belongs in it' }])
  const before = previous.files.get(source.name)
  return before?.source.text.ok === true && before.source.text.value === source.text.value ? before.parsed : undefined
}

function * conflicts (objects: readonly PlacedObject[], owners: ReadonlyMap<string, string>, pace: Pace): Slices<readonly TextFault[]> {
  const faults: TextFault[] = []
  for (const { object, position } of objects) {
    if (pace.isFull()) yield
    const owner = owners.get(identityOf(object))
    if (owner === undefined) continue
    const message = `${describe(object)} is in ${owner} already`
    if (faults.push(position === undefined ? { message } : { position, message }) === MAX_FAULTS) break
  }
  return faults
}
