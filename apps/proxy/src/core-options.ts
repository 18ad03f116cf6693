// From the configuration file's words to the core's.
import type { Config } from '#config/schema.js'
import { seconds } from '#core/durations.js'
import { magicFromHex } from '#wire/control-packet.js'
import type { CoreOptions } from './core/options.js'

/** @param random uniform in [0, 1) */
export function coreOptions (config: Config, random: () => number): CoreOptions {
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
    limits: { ...limits, upstreamLingerMs: seconds(limits.upstreamLingerSeconds) },
    random
  }
}
