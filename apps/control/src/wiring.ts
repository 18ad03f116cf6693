// How the parts of the control process hang together. Makes them all and starts none but the default endpoint's follower.
import type { BaseLogger } from 'pino'
import type { Clock } from '#core/clock.js'
import type { Config } from '#config/schema.js'
import { seconds } from '#core/durations.js'
import { ok, type Result } from '#core/result.js'
import { rpcClientOver, type RpcClient } from '#rpc/client.js'
import { Tables } from '#telemetry/tables.js'
import { logEvents } from './events/event-log.js'
import { EventsHub } from './events/events-hub.js'
import { followDefaultEndpoint, type DefaultEndpoint } from './targets/watch/default-endpoint.js'
import { Drain } from './proxies/drain.js'
import type { Advertised } from './advertise/advertised.js'
import type { Inventory } from './inventory/objects/inventory.js'
import { providers } from './inventory/providers.js'
import { CALL_DEADLINE_MS, MAX_LINK_CALLS, MAX_OPERATOR_CALLS } from './proxies/call-bounds.js'
import { ProxyPeer } from './proxies/proxy-peer.js'
import type { ControlMetrics } from './metrics.js'
import { createBalancer } from './query/balancer.js'
import { Chooser } from './query/chooser.js'
import { followHostNames } from './names/follow-host-names.js'
import { ownListeners } from '#config/own-listeners.js'
import { createSelector, type Selector } from './query/selector.js'
import { createTargetPolicy, type TargetPolicy } from './targets/target-policy.js'
import { TargetWatch } from './targets/watch/target-watch.js'
import { compileTouchedObjects } from './targets/watch/touched-objects.js'
import { TargetLoad } from './proxies/target-load.js'
import { Replicas, type ReplicasOptions } from './replicas/replicas.js'
import { holdStore, type HeldStore } from './replicas/store-holder.js'
import type { ControlPlatform } from './platform.js'
import type { Lifecycle } from './tokens/token-gate.js'
import { TokenIssuer, type TokenMetrics } from './tokens/token-issuer.js'
import { TokenKeys } from './tokens/token-keys.js'
import { TokenRegistry } from './tokens/token-registry.js'

/** Everything there is, but for HTTP. Listeners, their guards and routes say for themselves what they take of it. */
export interface Features {
  readonly config: Config
  readonly clock: Clock
  readonly log: BaseLogger
  readonly events: EventsHub
  readonly inventory: Inventory
  readonly advertised: Advertised
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
  readonly tables: Tables
  readonly drain: Drain
  /** The directors that this one shares a store with; undefined without `sharedState`. */
  readonly replicas: Replicas | undefined
  readonly lifecycle: Lifecycle
}

export interface WiringOptions {
  readonly config: Config
  readonly metrics: WiringMetrics
  readonly log: BaseLogger
}

/** What is counted outside of HTTP. */
export type WiringMetrics = TokenMetrics & { readonly replicas: ReplicasOptions['metrics'] } & Pick<ControlMetrics, 'inventory' | 'linkSynchronised' | 'batchPushed' | 'requestRefused'>

export interface Wiring {
  readonly features: Features
  /** Ends the link and every timer, and lets go of the inventory. */
  readonly close: () => Promise<void>
}

/** Opens the inventory and wires everything up over it. Fails, with nothing left open, with a sentence for the operator. */
export async function wireControl (platform: ControlPlatform, options: WiringOptions): Promise<Result<Wiring, string>> {
  const { clock, random } = platform
  const { config, metrics, log } = options
  const events = new EventsHub(clock)
  logEvents(events, log)
  const inventory = await platform.openInventory({ config, clock, random, log, events, metrics: metrics.inventory })
  if (!inventory.ok) return inventory
  const advertised = await platform.openAdvertised({ config, clock, random, log })
  if (!advertised.ok) {
    await inventory.value.close()
    return advertised
  }
  const shared = await openShared(platform, options)
  if (!shared.ok) {
    await Promise.all([inventory.value.close(), advertised.value.close()])
    return shared
  }
  const wiring = wireOver(inventory.value, advertised.value, shared.value, events, platform, options)
  const started = await wiring.features.replicas?.start()
  if (started?.ok !== false) return ok(wiring)
  await wiring.close()
  return started
}

/** The store of `sharedState`, not connected yet, and the name of this replica. */
interface Shared extends HeldStore, Pick<ReplicasOptions, 'replica' | 'sharedState'> {}

