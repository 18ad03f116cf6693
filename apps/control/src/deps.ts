// Everything the routes need, handed in whole: the apps make nothing themselves.
import type { BaseLogger } from 'pino'
import type { Clock } from '#core/clock.js'
import type { Config } from '#config/schema.js'
import type { RpcClient } from '#rpc/client.js'
import type { Authenticators } from './http/auth/open-authenticators.js'
import type { Drain } from './proxies/drain.js'
import type { DefaultEndpoint } from './targets/watch/default-endpoint.js'
import type { EventSink } from './events/event-sink.js'
import type { Inventory } from './inventory/objects/inventory.js'
import type { Link } from './proxies/link.js'
import type { ControlMetrics } from './metrics.js'
import type { Balancer } from './query/balancer.js'
import type { Selector } from './query/selector.js'
import type { TargetPolicy } from './targets/target-policy.js'
import type { Tables } from './tables.js'
import type { TargetLoad } from './proxies/target-load.js'
import type { TokenIssuer } from './tokens/token-issuer.js'
import type { TokenRegistry } from './tokens/token-registry.js'

/** Set once, when the process closes; a drain comes before that. */
export interface Lifecycle {
  isStopping: boolean
}

export interface ControlDeps {
  readonly config: Config
  readonly clock: Clock
  readonly log: BaseLogger
  readonly events: EventSink
  readonly inventory: Inventory
  readonly selector: Selector
  readonly balancer: Balancer
  readonly policy: TargetPolicy
  readonly registry: TokenRegistry
  readonly load: TargetLoad
  readonly link: Link
  /** For what operators ask; the link has a client of its own, which they cannot exhaust. */
  readonly proxy: RpcClient
  readonly issuer: TokenIssuer
  readonly defaultEndpoint: DefaultEndpoint
  readonly metrics: ControlMetrics
  readonly authenticators: Authenticators
  readonly tables: Tables
  readonly drain: Drain
  readonly lifecycle: Lifecycle
}
