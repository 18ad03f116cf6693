// What the main thread and a shard's worker say to each other.
import type { ShardCall } from '../calls/shard.js'
import type { ShardEvent } from '../journal/shard-voice.js'

export type ToWorker = 'close' | {
  readonly id: number
  readonly name: ShardCall
  readonly args: readonly unknown[]
}

export interface LogEntry {
  readonly level: 'trace' | 'debug' | 'info' | 'warn'
  readonly fields: object
  readonly message: string
}

export type FromWorker =
  | { readonly type: 'ready', readonly wakeFd: number }
  | { readonly type: 'answer', readonly id: number, readonly answer: unknown }
  | { readonly type: 'said', readonly events: readonly ShardEvent[], readonly lines: readonly LogEntry[] }
