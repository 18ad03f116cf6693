// Removes what killed runs left behind: their state logs hold clients' addresses and tokens.
import { lstatSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { isGone, ownerFrom } from './owner.js'

/** What the names of our directories begin with. */
export const PREFIX = 'udp-director-'

/** Says who a directory belongs to. */
export const OWNER_FILE = 'owner.json'

/** Removes from `parent` the directories of our own user whose owners are known to have ended. Whatever else is there stays. */
export function sweepAbandoned (parent: string): void {
  for (const name of namesIn(parent)) {
    if (!name.startsWith(PREFIX)) continue
    const path = join(parent, name)
    try {
      // Anybody can put a link or a directory there under such a name.
      const status = lstatSync(path)
      if (!status.isDirectory() || status.uid !== process.getuid?.()) continue
      const owner = ownerFrom(readFileSync(join(path, OWNER_FILE), 'utf8'))
      if (owner !== undefined && isGone(owner)) rmSync(path, { recursive: true, force: true })
    } catch {
      // It has no owner's file (an earlier version's, or it is just being made), or another start removes it now.
    }
  }
}

function namesIn (parent: string): readonly string[] {
  try {
    return readdirSync(parent)
  } catch { // may be written and not listed
    return []
  }
}
