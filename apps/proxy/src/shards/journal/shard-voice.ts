// What a shard says of itself, unasked.
import type { RpcEvent } from '#rpc/contract.js'

/** An event that shards make. Counts they are asked for; the others are the stream's own. */
export type ShardEvent = Extract<RpcEvent, { type: 'asked' | 'redeemed' | 'binding' | 'session' | 'target' }>

/** Log lines are constant sentences with their variables beside them, as everywhere. */
export interface ShardVoice {
  readonly log: (level: 'trace' | 'debug' | 'info' | 'warn', fields: object, message: string) => void
  readonly publish: (event: ShardEvent) => void
}
