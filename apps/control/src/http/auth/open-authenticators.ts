// What each listener asks of its callers, as configured.
import type { BaseLogger } from 'pino'
import type { Auth, Config } from '#config/schema.js'
import type { Clock } from '#core/clock.js'
import { err, ok, type Result } from '#core/result.js'
import type { Listener } from '../listener/listener.js'
import { openToAll, type Authenticator } from './authenticator.js'
import { createJwtAuthenticator } from './jwt-authenticator.js'
import { openKeyAuthenticator } from './key-authenticator.js'
import { openKeySetFile, openRemoteKeySet } from './key-set.js'

export type Authenticators = Readonly<Record<Listener, Authenticator>>

export interface AuthSurroundings {
  readonly clock: Clock
  readonly log: BaseLogger
  /** After every reading of keys that found something new, good or bad. */
  readonly onKeysRead: (listener: Listener, outcome: 'ok' | 'fault') => void
}

/** Opens both. Fails with a sentence that names the key of the configuration. */
export async function openAuthenticators (config: Config, surroundings: AuthSurroundings): Promise<Result<Authenticators, string>> {
  const open = await openOne('queryAuth', config.queryAuth, 'public', surroundings)
  if (!open.ok) return open
  const admin = await openOne('adminAuth', config.adminAuth, 'admin', surroundings)
  if (admin.ok) return ok({ public: open.value, admin: admin.value })
  await open.value.close()
  return admin
}

async function openOne (key: string, auth: Auth, listener: Listener, { clock, log, onKeysRead }: AuthSurroundings): Promise<Result<Authenticator, string>> {
  const { type, keysFile, jwksFile, jwksUrl } = auth
  const common = { clock, log, onRead: (outcome: 'ok' | 'fault') => { onKeysRead(listener, outcome) } }
  if (type === 'none') return ok(openToAll)
  if (type === 'keys') return placed(await openKeyAuthenticator({ ...common, path: keysFile! }), `${key}.keysFile: ${keysFile!} cannot be used`)
  if (jwksUrl !== undefined) return ok(createJwtAuthenticator(auth, openRemoteKeySet({ ...common, url: new URL(jwksUrl) }), clock))
  const keySet = placed(await openKeySetFile({ ...common, path: jwksFile! }), `${key}.jwksFile: ${jwksFile!} cannot be used`)
  return keySet.ok ? ok(createJwtAuthenticator(auth, keySet.value, clock)) : keySet
}

function placed<Value> (result: Result<Value, string>, place: string): Result<Value, string> {
  return result.ok ? result : err(`${place}: ${result.error}.`)
}
