// The control process without its sockets: both apps over an inventory in memory, a proxy on a real Unix socket that
// only pretends to forward, and a clock the tests move.
import pino from 'pino'
import type { Test } from 'tap'
import { err, ok } from '#core/result.js'
import { openAuthenticators } from '../apps/control/src/http/auth/open-authenticators.js'
import { buildAdminApp, buildPublicApp, type AdminFeatures, type PublicFeatures } from '../apps/control/src/http/app.js'
import type { Inventory, InventoryStatus, KubeObject } from '../apps/control/src/inventory/objects/inventory.js'
import { heldTypes } from '../apps/control/src/inventory/objects/resource-types.js'
import { createStore, type Store } from '../apps/control/src/inventory/store/store.js'
import { notAdvertised, type Advertised } from '../apps/control/src/advertise/advertised.js'
import { createControlMetrics } from '../apps/control/src/metrics.js'
import type { OpenStore } from '../apps/control/src/store/shared-store.js'
import type { NameResolver } from '../apps/control/src/names/host-names.js'
import type { TypedApp } from '../apps/control/src/http/listener/listener.js'
import { machinePlatform } from '../apps/control/src/platform.js'
import { wireControl, type Features } from '../apps/control/src/wiring.js'
import { configFrom } from './config-from.js'
import { createFakeClock, type FakeClock } from './fake-clock.js'
import { startFakeProxy, type FakeProxy } from './fake-proxy.js'
import { forTest } from './for-test.js'
import { gameServer as anyGameServer } from './objects/game-server.js'
import { until } from './patience.js'

export interface LogLine {
  readonly level: number
  readonly msg: string
  readonly [field: string]: unknown
}

export interface Rig {
  readonly clock: FakeClock
  readonly proxy: FakeProxy
  readonly store: Store
  readonly features: Features & AdminFeatures & PublicFeatures
  readonly open: TypedApp
  readonly admin: TypedApp
  readonly logged: LogLine[]
  /** What the inventory says of itself; a test may change it. */
  readonly inventoryStatus: { -readonly [Key in keyof InventoryStatus]: InventoryStatus[Key] }
  /** Throws if a timer is left. */
  readonly close: () => Promise<void>
}

export interface RigOptions {
  /** YAML that is added to the configuration. */
  readonly config?: string
  readonly objects?: readonly KubeObject[]
  readonly inventory?: Partial<Inventory>
  /** Default: no name has an address. */
  readonly resolver?: NameResolver
  /** Default: nothing is told. */
  readonly advertised?: Advertised
  /** Leaves the link alone. */
  readonly isOffline?: boolean
  /** Shares a store with other directors. */
  readonly openStore?: (clock: FakeClock) => OpenStore
}

const baseConfig = `
inventory: { provider: file, path: . }
namespaces: [game-servers]
allowedTargets: ["10.0.0.0/8", "2001:db8::/32"]
dataPorts:
  - { name: default, port: 7777 }
  - { name: voice, port: 7778 }
resourceQueryMapping:
  gameserver:
    group: agones.dev
    version: v1
    resource: gameservers
    addressPath: status.address
    ports:
      - { name: default, portName: default }
`

/** A GameServer in the namespace of the rig's configuration. */
export function gameServer (name: string, address: string, fields: { labels?: Record<string, string>, state?: string, namespace?: string, port?: number } = {}): KubeObject {
  const { port = 7000, ...others } = fields
  return anyGameServer(name, { namespace: 'game-servers', state: 'Ready', address, ports: { default: port }, ...others })
}

/** A rig for the time of this test. */
export async function startRig (t: Test, options: RigOptions = {}): Promise<Rig> {
  const rig = await forTest(t, openRig(options))
  if (options.isOffline !== true) await goOnline(rig)
  return rig
}

