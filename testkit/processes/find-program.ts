// Programs of the system that tests and checks start, where they are installed.
import { accessSync, constants } from 'node:fs'
import { delimiter, join } from 'node:path'

// Debian keeps daemons and games out of the search path of some users.
const extraFolders = ['/usr/sbin', '/usr/games']

/** The absolute path of `program`, or undefined if it is not installed. */
export function findOnPath (program: string): string | undefined {
  const folders = [...(process.env['PATH'] ?? '').split(delimiter), ...extraFolders]
  return folders.map(folder => join(folder, program)).find(isExecutable)
}

/** Whether there is a file at `path` that this process may run. */
export function isExecutable (path: string): boolean {
  try {
    accessSync(path, constants.X_OK)
    return true
  } catch {
    return false // not there, or not ours to run
  }
}