async function openShared ({ clock, random, openStore, replicaName }: ControlPlatform, { config: { sharedState, limits }, log }: WiringOptions): Promise<Result<Shared | undefined, string>> {
  if (sharedState === undefined) return ok(undefined)
  const replica = replicaName()
  const held = await holdStore(openStore, { sharedState, replica, deadlineMs: limits.storeDeadlineMs, clock, random, log })
  return held.ok ? ok({ ...held.value, replica, sharedState }) : held
}

function wireOver (held: Inventory, advertised: Advertised, shared: Shared | undefined, events: EventsHub, { clock, soon, random, makeToken, makeTokenKey, openResolver, openTransport, networkInterfaces, version }: ControlPlatform, { config, metrics, log }: WiringOptions): Wiring {
  const tables = new Tables()
  const hostNames = followHostNames({ config, inventory: held, resolver: openResolver(), clock, random, log })
  const { inventory, names } = hostNames
  const registry = new TokenRegistry(clock, config.limits.maxTokens)
  tables.add('tokens', config.limits.maxTokens, () => registry.size)
  const openClient = (maxInFlight: number): RpcClient => rpcClientOver(openTransport(maxInFlight), { clock, deadlineMs: CALL_DEADLINE_MS, maxInFlight })
  const linkClient = openClient(MAX_LINK_CALLS)
  const proxy = openClient(MAX_OPERATOR_CALLS)
  const keys = new TokenKeys(makeTokenKey(), () => { link.replicas.keysChanged() }, shared !== undefined)
  const link: ProxyPeer = new ProxyPeer({
    client: linkClient,
    clock,
    random,
    log,
    registry,
    events,
    limits: config.limits,
    tokenKeys: () => keys.told,
    ...shared === undefined ? {} : { onReplicaEvent: event => { replicas?.hear(event) } },
    onSynchronised: () => {
      metrics.linkSynchronised()
      targetWatch.synchronised()
      replicas?.proxyUp()
    },
    onCounts: keys => { targetWatch.counted(keys) },
    onBatch: metrics.batchPushed
  })
  tables.add('push_queue', config.limits.maxPushQueue, () => link.waitingPushes)
  const policy = createTargetPolicy({ allowedTargets: config.allowedTargets, ...ownListeners(config, networkInterfaces()) })
  const replicas: Replicas | undefined = shared === undefined
    ? undefined
    : new Replicas({
      ...shared,
      held: shared,
      config,
      clock,
      random,
      log,
      events,
      metrics: metrics.replicas,
      registry,
      keys,
      makeTokenKey,
      policy,
      link,
      proxy: link.replicas,
      counts: link.counts,
      version,
      judge: target => {
        const refusal = policy.check(target)
        if (refusal !== undefined) {
          events.publish('store', () => ({ change: 'target_refused', reason: refusal.reason, address: target.address }))
          return 'refused'
        }
        return targetWatch.isGone(target) ? 'gone' : 'there'
      },
      staysOnGone: () => config.onTargetGone === 'keep' || (config.onTargetGone === 'default' && defaultEndpoint.count() === 0)
    })
  const load = new TargetLoad([link.counts], registry, replicas?.load)
  const provider = providers[config.inventory.provider]
  const selector = createSelector({ config, inventory, opensNamespaces: provider.opensNamespaces, policy, names })
  const balancer = createBalancer(config.loadBalancing, { loadOf: key => load.of(key), random })
  const chooser = new Chooser({ config, clock, soon, selector, balancer, tables, onRefused: () => { metrics.requestRefused('public', 'work') } })
  const issuer = new TokenIssuer({ clock, events, registry, sink: replicas?.sink ?? link, metrics, makeToken: () => makeToken(keys.marking), expect: target => { targetWatch.expect(target) }, maxTokensPerCaller: config.limits.maxTokensPerCaller })
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
    features: { config, clock, log, events, inventory, advertised, selector, chooser, policy, registry, load, link, proxy, issuer, defaultEndpoint, drain, replicas, tables, lifecycle: { isStopping: false } },
    close: async () => {
      defaultEndpoint.close()
      targetWatch.close()
      hostNames.close()
      registry.close()
      await Promise.all([replicas?.close(), link.close(), linkClient.close(), proxy.close(), held.close(), advertised.close()])
    }
  }
}
