// Options of a core of a test's own: what an empty configuration says.
import { fillDefaults } from '#config/load/fill-defaults.js'
import { ConfigSchema, type Config } from '#config/schema.js'
import { coreOptions } from '../apps/proxy/src/shards/body/core-options.js'
import type { CoreOptions } from '../apps/proxy/src/core/datagrams/options.js'

/** Options of which only what differs is named. */
export type CoreChanges = Partial<Omit<CoreOptions, 'limits'>> & { readonly limits?: Partial<CoreOptions['limits']> }

const defaults = coreOptions({ config: fillDefaults(ConfigSchema, {}) as Config, shard: 0, shards: 1, claims: undefined, ownAddresses: [] }, () => 0.5)

/** Complete options. Nothing of them is chance or this machine's: every draw is 0.5, and no address is known as our own. */
export function changedCoreOptions ({ limits, ...changes }: CoreChanges = {}): CoreOptions {
  return { ...defaults, ...changes, limits: { ...defaults.limits, ...limits } }
}
