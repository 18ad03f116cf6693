// An inventory that follows a fake API server, both on one clock that only the test moves.
import { isDeepStrictEqual } from 'node:util'
// eslint-disable-next-line no-restricted-syntax -- see `rest`
import { setTimeout as realDelay } from 'node:timers/promises'
import type { Test } from 'tap'
import { ok } from '#core/result.js'
import { createFakeClock, type FakeClock } from '#testkit/fake-clock.js'
import { until as arrived } from '#testkit/patience.js'
import type { NewObject } from '#testkit/kube-api/objects/resource-type.js'
import { startKubeApi, type KubeApi, type KubeApiOptions, type RequestRecord } from '#testkit/kube-api/start-kube-api.js'
import type { Credentials } from '../../../src/inventory/kubernetes/api/access.js'
import { openKubernetesInventory, type KubernetesInventory, type KubernetesInventoryDeps } from '../../../src/inventory/kubernetes/kubernetes-inventory.js'
import { loggedEvents } from '../../events/recording-sink.js'
import { mapping } from '../kube-objects.js'

export interface Rig {
  readonly api: KubeApi
  readonly clock: FakeClock
  readonly inventory: KubernetesInventory
  readonly logged: string[]
  /** What the hooks were told: `relisting expired`, `watchEnded idle`, … */
  readonly told: string[]
  /** Lists and watches of the GameServers, in the order they came. */
  readonly requests: () => readonly RequestRecord[]
  /** Name and version of each GameServer held. */
  readonly held: () => readonly string[]
  /** The same on the server. */
  readonly served: () => readonly string[]
  /** Lets time pass until `isReached`, at most `limitMs` of it. */
  readonly until: (isReached: () => boolean, limitMs?: number) => Promise<void>
  /** Lets that much time pass, and what is under way come to rest. */
  readonly pass: (ms: number) => Promise<void>
  /** Until the inventory holds what the server serves. */
  readonly converged: (limitMs?: number) => Promise<void>
}

export interface RigOptions extends KubeApiOptions {
  readonly config?: Partial<KubernetesInventoryDeps['config']>
  readonly credentials?: (api: KubeApi) => Credentials
  /** Before the inventory is opened. */
  readonly prepare?: (api: KubeApi) => void | Promise<void>
  readonly random?: () => number
}

/** Credentials that are always good. */
export function plainCredentials ({ url }: KubeApi): Credentials {
  return { access: async () => ok({ baseUrl: url, tls: {}, headers: {} }), refresh: () => undefined }
}

export function server (name: string, fields: { labels?: Record<string, string>, namespace?: string, state?: string } = {}): NewObject {
  const { labels = {}, namespace = 'games', state = 'Ready' } = fields
  return { apiVersion: 'agones.dev/v1', kind: 'GameServer', metadata: { name, namespace, labels }, status: { state } }
}

// Of the test's own clock.
const CLOCK_LIMIT_MS = 5_000

// Long times pass in longer steps: each costs a few real milliseconds.
const stepOf = (ms: number): number => Math.max(200, ms / 200)

export async function openRig (t: Test, options: RigOptions = {}): Promise<Rig> {
  const { config, credentials = plainCredentials, prepare, random = () => 0.5, ...apiOptions } = options
  const clock = createFakeClock()
  const api = await startKubeApi({ clock, ...apiOptions })
  t.teardown(() => api.close())
  await prepare?.(api)
  const logged: string[] = []
  const told: string[] = []
  const write = (level: string) => (fields: object, message: string): void => { logged.push(`${level} ${message} ${JSON.stringify(fields)}`) }
  const log = { info: write('info'), warn: write('warn') }
  const opened = await openKubernetesInventory({
    config: { resourceQueryMapping: { gameserver: mapping() }, namespaces: ['games'], inventory: { provider: 'kubernetes' }, ...config },
    clock,
    random,
    log,
    events: loggedEvents(log),
    credentials: credentials(api),
    hooks: {
      listed: outcome => { told.push(`listed ${outcome}`) },
      relisting: reason => { told.push(`relisting ${reason}`) },
      watchEnded: end => { told.push(`watchEnded ${end}`) },
      corrupted: reason => { told.push(`corrupted ${reason}`) },
      eventTaken: outcome => { if (outcome === 'stale') told.push('staleEvent') }
    }
  })
  if (!opened.ok) throw new Error(opened.error.message)
  const inventory = opened.value
  t.teardown(() => inventory.close())
  const held = (): string[] => [...inventory.find('gameserver', 'games')].map(({ metadata }) => `${metadata.name}@${String(metadata.resourceVersion)}`)
  const served = (): string[] => [...api.store.find('agones.dev', 'v1', 'gameservers')?.objects.values() ?? []]
    .filter(({ metadata }) => metadata.namespace === 'games')
    .sort((left, right) => left.metadata.name < right.metadata.name ? -1 : 1)
    .map(({ metadata }) => `${metadata.name}@${String(metadata.resourceVersion)}`)
  const until = async (isReached: () => boolean, limitMs = CLOCK_LIMIT_MS): Promise<void> => {
    await rest(isReached)
    for (const endMs = clock.now() + limitMs; !isReached() && clock.now() < endMs;) {
      clock.advance(stepOf(limitMs))
      await rest(isReached)
    }
    // The time is over, and nothing more falls due: what is under way may still arrive.
    await arrived(isReached, { what: () => `it did not come in ${limitMs} ms; ${told.join(', ')}; held ${held().join(' ')}` })
  }
  return {
    api,
    clock,
    inventory,
    logged,
    told,
    requests: () => api.requestsOf({ type: 'gameservers' }),
    held,
    served,
    until,
    pass: async ms => {
      for (const endMs = clock.now() + ms; clock.now() < endMs;) {
        clock.advance(Math.min(stepOf(ms), endMs - clock.now()))
        await rest()
      }
    },
    converged: async limitMs => {
      await until(() => inventory.status().synced && isDeepStrictEqual(held(), served()), limitMs)
    }
  }
}

// Names of Node's own for what waits for the kernel or another thread: connections that are being made, writes, files.
const underWay = /(?:Connect|Write|Shutdown|Get\w+|FS)(?:Req|Wrap)/

// What is under way on the loopback takes real time, however little: the clock waits for three turns in which nothing is. What
// does not end by itself, like a write that nobody reads, is at rest too.
const QUIET_TURNS = 3
const MAX_TURNS = 100

/** Until what is under way on the loopback has come to rest, or `isReached`. */
export async function rest (isReached: () => boolean = () => false): Promise<void> {
  for (let turn = 0, quiet = 0; turn < MAX_TURNS && quiet < QUIET_TURNS && !isReached(); turn++) {
    await realDelay(1)
    quiet = process.getActiveResourcesInfo().some(name => underWay.test(name)) ? 0 : quiet + 1
  }
}
