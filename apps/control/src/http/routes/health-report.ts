// Whether queries can be answered, and the state of every component. Pure: it only looks.
import type { Static } from '@sinclair/typebox'
import type { Config } from '#config/schema.js'
import type { Advertised } from '../../advertise/advertised.js'
import type { Inventory } from '../../inventory/objects/inventory.js'
import type { Drain } from '../../proxies/drain.js'
import type { ProxyPeer } from '../../proxies/proxy-peer.js'
import type { Replicas } from '../../replicas/replicas.js'
import type { DefaultEndpoint } from '../../targets/watch/default-endpoint.js'
import type { TokenRegistry } from '../../tokens/token-registry.js'
import type { HealthSchema, ReadinessSchema } from '../schemas/health.js'
import type { Lifecycle } from '../../tokens/token-gate.js'

export interface HealthDeps {
  readonly config: Pick<Config, 'defaultEndpoint'>
  readonly inventory: Pick<Inventory, 'status' | 'sizes'>
  readonly advertised: Pick<Advertised, 'told' | 'status'>
  readonly registry: Pick<TokenRegistry, 'size'>
  readonly defaultEndpoint: Pick<DefaultEndpoint, 'count'>
  readonly link: Pick<ProxyPeer, 'status'>
  readonly drain: Pick<Drain, 'status'>
  readonly replicas: Pick<Replicas, 'reading' | 'replica'> | undefined
  readonly lifecycle: Readonly<Lifecycle>
}

type Missing = Static<typeof ReadinessSchema>['missing']
export type Readiness = Static<typeof ReadinessSchema>
export type Health = Static<typeof HealthSchema>

const OPERATORS_ONLY = 'The admin listener says what.'

/** What keeps queries from being answered; nothing if it is empty. */
export function missingFor (deps: HealthDeps, isForOperator: boolean): Missing {
  const missing: Missing = []
  if (deps.lifecycle.isStopping) missing.push({ component: 'process', reason: 'Shutting down.' })
  if (!deps.inventory.status().synced) missing.push({ component: 'inventory', reason: 'Not every source has been read yet.' })
  const link = deps.link.status()
  if (link.state !== 'synchronised') missing.push({ component: 'proxy', reason: link.reason ?? link.state })
  const told = deps.advertised.told()
  if (!told.ok) missing.push({ component: 'advertise', reason: isForOperator ? told.error : OPERATORS_ONLY })
  return missing
}

/**
 * What `/readyz` says. A process that drains is ready whatever is missing: nodes forget the flows of an endpoint that is
 * not, and the sessions that are waited for would be cut off.
 */
export function readinessOf (deps: HealthDeps, isForOperator: boolean): Readiness {
  const missing = missingFor(deps, isForOperator)
  const drain = deps.drain.status()
  if (drain !== undefined && !deps.lifecycle.isStopping) return { status: 'draining', missing, drain }
  return { status: missing.length === 0 ? 'ready' : 'not_ready', missing }
}

/** The state of the components. Only an operator is told what is wrong with the inventory or the address: it may name files and objects. */
export function healthOf (deps: HealthDeps, isForOperator: boolean): Health {
  const { config, inventory, registry, defaultEndpoint } = deps
  const { status, missing, drain } = readinessOf(deps, isForOperator)
  const advertise = advertiseHealth(deps, isForOperator)
  const { synced, ageMs, faults } = inventory.status()
  const targets = defaultEndpoint.count()
  const { stateStatus } = deps.link.status()
  const isStateBehind = stateStatus === 'late' || stateStatus === 'failed'
  const store = storeHealth(deps, isForOperator)
  const isStoreBad = store !== undefined && (store.status !== 'up' || store.reason !== undefined)
  const isDegraded = isStoreBad || faults.length > 0 || advertise?.fault !== undefined || isStateBehind || (config.defaultEndpoint !== undefined && targets === 0)
  return {
    status: status !== 'ready' ? status : isDegraded ? 'degraded' : 'ok',
    missing,
    ...(drain === undefined ? {} : { drain }),
    inventory: {
      status: !synced ? 'loading' : faults.length > 0 ? 'stale' : 'ok',
      ageSeconds: ageMs / 1000,
      objects: Object.fromEntries(inventory.sizes()),
      faults: isForOperator ? [...faults] : faults.map(() => OPERATORS_ONLY)
    },
    proxy: proxyHealth(deps),
    ...(advertise === undefined ? {} : { advertise }),
    ...(store === undefined ? {} : { store }),
    tokens: { live: registry.size },
    defaultEndpoint: { configured: config.defaultEndpoint !== undefined, targets }
  }
}

function advertiseHealth ({ advertised }: HealthDeps, isForOperator: boolean): Health['advertise'] {
  const status = advertised.status()
  if (status === undefined) return undefined
  const { address, fault } = status
  return { ...(address === undefined ? {} : { address }), ...(fault === undefined ? {} : { fault: isForOperator ? fault : OPERATORS_ONLY }) }
}

function proxyHealth ({ link }: HealthDeps): Health['proxy'] {
  const { state, reason, proxy, stateStatus } = link.status()
  return {
    status: state,
    ...(reason === undefined ? {} : { reason }),
    ...(proxy === undefined ? {} : { instanceId: proxy.instanceId, engine: proxy.engine, draining: proxy.draining, state: stateStatus })
  }
}

// Why it is not there, or what it refuses, may name its address.
function storeHealth ({ replicas }: HealthDeps, isForOperator: boolean): Health['store'] {
  if (replicas === undefined) return undefined
  const { status, reason, ageMs } = replicas.reading()
  return {
    status,
    ...(reason === undefined ? {} : { reason: isForOperator ? reason : 'The admin listener says what.' }),
    sinceSeconds: ageMs / 1000,
    replica: replicas.replica
  }
}
