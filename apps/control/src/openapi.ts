// The API as one OpenAPI document for each listener, made from its routes.
import { parseConfig } from '#config/load/load-config.js'
import { err } from '#core/result.js'
import { systemClock } from '#core/system-clock.js'
import { createLogger } from '#telemetry/logger.js'
import { EventsHub } from './events/events-hub.js'
import { openToAll } from './http/auth/authenticator.js'
import { buildAdminApp, buildPublicApp } from './http/app.js'
import type { Listener } from './http/listener/listener.js'
import { createStore } from './inventory/store/store.js'
import { createControlMetrics } from './metrics.js'
import { wireControl, type Wiring } from './wiring.js'

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
  const { features, close } = wireIdle()
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
function wireIdle (): Wiring {
  const parsed = parseConfig('inventory: { provider: file, path: . }', 'openapi.yaml')
  if (!parsed.ok) throw new Error('The smallest configuration is not valid.')
  return wireControl({
    config: parsed.value.config,
    inventory: { ...createStore([]), status: () => ({ synced: true, ageMs: 0, faults: [] }), unready: () => undefined, close: async () => { await Promise.resolve() } },
    metrics: createControlMetrics(),
    events: new EventsHub(systemClock),
    resolver: { resolve: async () => await Promise.resolve(err('no_answer')), close: () => undefined },
    authenticators: { public: openToAll, admin: openToAll },
    socketPath: 'proxy.sock',
    clock: systemClock,
    random: () => 0,
    log: createLogger({ name: 'control', level: 'silent' })
  })
}
