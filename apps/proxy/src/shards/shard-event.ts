import type { RpcEvent } from '#rpc/contract.js'

/** An event that shards make. Counts they are asked for; the others are the stream's own. */
export type ShardEvent = Extract<RpcEvent, { type: 'redeemed' | 'session' | 'target' }>
