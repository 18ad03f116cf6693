// From the configuration file's words to the core's.
import type { Config } from '#config/schema.js'
import { seconds } from '#core/durations.js'
import { magicFromHex } from '#wire/control-packet.js'
import type { CoreOptions } from './core/options.js'
import { sessionIdPrefix } from './shards/session-id.js'

/** Which of how many cores this is. */
export interface Part {
  readonly shard: number
  readonly shards: number
}

/**
 * The options of one core. Clients are spread evenly over shards, and so are the bounds on what belongs to clients.
 * @param random uniform in [0, 1)
 */
export function coreOptions (config: Config, random: () => number, { shard, shards }: Part = { shard: 0, shards: 1 }): CoreOptions {
  const magic = magicFromHex(config.controlPacketMagicBytes)
  if (!magic.ok) throw new Error(`controlPacketMagicBytes was not checked: ${magic.error}`)
  const { limits } = config
  return {
    dataPorts: config.dataPorts.length,
    magic: magic.value,
    sessionTimeoutMs: seconds(config.sessionTimeoutSeconds),
    onInvalidToken: config.onInvalidToken,
    onTargetGone: config.onTargetGone,
    refreshOn: config.refreshOn,
    defaultChoice: config.loadBalancing.type,
    limits: {
      ...limits,
      maxSessions: Math.ceil(limits.maxSessions / shards),
      maxUpstreamSockets: Math.ceil(limits.maxUpstreamSockets / shards),
      upstreamLingerMs: seconds(limits.upstreamLingerSeconds)
    },
    sessionIdPrefix: sessionIdPrefix(shard),
    random
  }
}
