// Bearer keys from a file.
import type { Result } from '#core/result.js'
import { ok } from '#core/result.js'
import { bearerFrom, failed, type Authenticator } from './authenticator.js'
import { FollowedFile, type FollowedFileOptions } from '../../files/followed-file.js'
import { keyRingFrom } from './key-ring.js'

export type KeyFileOptions = Omit<FollowedFileOptions<unknown>, 'parse'>

/** Fails with a clause if the file cannot be used now; later its last good content stays. */
export async function openKeyAuthenticator (options: KeyFileOptions): Promise<Result<Authenticator, string>> {
  const file = await FollowedFile.open({ ...options, parse: keyRingFrom })
  if (!file.ok) return file
  return ok({
    isRequired: true,
    verify: authorization => {
      const bearer = bearerFrom(authorization)
      if (!('credentials' in bearer)) return bearer
      const name = file.value.value.nameOf(bearer.credentials)
      return name === undefined ? failed.refused : { ok: true, name }
    },
    close: async () => { await file.value.close() }
  })
}
