// The control process from configuration to listening and back, without a process around it: main.ts adds that.
import type { Logger } from 'pino'
import type { Clock } from '#core/clock.js'
import { listenAddresses } from '#config/bind-addresses.js'
import type { Config } from '#config/schema.js'
import { ok, type Result } from '#core/result.js'
import { openAuthenticators } from './http/auth/open-authenticators.js'
import { buildAdminApp, buildPublicApp } from './http/app.js'
import { listenOn } from './http/listener/listen.js'
import { createControlMetrics } from './metrics.js'
import type { ControlPlatform } from './platform.js'
import type { TypedApp } from './http/listener/listener.js'
import { wireControl } from './wiring.js'

export interface ControlOptions {
  readonly config: Config
  readonly platform: ControlPlatform
  readonly log: Logger
}

export interface Control {
  /** The real port numbers. */
  readonly ports: { readonly queryPort: number, readonly adminPort: number }
  /** Hands out no tokens from now on, and resolves when the proxy has no session left, or `drainTimeoutSeconds` are over. */
  readonly drain: () => Promise<void>
  /** Answers queries with 503 from now on, finishes the requests under way, and lets go of everything. */
  readonly close: () => Promise<void>
}

const IDLE_SWEEP_MS = 20

/** Opens the inventory, listens and connects. Fails with a sentence if the configuration cannot work here. */
export async function openControl ({ config, platform, log }: ControlOptions): Promise<Result<Control, string>> {
  const metrics = createControlMetrics()
  const authenticators = await openAuthenticators(config, { clock: platform.clock, log, onKeysRead: metrics.keysRead })
  if (!authenticators.ok) return authenticators
  const closeAuthenticators = async (): Promise<void> => { await Promise.all(Object.values(authenticators.value).map(async ({ close }) => { await close() })) }
  const wired = await wireControl(platform, { config, metrics, log })
  if (!wired.ok) {
    await closeAuthenticators()
    return wired
  }
  const { features, close: closeWiring } = wired.value
  const httpFeatures = { ...features, metrics, authenticators: authenticators.value }
  const publicApp = await buildPublicApp(httpFeatures)
  const adminApp = await buildAdminApp(httpFeatures)
  const close = async (): Promise<void> => {
    features.lifecycle.isStopping = true
    await closeApps([publicApp, adminApp], platform.clock)
    await Promise.all([closeWiring(), closeAuthenticators()])
  }
  const listening = await listenBoth(config, publicApp, adminApp)
  if (!listening.ok) {
    await close()
    return listening
  }
  features.link.start()
  log.info(listening.value, 'Control listening')
  return ok({ ports: listening.value, drain: async () => { await features.drain.run() }, close })
}

async function listenBoth (config: Config, publicApp: TypedApp, adminApp: TypedApp): Promise<Result<Control['ports'], string>> {
  const addresses = listenAddresses(config)
  const query = await listenOn(publicApp, addresses, config.queryPort, 'queryPort')
  if (!query.ok) return query
  const admin = await listenOn(adminApp, addresses, config.adminPort, 'adminPort')
  return admin.ok ? ok({ queryPort: query.value, adminPort: admin.value }) : admin
}

// Closing ends idle connections; one that was busy at that moment would stay open for its keep-alive time after its answer.
async function closeApps (apps: readonly TypedApp[], clock: Clock): Promise<void> {
  const stopSweep = clock.every(IDLE_SWEEP_MS, () => { for (const { server } of apps) server.closeIdleConnections() })
  await Promise.all(apps.map(async app => { await app.close() }))
  stopSweep()
}
