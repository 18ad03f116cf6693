// The whole API in one OpenAPI 3.1 document: the parts of both listeners, each made from its routes.
import { parseConfig } from '#config/load-config.js'
import { err } from '#core/result.js'
import { systemClock } from '#core/system-clock.js'
import { createLogger } from '#telemetry/logger.js'
import { openToAll } from './auth/authenticator.js'
import { buildAdminApp, buildPublicApp } from './app.js'
import { createStore } from './inventory/store.js'
import { createControlMetrics } from './metrics.js'
import type { TypedApp } from './typed-app.js'
import { wireControl, type Wiring } from './wiring.js'

type Json = Record<string, unknown>

interface Part {
  readonly openapi: string
  readonly info: Json
  readonly tags: Json[]
  readonly paths: Readonly<Record<string, Json>>
  readonly components: { readonly schemas: Json, readonly securitySchemes: Json }
}

const publicServers = [{ url: 'http://localhost:9000', description: 'The public listener (`queryPort`).' }]
const adminServers = [{ url: 'http://localhost:9090', description: 'The admin listener (`adminPort`).' }]

/**
 * The document for openapi/openapi.json. Paths that both listeners have are listed once, as public ones; those of the
 * admin listener alone name its server. The same at every call.
 */
export async function openapiDocument (): Promise<object> {
  const { deps, close } = wireIdle()
  try {
    const [open, admin] = [await partOf(await buildPublicApp(deps)), await partOf(await buildAdminApp(deps))]
    const adminOnly = Object.entries(admin.paths).filter(([path]) => !(path in open.paths))
    return {
      openapi: open.openapi,
      info: open.info,
      servers: publicServers,
      tags: [...open.tags, ...admin.tags],
      paths: { ...open.paths, ...Object.fromEntries(adminOnly.map(([path, item]) => [path, { servers: adminServers, ...item }])) },
      components: { securitySchemes: open.components.securitySchemes, schemas: sorted({ ...open.components.schemas, ...admin.components.schemas }) }
    }
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
    resolver: { resolve: async () => await Promise.resolve(err('no_answer')), close: () => undefined },
    authenticators: { public: openToAll, admin: openToAll },
    socketPath: 'proxy.sock',
    clock: systemClock,
    random: () => 0,
    log: createLogger({ name: 'control', level: 'silent' })
  })
}

async function partOf (app: TypedApp): Promise<Part> {
  await app.ready()
  const document = structuredClone(app.swagger()) as unknown as Part
  await app.close()
  return document
}

function sorted (schemas: Json): Json {
  return Object.fromEntries(Object.entries(schemas).sort(([a], [b]) => a < b ? -1 : 1))
}
