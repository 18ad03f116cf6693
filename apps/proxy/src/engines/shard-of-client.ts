// Which shard the kernel gives a client to, computed: the arithmetic of client-affinity.ts's program. It is needed where
// sessions are dealt out without a datagram, after a restart with another number of workers.
import { isIPv4Words } from '#wire/address.js'

/** Fibonacci hashing's odd constant (Knuth, TAOCP 6.4): spreads consecutive ports over the upper bits. */
export const AFFINITY_SPREAD = 0x9e37_79b1

/** The number of the shard, from 0, that the client address `words[0..3]` and `port` belongs to. */
export function shardOfClient (words: ArrayLike<number>, port: number, shards: number): number {
  if (shards === 1) return 0
  const first = isIPv4Words(words) ? 3 : 0
  let hash = 0
  for (let word = first; word < 4; word++) hash = Math.imul(hash ^ words[word]!, AFFINITY_SPREAD)
  hash = Math.imul(hash ^ port, AFFINITY_SPREAD)
  return (hash >>> 16) % shards
}
