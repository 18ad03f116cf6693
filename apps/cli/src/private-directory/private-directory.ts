// A directory of our own for what one run needs on disk: the Unix socket, and for the demo its files. Another one in memory,
// where there is such a place, for the state logs.
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { memoryFolder, memoryFolders } from './memory-folder.js'
import { currentOwner } from './owner.js'
import { OWNER_FILE, PREFIX, sweepAbandoned } from './sweep.js'

export interface PrivateDirectory {
  readonly path: string
  /** Where the Unix socket between control and proxy goes. */
  readonly socketPath: string
  /** What the names of the proxy's state logs begin with. In memory, if this machine has a place for files there. */
  readonly statePath: string
  /** Writes a file, `name` relative to the directory; returns its path. */
  readonly write: (name: string, text: string) => string
  /** Removes everything; harmless when called again. Synchronous, so that it can run as the process ends. */
  readonly close: () => void
}

/**
 * Makes one under the system's directory for temporary files; nobody else can look into it (mkdtemp(3): mode 0700). First
 * removes those of runs that were killed.
 */
export function openPrivateDirectory (): PrivateDirectory {
  // Before there is a choice of places: what was left there may be what fills them.
  for (const parent of [tmpdir(), ...memoryFolders()]) sweepAbandoned(parent)
  const path = makeDirectory(tmpdir())
  const inMemory = memoryFolder()
  // The socket stays where a user's logging out removes nothing: logind.conf(5), RemoveIPC. State logs are written anew.
  const statePlace = inMemory === undefined ? path : makeDirectory(inMemory)
  return {
    path,
    socketPath: join(path, 'proxy.sock'),
    statePath: join(statePlace, 'proxy.state'),
    write: (name, text) => {
      const file = join(path, name)
      mkdirSync(dirname(file), { recursive: true })
      writeFileSync(file, text)
      return file
    },
    close: () => { for (const directory of new Set([path, statePlace])) rmSync(directory, { recursive: true, force: true }) }
  }
}

function makeDirectory (parent: string): string {
  const path = mkdtempSync(join(parent, PREFIX))
  writeFileSync(join(path, OWNER_FILE), JSON.stringify(currentOwner()), { mode: 0o600 })
  return path
}
