// The API as one OpenAPI document for each listener, made from its routes.
import { parseConfig } from '#config/load/load-config.js'
import { ok } from '#core/result.js'
import { systemClock } from '#core/system-clock.js'
import { createLogger } from '#telemetry/logger.js'
import { openToAll } from './http/auth/authenticator.js'
import { buildAdminApp, buildPublicApp, type AdminFeatures, type PublicFeatures } from './http/app.js'
import type { Listener } from './http/listener/listener.js'
import { createStore } from './inventory/store/store.js'
import { createControlMetrics } from './metrics.js'
import { machinePlatform } from './platform.js'
import { wireControl } from './wiring.js'

type Json = Record<string, unknown>

const servers: Readonly<Record<Listener, { readonly url: string, readonly description: string }>> = {
  public: { url: 'http://localhost:9000', description: 'The public listener (`queryPort`).' },
  admin: { url: 'http://localhost:9090', description: 'The admin listener (`adminPort`).' }
}

const builders = { public: buildPublicApp, admin: buildAdminApp } as const satisfies Record<Listener, unknown>

/**
 * The document for openapi/public.json or openapi/admin.json: what that listener serves at /openapi.json, and where it is
 * by default. The same at every call.
 */
export async function openapiDocument (listener: Listener): Promise<object> {
  const { features, close } = await wireIdle()
  try {
    const app = await builders[listener](features)
    await app.ready()
    const { openapi, info, ...rest } = structuredClone(app.swagger()) as unknown as Json
    await app.close()
    return { openapi, info, servers: [servers[listener]], ...rest }
  } finally {
    await close()
  }
}

// All of control over an empty inventory, never started: the routes need it to be registered.
async function wireIdle (): Promise<{ features: PublicFeatures & AdminFeatures, close: () => Promise<void> }> {
  const parsed = parseConfig('inventory: { provider: file, path: . }', 'openapi.yaml')
  if (!parsed.ok) throw new Error('The smallest configuration is not valid.')
  const { config } = parsed.value
  const metrics = createControlMetrics()
  const inventory = { ...createStore([]), status: () => ({ synced: true, ageMs: 0, faults: [] }), unready: () => undefined, close: async () => { await Promise.resolve() } }
  const platform = { ...machinePlatform({ socketPath: 'proxy.sock', clock: systemClock, random: () => 0 }), openInventory: async () => await Promise.resolve(ok(inventory)) }
  const wired = await wireControl(platform, { config, metrics, log: createLogger({ name: 'control', level: 'silent' }) })
  if (!wired.ok) throw new Error(wired.error)
  const { features, close } = wired.value
  return { features: { ...features, metrics, authenticators: { public: openToAll, admin: openToAll } }, close }
}
