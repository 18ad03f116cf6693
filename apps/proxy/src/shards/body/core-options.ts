// From the configuration file's words to the core's.
import { portRange } from '#config/port-range.js'
import { inMs } from '#core/durations.js'
import { magicFromHex } from '#wire/control-packet.js'
import type { CoreOptions } from '../../core/datagrams/options.js'
import { sessionIdPrefix } from '../calls/session-id.js'
import type { ShardStart } from './shard-start.js'

// What was asked in one life is not answered in the next: ids begin anywhere. Far below what a double counts exactly.
const LIVES = 2 ** 40

/**
 * The options of a shard's core. Clients are spread evenly over shards, and so are the bounds on what belongs to clients.
 * @param random uniform in [0, 1)
 */
export function coreOptions ({ config, shard, shards, claims, ownAddresses }: Pick<ShardStart, 'config' | 'shard' | 'shards' | 'claims' | 'ownAddresses'>, random: () => number): CoreOptions {
  const magic = magicFromHex(config.controlPacketMagicBytes)
  if (!magic.ok) notChecked('controlPacketMagicBytes')
  const limits = inMs(config.limits)
  return {
    ...inMs(config),
    dataPorts: config.dataPorts.length,
    magic: magic.value,
    defaultChoice: config.loadBalancing.type,
    limits: {
      ...limits,
      maxSessions: Math.ceil(limits.maxSessions / shards),
      maxSessionsPerPrefix: Math.ceil(limits.maxSessionsPerPrefix / shards),
      newSessionsPerSecond: limits.newSessionsPerSecond / shards,
      asksPerSecond: limits.asksPerSecond / shards,
      asksPerPrefix: limits.asksPerPrefix / shards,
      maxUpstreamSockets: Math.ceil(limits.maxUpstreamSockets / shards)
    },
    blockedSourcePorts: config.blockedSourcePorts.map(text => portRange(String(text)) ?? notChecked('blockedSourcePorts')),
    clients: config.clients.allow === undefined && config.clients.deny.length === 0 ? undefined : config.clients,
    ownAddresses,
    sharing: config.sharedState && { follow: config.sharedState.follow, firstAskId: shard + shards * Math.floor(random() * LIVES), askIdStep: shards },
    claims,
    sessionIdPrefix: sessionIdPrefix(shard),
    random
  }
}

function notChecked (key: string): never {
  throw new Error(`${key} was not checked`)
}
