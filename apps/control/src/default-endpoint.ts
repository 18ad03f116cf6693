// Keeps the proxy's candidates for the default endpoint in step with the inventory.
import type { BaseLogger } from 'pino'
import type { Config } from '#config/schema.js'
import type { Target } from '#rpc/contract.js'
import type { Inventory } from './inventory/inventory.js'
import type { Balancer } from './query/balancer.js'
import type { Selector } from './query/selector.js'

export interface DefaultEndpointOptions {
  readonly config: Config
  readonly inventory: Inventory
  readonly selector: Selector
  readonly balancer: Balancer
  readonly log: BaseLogger
  readonly setTargets: (targets: readonly Target[]) => void
}

export interface DefaultEndpoint {
  /** Candidates at this moment. */
  readonly count: () => number
  readonly close: () => void
}

/** Evaluates the default endpoint now and whenever the inventory changes. */
export function followDefaultEndpoint (options: DefaultEndpointOptions): DefaultEndpoint {
  const { config, inventory, log, setTargets } = options
  const selection = config.defaultEndpoint
  if (selection === undefined) return { count: () => 0, close: () => undefined }
  let count = 0
  let wasEmpty: boolean | undefined

  const evaluate = (): void => {
    const found = options.selector.select(selection)
    const targets = found.ok ? options.balancer.ordered(found.value).map(({ target }) => target) : []
    count = targets.length
    if (wasEmpty !== (count === 0)) {
      wasEmpty = count === 0
      if (wasEmpty) log.warn({ code: found.ok ? 'NO_MATCHING_RESOURCE' : found.error.code }, 'Default endpoint is empty')
      else log.info({ targets: count, first: targets[0]?.key }, 'Default endpoint has targets')
    }
    setTargets(targets)
  }

  const stop = inventory.onChange(evaluate)
  evaluate()
  return { count: () => count, close: stop }
}
