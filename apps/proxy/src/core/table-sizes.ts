// How full every table of the core is. Whatever grows with what clients or control do is here.
import type { CoreState } from './datagrams/core-state.js'

export const coreTables = ['sessions', 'default_sessions', 'tokens', 'targets', 'flows', 'endpoints', 'held_datagrams'] as const
export type CoreTable = typeof coreTables[number]

export interface TableSize {
  readonly entries: number
  /** The bound. */
  readonly capacity: number
}

export function tableSizes ({ sessions, admission, tokens, targets, flows, asking: { waiting: { held } }, options: { limits } }: CoreState): Readonly<Record<CoreTable, TableSize>> {
  return {
    sessions: { entries: sessions.size, capacity: limits.maxSessions },
    default_sessions: { entries: admission.defaultSessions, capacity: limits.maxSessions },
    tokens: { entries: tokens.size, capacity: limits.maxTokens },
    targets: { entries: targets.size, capacity: limits.maxTargets },
    // Lingering ones included.
    flows: { entries: flows.size, capacity: flows.capacity },
    endpoints: { entries: flows.endpoints, capacity: flows.maxEndpoints },
    // None where no store is shared.
    held_datagrams: { entries: held.size, capacity: held.capacity }
  }
}