/** The same; its link is left alone. */
export async function openRig (options: Omit<RigOptions, 'isOffline'> = {}): Promise<Rig> {
  const config = configFrom(baseConfig + (options.openStore === undefined ? '' : 'sharedState: { urls: ["valkey://store:6379"] }\n') + (options.config ?? ''))
  const proxy = await startFakeProxy()
  proxy.dataPorts = [{ name: 'default', address: '::', port: 41_000 }, { name: 'voice', address: '::', port: 41_001 }]
  const clock = createFakeClock()
  const logged: LogLine[] = []
  const store = createStore(heldTypes(config.resourceQueryMapping).keys())
  store.replace(new Map([['gameserver', options.objects ?? []]]))
  const inventoryStatus = { synced: true, ageMs: 1500, faults: [] as string[] }
  const metrics = createControlMetrics()
  const log = pino({ level: 'debug', base: null }, { write: (line: string) => { logged.push(JSON.parse(line) as LogLine) } })
  const authenticators = await openAuthenticators(config, { clock, log, onKeysRead: metrics.keysRead })
  if (!authenticators.ok) throw new Error(authenticators.error)
  const inventory = {
    ...store,
    status: () => inventoryStatus,
    unready: () => inventoryStatus.synced ? undefined : 'The inventory has not been read completely yet.',
    close: async () => { await Promise.resolve() },
    ...options.inventory
  }
  const resolver = options.resolver ?? { resolve: async () => await Promise.resolve(err('no_address' as const)), close: () => undefined }
  const openStore = options.openStore?.(clock) ?? (async () => await Promise.resolve(err('There is no store.')))
  const platform = { ...machinePlatform({ socketPath: proxy.socketPath, clock, random: () => 0 }), openInventory: async () => await Promise.resolve(ok(inventory)), openResolver: () => resolver, openAdvertised: async () => await Promise.resolve(ok(options.advertised ?? notAdvertised)), openStore, replicaName: () => 'a' }
  const wired = await inNoTime(clock, wireControl(platform, { config, metrics, log }))
  if (!wired.ok) throw new Error(wired.error)
  const { close } = wired.value
  const features = { ...wired.value.features, metrics, authenticators: authenticators.value }
  const open = await buildPublicApp(features)
  const admin = await buildAdminApp(features)
  return {
    clock,
    proxy,
    store,
    features,
    open,
    admin,
    logged,
    inventoryStatus,
    close: async () => {
      await Promise.all([open.close(), admin.close(), close(), authenticators.value.public.close(), authenticators.value.admin.close()])
      await proxy.close()
      // What was on its way between it and a store comes to nobody.
      if (options.openStore !== undefined) clock.advance(1000)
      if (clock.pending() > 0) throw new Error('A timer is left.')
    }
  }
}

// A store connects in a later turn of its clock.
async function inNoTime<Value> (clock: FakeClock, promise: Promise<Value>): Promise<Value> {
  const state = { isOver: false }
  const over = promise.finally(() => { state.isOver = true })
  await until(() => {
    clock.advance(0)
    return state.isOver
  })
  return await over
}

export async function goOnline ({ features, proxy }: Rig): Promise<void> {
  features.link.start()
  await eventually(() => features.link.isSynchronised && proxy.openStreams() === 1)
}

/** Lets sockets work until `condition` holds; time stands still. */
export async function eventually (condition: () => boolean): Promise<void> {
  await until(condition)
}

export interface Answer {
  readonly status: number
  readonly type: string | undefined
  readonly retryAfter: string | undefined
  readonly text: string
  readonly body: unknown
}

type Method = 'GET' | 'POST' | 'PUT' | 'DELETE'

/** A request with a JSON body, or with raw text as it is. */
export async function ask (app: TypedApp, method: Method, url: string, body?: unknown, type = 'application/json'): Promise<Answer> {
  const sent = body === undefined ? {} : { payload: typeof body === 'string' ? body : JSON.stringify(body), headers: { 'content-type': type } }
  const { statusCode, headers, payload } = await app.inject({ method, url, ...sent })
  const isJson = headers['content-type']?.toString().includes('json') === true
  return {
    status: statusCode,
    type: headers['content-type']?.toString(),
    retryAfter: headers['retry-after']?.toString(),
    text: payload,
    body: isJson ? JSON.parse(payload) : undefined
  }
}
