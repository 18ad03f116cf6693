// From the configuration file's words to the core's.
import { networkInterfaces } from 'node:os'
import { ownSources } from '#config/own-listeners.js'
import { portRange } from '#config/port-range.js'
import type { Config } from '#config/schema.js'
import { inMs } from '#core/durations.js'
import { magicFromHex } from '#wire/control-packet.js'
import type { CoreOptions } from '../../core/datagrams/options.js'
import { sessionIdPrefix } from '../calls/session-id.js'

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
      maxUpstreamSockets: Math.ceil(limits.maxUpstreamSockets / shards)
    },
    blockedSourcePorts: config.blockedSourcePorts.map(text => portRange(String(text)) ?? notChecked('blockedSourcePorts')),
    clients: config.clients.allow === undefined && config.clients.deny.length === 0 ? undefined : config.clients,
    ownAddresses: ownSources(config, networkInterfaces()),
    sessionIdPrefix: sessionIdPrefix(shard),
    random
  }
}

function notChecked (key: string): never {
  throw new Error(`${key} was not checked`)
}
