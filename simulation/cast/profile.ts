// What kind of world a seed makes: how bad the network is, how tight the bounds are, what is configured. Every seed
// draws its own, so that rare combinations come up, and tables are small enough to be full.
import { ConfigSchema, type Config } from '#config/schema.js'
import { fillDefaults } from '#config/load/fill-defaults.js'
import { defaultSlice, type SliceSize } from '../../apps/proxy/src/core/tables/slice-size.js'
import { MAX_DATAGRAM_BYTES } from './datagram.js'
import { drawDefault, mappingsFor, NAMESPACE, playersLabels, STATE_PATH } from './objects.js'
import { Random } from '../basics/random.js'
import type { BalancerProfile } from './balancer.js'
import type { StoreProfile } from './world-store.js'

export interface NetworkProfile {
  readonly loss: number
  readonly duplication: number
  readonly leastDelayMs: number
  readonly mostDelayMs: number
}

export interface Profile {
  /** At the start, and again after each that is lost. */
  readonly directors: number
  readonly balancer: BalancerProfile
  /** The store that they share, if they do. */
  readonly store: StoreProfile | undefined
  /** Of each, at the start. */
  readonly shards: number
  /** Share of restarts with another number of shards. */
  readonly reshards: number
  readonly config: Config
  readonly network: NetworkProfile
  /** One way between the processes, in ms. */
  readonly mostCallDelayMs: number
  /** How long a change of an object is on its way to control, in ms. */
  readonly mostInventoryDelayMs: number
  /** Whether objects in files bear what tells an object from a later one of the same name; those of a cluster do. */
  readonly hasUids: boolean
  /** Whether some servers are known by names. */
  readonly hasNames: boolean
  /** Share of calls that are cut off in the middle. */
  readonly cutCalls: number
  /** How long a message to a worker waits, in ms; one shard has no worker. */
  readonly mostShardDelayMs: number
  /** How long a game server may take to answer, in ms. */
  readonly mostAnswerMs: number
  /** Share of datagrams that the system refuses to send. */
  readonly failedSends: number
  readonly clients: number
  /** Game servers at the start. */
  readonly servers: number
  /** Weights of the groups of actions, from 0. */
  readonly unrest: { readonly hostile: number, readonly operators: number, readonly crashes: number, readonly moves: number, readonly replicas: number, readonly store: number }
  /** How often the proxy looks for what is over, in ms; the product looks every 30 s. */
  readonly sweepPeriodMs: number
  /** How much a shard does before it looks at datagrams again. */
  readonly slice: SliceSize
  /** Longest step, in ms. */
  readonly mostStepMs: number
}

export const MOST_SHARDS = 3
export const MOST_DIRECTORS = 4

/** Share of worlds with more than one director: each costs as much as a world of its own. */
const SEVERAL = 0.1

/** Share of those whose directors share a store. */
const SHARING = 0.7

/** @param mustShare whether it is a world with directors that share a store, whatever the seed would draw */
export function drawProfile (random: Random, seed: number, mustShare = false): Profile {
  const alone = drawAlone(random)
  // Drawn apart, so that a world with one director is what it was.
  const apart = new Random(~seed)
  if (!apart.chance(SEVERAL) && !mustShare) return { ...alone, directors: 1, balancer: drawBalancer(apart), store: undefined }
  const replicas = apart.pick([0, 1, 1, 4])
  const several = { ...alone, directors: apart.between(2, 3), balancer: drawBalancer(apart), store: undefined, unrest: { ...alone.unrest, replicas } }
  return apart.chance(SHARING) || mustShare ? sharing(several, apart) : several
}

/** The same world with a store that its directors share. */
export function sharing (alone: Profile, random: Random): Profile {
  const { config } = alone
  const storeDeadlineMs = random.pick([60, 250])
  return {
    ...alone,
    store: { leastMs: 0, mostMs: random.pick([0, 1, 10]), lost: random.pick([0.02, 0.2, 0.6]), mostTroubleMs: random.pick([500, 3000]) },
    unrest: { ...alone.unrest, store: random.pick([0, 1, 1, 4]) },
    // Most can be answered within the deadline, unless the store has its troubles.
    mostCallDelayMs: random.pick([0, 2, 5, 100]),
    mostShardDelayMs: random.pick([0, 1, 5]),
    config: {
      ...config,
      allowedTargets: ['10.0.0.0/8', '2001:db8::/32'],
      sharedState: { provider: 'valkey', urls: ['valkey://store'], mode: 'single', prefix: 'ud', follow: random.chance(0.8), onUnavailable: random.pick(['local', 'refuse']) },
      limits: { ...config.limits, storeDeadlineMs, asksPerSecond: random.pick([20, 5000]), asksPerPrefix: random.pick([4, 50]), heldDatagrams: random.pick([16, 4096]) }
    }
  }
}

