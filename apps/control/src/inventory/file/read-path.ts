// The file system, read only: which files make up the inventory, what they say, and a stamp that changes when they do.
import { constants } from 'node:fs'
import { lstat, open, readdir, stat } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import { err, ok, type Result } from '#core/result.js'
import { textFromBytes } from '#core/text-from-bytes.js'
import type { SourceFile } from './contents.js'

/** Longest file that is read, in bytes. YAML has a bound of its own, see `MAX_YAML_LENGTH`. */
export const MAX_FILE_BYTES = 16 * 1024 * 1024

const extensions = ['.yaml', '.yml', '.json']

export interface Listing {
  /** Where files come and go; what there is to watch. */
  readonly directory: string
  /** False if `path` is a file, which is then expected to stay. */
  readonly isDirectory: boolean
  /** Names of files, sorted. */
  readonly names: readonly string[]
  /** Differs from an earlier one if anything may have changed, the directory's being another one of the same name included. */
  readonly stamp: string
}

export type PathFault = 'not_found' | 'not_readable' | 'not_a_file_or_directory'

/** The texts go on from the path. */
export const pathFaults: Readonly<Record<PathFault, string>> = {
  not_found: 'does not exist',
  not_readable: 'cannot be read',
  not_a_file_or_directory: 'is neither a file nor a directory'
}

/**
 * The files at `path`: the file itself, or those in the directory that end in .yaml, .yml or .json. Directories in it
 * are not entered. Names that begin with a dot are left out: editors keep copies under them, and a mounted ConfigMap
 * its versions.
 */
export async function listPath (path: string): Promise<Result<Listing, PathFault>> {
  try {
    const { kind } = await stampOf(path)
    if (kind === 'other') return err('not_a_file_or_directory')
    if (kind === 'file') return ok(await listingOf(dirname(path), false, [basename(path)]))
    return ok(await listingOf(path, true, (await readdir(path)).filter(isInventoryFile).sort()))
  } catch (error) {
    return err(codeOf(error) === 'ENOENT' || codeOf(error) === 'ENOTDIR' ? 'not_found' : 'not_readable')
  }
}

/**
 * Reads every file of a listing. A file that cannot be read says so in its place; one that has since been removed from
 * its directory is left out.
 */
export async function readListing ({ directory, isDirectory, names }: Listing): Promise<readonly SourceFile[]> {
  const files: SourceFile[] = []
  // One after the other: a directory of thousands must not open thousands at once.
  for (const name of names) {
    const path = join(directory, name)
    const read = await readText(path)
    if (read.text.ok || !isDirectory || await isThere(path) || !await isThere(directory)) files.push({ name, ...read })
  }
  return files
}

// Of a link, whether the link is there: one that leads nowhere is a fault, not an absence.
async function isThere (path: string): Promise<boolean> {
  return await lstat(path).then(() => true, () => false)
}

function isInventoryFile (name: string): boolean {
  return !name.startsWith('.') && extensions.some(extension => name.endsWith(extension))
}

async function listingOf (directory: string, isDirectory: boolean, names: readonly string[]): Promise<Listing> {
  const { id } = await stampOf(directory)
  const kept: string[] = []
  const stamps = [id]
  for (const name of names) {
    // A dangling link is kept: that it cannot be read is for the operator to know.
    const entry = await stampOf(join(directory, name)).catch(() => ({ kind: 'file', stamp: 'unreadable' }))
    if (entry.kind === 'directory') continue
    kept.push(name)
    stamps.push(`${name} ${entry.stamp}`)
  }
  return { directory, isDirectory, names: kept, stamp: stamps.join('\n') }
}

async function stampOf (path: string): Promise<{ kind: 'file' | 'directory' | 'other', id: string, stamp: string, size: bigint }> {
  const found = await stat(path, { bigint: true })
  const kind = found.isFile() ? 'file' : found.isDirectory() ? 'directory' : 'other'
  const id = `${found.dev}:${found.ino}`
  // The change time is not what `cp -p` or `touch` can set, unlike the modification time.
  return { kind, id, size: found.size, stamp: `${id} ${found.size} ${found.ctimeNs} ${found.mode}` }
}

// The stamp is from before the reading: what is written meanwhile makes it differ the next time.
async function readText (path: string): Promise<Omit<SourceFile, 'name'>> {
  try {
    const { kind, id, stamp, size } = await stampOf(path)
    if (kind !== 'file') return { text: err(noFile) }
    if (size > MAX_FILE_BYTES) return { text: err(`the file has ${size} bytes, more than ${MAX_FILE_BYTES}; make several files of it`), id, stamp }
    return { text: await textOf(path), id, stamp }
  } catch (error) {
    return { text: err(`the file cannot be read (${codeOf(error)})`) }
  }
}

const noFile = 'this is not a file, but a directory, a pipe, a socket or a device'

// Another one may be there since it was looked at: a pipe without a writer would keep the reader waiting for ever.
async function textOf (path: string): Promise<Result<string, string>> {
  const file = await open(path, constants.O_RDONLY | constants.O_NONBLOCK)
  try {
    const found = await file.stat()
    if (!found.isFile()) return err(noFile)
    // No more than that, should it grow meanwhile: then it is read again.
    const bytes = Buffer.alloc(Math.min(found.size, MAX_FILE_BYTES))
    const { bytesRead } = await file.read(bytes, 0, bytes.length, 0)
    const text = textFromBytes(bytes.subarray(0, bytesRead))
    return text.ok ? text : err(`the file ${text.error}`)
  } finally {
    await file.close()
  }
}

function codeOf (error: unknown): string {
  return error instanceof Error && 'code' in error ? String(error.code) : 'unknown'
}
