// The public keys that tokens are verified with (JWKS, RFC 7517 §5), from a file or from their issuer.
import { createLocalJWKSet, createRemoteJWKSet, type JSONWebKeySet, type JWTVerifyGetKey } from 'jose'
import type { BaseLogger } from 'pino'
import type { Cancel, Clock } from '#core/clock.js'
import { err, ok, type Result } from '#core/result.js'
import type { KeyFileOptions } from './key-authenticator.js'
import { FollowedFile } from '../../files/followed-file.js'

export interface KeySet {
  readonly keyFor: JWTVerifyGetKey
  readonly close: () => Promise<void>
}

/** The key set of a document. The error is a clause. */
export function keySetFrom (text: string): Result<JWTVerifyGetKey, string> {
  let set: Partial<JSONWebKeySet> | null
  try {
    set = JSON.parse(text) as Partial<JSONWebKeySet> | null
  } catch {
    return err('it is not JSON')
  }
  if (!Array.isArray(set?.keys) || set.keys.length === 0) return err('it has no keys')
  // RFC 7518 §6: `d` is of private keys, `k` is a shared secret.
  if (set.keys.some(key => key.d !== undefined || key['k'] !== undefined)) return err('it holds a private or a shared key: only public ones belong there')
  try {
    return ok(createLocalJWKSet(set as JSONWebKeySet))
  } catch {
    return err('it is not a JSON Web Key Set')
  }
}

/** Fails with a clause if the file cannot be used now. */
export async function openKeySetFile (options: KeyFileOptions): Promise<Result<KeySet, string>> {
  const file = await FollowedFile.open({ ...options, parse: keySetFrom })
  if (!file.ok) return file
  return ok({
    keyFor: async (header, token) => await file.value.value(header, token),
    close: async () => { await file.value.close() }
  })
}

export interface RemoteKeySetOptions {
  readonly url: URL
  readonly clock: Clock
  readonly log: BaseLogger
  readonly onRead: (outcome: 'ok' | 'fault') => void
  /** How long after a fetch an unknown key leads to none, in milliseconds. */
  readonly cooldownMs?: number
}

export const REFRESH_MS = 300_000
/** Between attempts while there are no keys at all. */
export const RETRY_MS = 5000
const FETCH_DEADLINE_MS = 5000
const COOLDOWN_MS = 30_000

/**
 * Keys of an issuer, fetched at once, every five minutes, and when a token names one that is not known. Old keys are not
 * refused: while the issuer is away, what it last said stays valid, as with files.
 */
export function openRemoteKeySet ({ url, clock, log, onRead, cooldownMs = COOLDOWN_MS }: RemoteKeySetOptions): KeySet {
  const set = createRemoteJWKSet(url, { timeoutDuration: FETCH_DEADLINE_MS, cooldownDuration: cooldownMs, cacheMaxAge: Infinity })
  let isFaulty = false
  let isClosed = false
  let cancel: Cancel = () => undefined
  const refresh = async (): Promise<void> => {
    try {
      await set.reload()
      if (isFaulty) log.info({ url: url.href }, 'Keys of the issuer fetched again')
      isFaulty = false
      onRead('ok')
    } catch (error) {
      if (!isFaulty) log.error({ url: url.href, fault: (error as Error).message }, 'Keys of the issuer cannot be fetched, the last good ones stay')
      isFaulty = true
      onRead('fault')
    }
    if (!isClosed) cancel = clock.after(set.jwks() === undefined ? RETRY_MS : REFRESH_MS, () => { refreshing = refresh() })
  }
  let refreshing = refresh()
  return {
    keyFor: set,
    close: async () => {
      isClosed = true
      cancel()
      await refreshing
    }
  }
}