/** How quickly directors that share a store speak with it, and with each other through it, while all is well. */
export function paceOf ({ store, mostCallDelayMs, mostShardDelayMs, config: { limits: { storeDeadlineMs, asksPerSecond } } }: Profile): { readonly knownWithinMs: number, readonly isQuick: boolean } {
  const askMs = 2 * (store?.mostMs ?? 0) + 2 * mostCallDelayMs + 2 * mostShardDelayMs
  return { knownWithinMs: 50 + 4 * askMs, isQuick: 2 * askMs < storeDeadlineMs && asksPerSecond >= 1000 }
}

function drawBalancer (random: Random): BalancerProfile {
  const picks = random.pick(['modulo', 'highest', 'random'] as const)
  return { picks, remembersMs: random.pick(picks === 'random' ? [500, 5000, 30_000] : [0, 500, 30_000]), isByClient: random.chance(0.3) }
}

function drawAlone (random: Random): Omit<Profile, 'directors' | 'balancer' | 'store'> {
  const mostDelayMs = random.pick([0, 5, 40, 200])
  const mostAnswerMs = random.pick([0, 20, 600])
  const dataPorts = random.between(1, 3)
  const shards = random.between(1, MOST_SHARDS)
  return {
    shards,
    reshards: random.pick([0, 0, 0.5, 1]),
    config: drawConfig(random, { dataPorts, shards, lingerMs: 2 * mostDelayMs + mostAnswerMs }),
    network: {
      loss: random.pick([0, 0, 0.02, 0.2]),
      duplication: random.pick([0, 0, 0.02, 0.15]),
      leastDelayMs: random.pick([0, Math.floor(mostDelayMs / 2)]),
      mostDelayMs
    },
    mostCallDelayMs: random.pick([0, 2, 30, 300]),
    mostInventoryDelayMs: random.pick([0, 0, 20, 500]),
    hasUids: random.chance(0.5),
    hasNames: random.chance(0.5),
    cutCalls: random.pick([0, 0, 0.01, 0.1]),
    mostShardDelayMs: random.pick([0, 1, 20]),
    mostAnswerMs,
    failedSends: random.pick([0, 0, 0.02]),
    clients: random.between(2, 24),
    servers: random.pick([2, 4, 8]),
    unrest: { hostile: random.pick([0, 1, 1, 4]), operators: random.pick([0, 1, 1, 4]), crashes: random.pick([0, 0, 1, 3]), moves: random.pick([0, 1, 3]), replicas: 0, store: 0 },
    sweepPeriodMs: random.pick([50, 200, 1000, 5000, 30_000]),
    mostStepMs: random.pick([2, 10, 40]),
    slice: random.pick([{ looks: 1, changes: 1 }, { looks: 5, changes: 2 }, defaultSlice])
  }
}

interface Drawn {
  readonly dataPorts: number
  readonly shards: number
  readonly lingerMs: number
}

function drawConfig (random: Random, { dataPorts, shards, lingerMs }: Drawn): Config {
  const names = ['game', 'voice', 'query'].slice(0, dataPorts)
  return fillDefaults(ConfigSchema, {
    dataPorts: names.map((name, index) => ({ name, port: 7777 + index })),
    tokenTtlSeconds: random.pick([1, 2, 5, 30]),
    sessionTimeoutSeconds: random.pick([1, 3, 10, 60]),
    defaultEndpoint: drawDefault(random),
    resourceQueryMapping: mappingsFor(names, random.pick([undefined, [STATE_PATH]])),
    ...random.pick([{ inventory: { provider: 'kubernetes' }, namespaces: [NAMESPACE] }, { inventory: { provider: 'file', path: 'objects' } }]),
    loadBalancing: random.pick([{ type: 'first' }, { type: 'leastSessions' }, { type: 'roundRobin' }, { type: 'random' }, { type: 'labelArithmetic', ...playersLabels }]),
    drainTimeoutSeconds: random.pick([0, 1, 2, 5]),
    onInvalidToken: random.pick(['default', 'drop']),
    onTargetGone: random.pick(['keep', 'close', 'default']),
    refreshOn: random.pick(['client', 'both']),
    limits: {
      maxSessions: random.pick([2, 4, 12, 64]) * shards,
      maxSessionsPerPrefix: random.pick([1, 4, 4096]) * shards,
      newSessionsPerSecond: random.pick([0, 2, 100]) * shards,
      amplificationFactor: random.pick([0, 1, 3]),
      maxTokens: random.pick([3, 12, 64]),
      maxTokensPerCaller: random.pick([8, 10_000, 10_000]),
      maxTargets: random.pick([3, 12, 64]),
      maxUpstreamSockets: random.pick([1, 3, 32]) * shards,
      // A reply may be as old as two ways and the server's thinking; after that nobody can tell whose it was.
      upstreamLingerSeconds: Math.ceil((lingerMs + 1) / 1000),
      // With the lower one most queries cost too much, and are found out to in turns.
      maxQueryWork: random.chance(0.1) ? 3 : 2_000_000,
      maxDatagramBytes: MAX_DATAGRAM_BYTES,
      maxPushQueue: random.pick([1, 4, 100]),
      pushDeadlineMs: random.pick([20, 100, 1000]),
      warningsPerSecond: random.pick([0, 5])
    }
  }) as Config
}
