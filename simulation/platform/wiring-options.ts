// What wireControl is given beside its platform: the configuration, metrics that count nothing, and a log that listens for
// the one thing that nothing else tells.
import type { BaseLogger } from 'pino'
import type { Config } from '#config/schema.js'
import { MAX_LINK_CALLS } from '../../apps/control/src/proxies/call-bounds.js'
import type { WiringMetrics, WiringOptions } from '../../apps/control/src/wiring.js'
import type { Watch } from '../checks/invariants.js'
import type { Plant } from '../checks/plants.js'
import type { Surroundings } from './surroundings.js'

const nothing = (): undefined => undefined

const uncounted: WiringMetrics = {
  linkSynchronised: nothing,
  batchPushed: nothing,
  requestRefused: nothing,
  tokenIssued: nothing,
  tokenRevoked: nothing,
  replicas: { targetRefused: nothing, redeemedElsewhere: nothing, storeCalled: nothing, newerRecord: nothing },
  inventory: { listed: nothing, relisting: nothing, watchEnded: nothing, corrupted: nothing, eventTaken: nothing }
}

/** @param linkSynchronised called when control and proxy have come into step */
export function wiringOptions ({ profile: { config }, plant, watch }: Surroundings, linkSynchronised: () => void): WiringOptions {
  return { config: plantedConfig(config, plant), metrics: { ...uncounted, linkSynchronised }, log: attentive(watch) }
}

// The link says in a line why it breaks, and nowhere else.
function attentive (watch: Watch): BaseLogger {
  const hear = (fields: { readonly code?: string }): void => {
    if (fields.code === 'BUSY') watch.hold('boundsHold', { of: 'calls of the link at once', size: MAX_LINK_CALLS + 1, most: MAX_LINK_CALLS })
  }
  return { level: 'silent', msgPrefix: undefined, fatal: nothing, error: nothing, warn: hear, info: nothing, debug: hear, trace: nothing, silent: nothing }
}

function plantedConfig (config: Config, plant: Plant | undefined): Config {
  const { limits, defaultEndpoint, drainTimeoutSeconds } = config
  if (plant === 'tokensOverBound') return { ...config, limits: { ...limits, maxTokens: limits.maxTokens * 2 } }
  if (plant === 'storeBelieved') return { ...config, allowedTargets: ['0.0.0.0/0', '::/0'] }
  if (plant === 'drainsTooLong') return { ...config, drainTimeoutSeconds: drainTimeoutSeconds * 2 + 10 }
  if (plant === 'defaultElsewhere' && defaultEndpoint !== undefined) return { ...config, defaultEndpoint: { ...defaultEndpoint, labelSelector: { pool: 'match' } } }
  return config
}
