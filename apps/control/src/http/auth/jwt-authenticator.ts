// Signed tokens (JWT, RFC 7519) of one issuer, verified as RFC 8725 asks: a list of asymmetric algorithms, the issuer,
// the audience, and an end.
import { errors, jwtVerify, type JWTVerifyGetKey } from 'jose'
import type { Auth } from '#config/schema.js'
import type { Clock } from '#core/clock.js'
import { bearerFrom, failed, type Authenticator, type Verdict } from './authenticator.js'
import type { KeySet } from './key-set.js'

/** Longest subject that is taken for a name. */
const MAX_SUBJECT_LENGTH = 255

class KeysUnavailable extends Error {}

/** `auth` is of type jwt, which the configuration has checked to be complete. */
export function createJwtAuthenticator (auth: Auth, { keyFor, close }: KeySet, clock: Clock): Authenticator {
  const { issuer = '', audience = '', algorithms, clockToleranceSeconds } = auth
  const options = { issuer, audience, algorithms, clockTolerance: clockToleranceSeconds, requiredClaims: ['exp', 'sub'] }
  const key = tellingApart(keyFor)
  const verify = async (authorization: string | undefined): Promise<Verdict> => {
    const bearer = bearerFrom(authorization)
    if (!('credentials' in bearer)) return bearer
    try {
      const { payload: { sub } } = await jwtVerify(bearer.credentials, key, { ...options, currentDate: new Date(clock.wallNow()) })
      return typeof sub === 'string' && sub !== '' && sub.length <= MAX_SUBJECT_LENGTH ? { ok: true, name: sub } : failed.refused
    } catch (error) {
      if (error instanceof KeysUnavailable) return failed.unavailable
      if (error instanceof errors.JOSEError) return failed.refused
      throw error
    }
  }
  return { isRequired: true, verify, close }
}

// If a token names a wrong key, that is its bearer's fault. If there are no keys, or one is broken, it is not.
function tellingApart (keyFor: JWTVerifyGetKey): JWTVerifyGetKey {
  return async (header, token) => {
    try {
      return await keyFor(header, token)
    } catch (error) {
      const isTokensFault = error instanceof errors.JWKSNoMatchingKey || error instanceof errors.JWKSMultipleMatchingKeys || error instanceof errors.JOSENotSupported
      throw isTokensFault ? error : new KeysUnavailable()
    }
  }
}
