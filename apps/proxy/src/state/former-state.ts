// The state logs that this proxy finds when it starts: read, reported, and removed once it has written its own.
import type { ShardVoice } from '../shards/shard.js'
import { loadSavedState, type SavedState } from './saved-state.js'
import { openStateDirectory } from './state-directory.js'

export interface FormerState {
  /** What the names of the logs begin with. */
  readonly path: string
  readonly saved: SavedState
  /** Logs that cannot be believed. */
  readonly faults: number
  /**
   * Removes what was read, or sets it aside: call it when every shard has a log of its own. Not before: a proxy that cannot
   * have its data ports has no business with the files of the one that has them.
   */
  readonly remove: () => void
}

/**
 * Reads what is there; logs that cannot be believed are set aside, with a warning each, and never keep the proxy from
 * starting. Undefined if the directory cannot be used: then nothing is kept for a restart either.
 */
export function readFormerState (path: string, dataPortNames: readonly string[], { log }: Pick<ShardVoice, 'log'>): FormerState | undefined {
  const storage = openStateDirectory(path)
  try {
    const saved = loadSavedState(storage, dataPortNames)
    for (const { name, reason } of saved.faulty) log('warn', { file: `${path}.${name}`, reason }, 'State log set aside, what it held is lost')
    for (const name of saved.torn) log('warn', { file: `${path}.${name}` }, 'State log ends within a batch, the batches before it count')
    return {
      path,
      saved,
      faults: saved.faulty.length,
      remove: () => {
        const faulty = new Set(saved.faulty.map(({ name }) => name))
        try {
          for (const name of faulty) storage.setAside(name)
        } catch (error) {
          log('warn', { err: error, path }, 'State log cannot be set aside')
        }
        for (const name of saved.names) if (!faulty.has(name)) storage.remove(name)
      }
    }
  } catch (error) {
    log('warn', { err: error, path }, 'State cannot be kept, a restart would lose sessions')
    return undefined
  }
}
