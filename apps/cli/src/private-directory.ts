// A directory of our own for what one run needs on disk: the Unix socket, and for the demo its files.
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'

export interface PrivateDirectory {
  readonly path: string
  /** Where the Unix socket between control and proxy goes. */
  readonly socketPath: string
  /** Writes a file, `name` relative to the directory; returns its path. */
  readonly write: (name: string, text: string) => string
  /** Removes everything; harmless when called again. Synchronous, so that it can run as the process ends. */
  readonly close: () => void
}

/** Makes one under the system's directory for temporary files; nobody else can look into it (mkdtemp(3): mode 0700). */
export function openPrivateDirectory (): PrivateDirectory {
  const path = mkdtempSync(join(tmpdir(), 'udp-director-'))
  return {
    path,
    socketPath: join(path, 'proxy.sock'),
    write: (name, text) => {
      const file = join(path, name)
      mkdirSync(dirname(file), { recursive: true })
      writeFileSync(file, text)
      return file
    },
    close: () => { rmSync(path, { recursive: true, force: true }) }
  }
}
