// A shard and its state log: what it takes over from the process before it, and what it leaves to the next one.
import type { Clock } from '#core/clock.js'
import type { LogHeader } from '../../state/format/log-format.js'
import { restoreSessions, restoreTokens, type SavedShards } from '../../state/restore.js'
import type { SavedTokens } from '../../state/saved-tokens.js'
import { StateLog } from '../../state/state-log.js'
import type { StateStatus } from '../../state/state-health.js'
import type { WriterEnd } from '../../state/files/state-writer.js'
import type { StateStorage } from '../../state/files/state-storage.js'
import type { ShardCore } from './shard-core.js'
import type { SavedSoFar } from '../calls/shard.js'
import type { ShardVoice } from '../journal/shard-voice.js'

/** What a shard is given of the state at its start: plain data, for it may go to another thread. */
export interface ShardStateStart {
  /** What the names of the logs begin with. */
  readonly path: string
  readonly header: Omit<LogHeader, 'dataPorts'>
  readonly saved: SavedShards
  /** Logs before this generation were not read. */
  readonly unreadBefore?: number
  readonly tokens: SavedTokens
  /** Who writes the log, if it is not the shard itself. */
  readonly writer?: WriterEnd | undefined
}

const healthSentences = {
  written: 'State is written again',
  late: 'State is written late, a restart would lose what is new',
  failed: 'State cannot be written, a restart would lose sessions'
} as const satisfies Record<StateStatus, string>

export interface ShardStateDeps extends Pick<ShardCore, 'core'> {
  readonly clock: Clock
  readonly voice: ShardVoice
}

/** Takes over what the process before this one had; before the first datagram is read. Returns how many sessions that were. */
export function restoreShard ({ header, saved, tokens }: Omit<ShardStateStart, 'path'>, { core, clock, voice }: ShardStateDeps): number {
  const { shard, shards } = header
  const report = restoreSessions(core.state, saved, { shard, shards, clock })
  const restored = restoreTokens(core.state, tokens, clock.now())
  if (saved.shards.size > 0) voice.log('info', { shard, ...report, tokens: restored }, 'State restored')
  return report.sessions
}

/** Starts the log; from now on a restart finds what this shard has. */
export function openStateLog ({ path, header, unreadBefore }: ShardStateStart, dataPorts: LogHeader['dataPorts'], deps: ShardStateDeps, storage: StateStorage): StateLog {
  const { core, clock, voice } = deps
  const log = new StateLog({
    storage,
    state: core.state,
    clock,
    unreadBefore,
    header: { ...header, dataPorts: dataPorts.map(({ name, port }) => ({ name, port })) },
    onHealth: ({ status, error }) => {
      if (status === 'written') voice.log('info', { path, shard: header.shard }, healthSentences[status])
      else voice.log('warn', { path, shard: header.shard, ...error === undefined ? {} : { err: error } }, healthSentences[status])
    }
  })
  log.open()
  return log
}

/** Goes on writing, and says how that stands. */
export function saveState (log: StateLog | undefined): SavedSoFar {
  log?.tick()
  return { isComplete: log?.isComplete ?? false, status: log?.health ?? 'off' }
}
