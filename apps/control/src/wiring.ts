// How the parts of the control process hang together. Makes them all and starts none but the default endpoint's follower.
import { networkInterfaces } from 'node:os'
import type { BaseLogger } from 'pino'
import type { Clock } from '#core/clock.js'
import type { Config } from '#config/schema.js'
import { seconds } from '#core/durations.js'
import { createRpcClient, type RpcClient } from '#rpc/client.js'
import { Tables } from '#telemetry/tables.js'
import type { Authenticators } from './http/auth/open-authenticators.js'
import type { EventsHub } from './events/events-hub.js'
import { followDefaultEndpoint, type DefaultEndpoint } from './targets/watch/default-endpoint.js'
import type { Lifecycle } from './http/routes/refuse-tokens.js'
import { Drain } from './proxies/drain.js'
import type { Inventory } from './inventory/objects/inventory.js'
import { providers } from './inventory/providers.js'
import { CALL_DEADLINE_MS, MAX_LINK_CALLS, MAX_OPERATOR_CALLS } from './proxies/call-bounds.js'
import { ProxyPeer } from './proxies/proxy-peer.js'
import type { ControlMetrics } from './metrics.js'
import { createBalancer } from './query/balancer.js'
import { Chooser } from './query/chooser.js'
import { followHostNames } from './names/follow-host-names.js'
import type { NameResolver } from './names/host-names.js'
import { ownListeners } from '#config/own-listeners.js'
import { createSelector, type Selector } from './query/selector.js'
import { createTargetPolicy, type TargetPolicy } from './targets/target-policy.js'
import { TargetWatch } from './targets/watch/target-watch.js'
import { compileTouchedObjects } from './targets/watch/touched-objects.js'
import { TargetLoad } from './proxies/target-load.js'
import { TokenIssuer } from './tokens/token-issuer.js'
import { TokenRegistry } from './tokens/token-registry.js'

/** Everything there is. Listeners, their guards and routes say for themselves what they take of it. */
export interface Features {
  readonly config: Config
  readonly clock: Clock
  readonly log: BaseLogger
  readonly events: EventsHub
  readonly inventory: Inventory
  readonly selector: Selector
  readonly chooser: Chooser
  readonly policy: TargetPolicy
  readonly registry: TokenRegistry
  readonly load: TargetLoad
  readonly link: ProxyPeer
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

export interface Surroundings {
  readonly config: Config
  readonly inventory: Inventory
  readonly metrics: ControlMetrics
  readonly resolver: NameResolver
  /** Made before the inventory, which publishes to it, too. */
  readonly events: EventsHub
  /** Their opener's to close. */
  readonly authenticators: Authenticators
  /** The proxy's Unix socket. */
  readonly socketPath: string
  readonly clock: Clock
  /** Uniform in [0, 1). */
  readonly random: () => number
  readonly log: BaseLogger
}

export interface Wiring {
  readonly features: Features
  /** Ends the link and every timer; the inventory is its opener's to close. */
  readonly close: () => Promise<void>
}

/** Wires everything up over an open inventory. */
export function wireControl (surroundings: Surroundings): Wiring {
  const { config, events, metrics, authenticators, socketPath, clock, random, log } = surroundings
  const tables = new Tables()
  const hostNames = followHostNames(surroundings)
  const { inventory, names } = hostNames
  const registry = new TokenRegistry(clock, config.limits.maxTokens)
  tables.add('tokens', config.limits.maxTokens, () => registry.size)
  const linkClient = createRpcClient({ socketPath, clock, deadlineMs: CALL_DEADLINE_MS, maxInFlight: MAX_LINK_CALLS })
  const proxy = createRpcClient({ socketPath, clock, deadlineMs: CALL_DEADLINE_MS, maxInFlight: MAX_OPERATOR_CALLS })
  const link: ProxyPeer = new ProxyPeer({
    client: linkClient,
    clock,
    random,
    log,
    registry,
    events,
    limits: config.limits,
    onSynchronised: () => {
      metrics.linkSynchronised()
      targetWatch.synchronised()
    },
    onCounts: keys => { targetWatch.counted(keys) },
    onBatch: metrics.batchPushed
  })
  const load = new TargetLoad([link.counts], registry)
  tables.add('push_queue', config.limits.maxPushQueue, () => link.waitingPushes)
  const policy = createTargetPolicy({ allowedTargets: config.allowedTargets, ...ownListeners(config, networkInterfaces()) })
  const provider = providers[config.inventory.provider]
  const selector = createSelector({ config, inventory, opensNamespaces: provider.opensNamespaces, policy, names })
  const balancer = createBalancer(config.loadBalancing, { loadOf: key => load.of(key), random })
  const chooser = new Chooser({ config, clock, selector, balancer, tables, onRefused: () => { metrics.requestRefused('public', 'work') } })
  const issuer = new TokenIssuer({ clock, events, registry, sink: link, metrics, expect: target => { targetWatch.expect(target) }, maxTokensPerCaller: config.limits.maxTokensPerCaller })
  const targetWatch: TargetWatch = new TargetWatch({
    inventory,
    touched: compileTouchedObjects(config.resourceQueryMapping),
    holds: provider.holds(config),
    selector,
    names,
    registry,
    load,
    clock,
    ready: async () => {
      // Sessions may have to move to the default endpoint as it is after the same change.
      if (config.onTargetGone !== 'default') return
      await defaultEndpoint.upToDate()
      await link.defaultTargetsTold()
    },
    withdraw: tokens => { issuer.withdraw(tokens) },
    leave: async gone => await link.leaveTargets(gone)
  })
  const defaultEndpoint: DefaultEndpoint = followDefaultEndpoint({
    config,
    inventory,
    selector,
    balancer,
    clock,
    log,
    setTargets: targets => {
      for (const target of targets) targetWatch.expect(target)
      link.setDefaultTargets(targets)
    }
  })
  const drain = new Drain({ clock, link, events, known: () => ({ sessions: load.total, unredeemedTokens: registry.unredeemedTokens }), timeoutMs: seconds(config.drainTimeoutSeconds) })
  return {
    features: { config, clock, log, events, inventory, selector, chooser, policy, registry, load, link, proxy, issuer, defaultEndpoint, metrics, drain, authenticators, tables, lifecycle: { isStopping: false } },
    close: async () => {
      defaultEndpoint.close()
      targetWatch.close()
      hostNames.close()
      registry.close()
      await Promise.all([link.close(), linkClient.close(), proxy.close()])
    }
  }
}
