// What a shard is given at its start: plain data, for it may go to another thread.
import type { Config } from '#config/schema.js'
import type { ShardStateStart } from './shard-state.js'

export interface ShardStart {
  readonly config: Config
  /** Its number among the shards, from 0. */
  readonly shard: number
  readonly shards: number
  /** Shared by all shards: on which data ports a token was redeemed, by the claim number of its grant. Undefined if there is one shard. */
  readonly claims: Int32Array | undefined
  /** Where datagrams of the director itself may come from. */
  readonly ownAddresses: readonly string[]
  /** Undefined: nothing is kept for a restart. */
  readonly stateStart: ShardStateStart | undefined
  /** Whether every decision about a datagram is told of, as far as a bound goes. */
  readonly isTracing: boolean
}
