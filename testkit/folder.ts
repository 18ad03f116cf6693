// Folders of a test's, a check's or a benchmark's own. What a run that was killed leaves behind, the next one removes.
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { memoryFolder } from '../apps/cli/src/private-directory/memory-folder.js'
import { currentOwner } from '../apps/cli/src/private-directory/owner.js'
import { OWNER_FILE, PREFIX, sweepAbandoned } from '../apps/cli/src/private-directory/sweep.js'

export interface Folder {
  /** Short enough for a Unix socket in it. */
  readonly path: string
  /** Writes a file, `name` relative to the folder; returns its path. */
  readonly write: (name: string, text: string) => string
  /** Makes a folder in it. */
  readonly makeFolder: (name: string) => void
  /** The text of a file. */
  readonly read: (name: string) => string
  /** Removes it with all that is in it; does nothing when called again. Synchronous, so that it can run as the process ends. */
  readonly close: () => void
}

const open = new Set<Folder>()
// Places where we have looked for what was left.
const swept = new Set<string>()

process.on('exit', () => { for (const folder of open) folder.close() })

/**
 * Makes one, and removes those that were left beside it.
 * @param parent default: the system's directory for temporary files
 */
export function openFolder (parent = tmpdir()): Folder {
  if (!swept.has(parent)) sweepAbandoned(parent)
  swept.add(parent)
  const path = mkdtempSync(join(parent, PREFIX))
  writeFileSync(join(path, OWNER_FILE), JSON.stringify(currentOwner()))
  const folder: Folder = {
    path,
    write: (name, text) => {
      const file = join(path, name)
      mkdirSync(dirname(file), { recursive: true })
      writeFileSync(file, text)
      return file
    },
    makeFolder: name => { mkdirSync(join(path, name), { recursive: true }) },
    read: name => readFileSync(join(path, name), 'utf8'),
    close: () => {
      open.delete(folder)
      rmSync(path, { recursive: true, force: true })
    }
  }
  open.add(folder)
  return folder
}

/** One whose files are in memory, if this machine has a place for that: a process that is killed loses nothing of what it wrote there. */
export function openMemoryFolder (): Folder {
  return openFolder(memoryFolder())
}
