// What a connection needs that is in files: passwords and certificates. Each is read again when it changes, and the next connection
// is made with what it says then.
import type { BaseLogger } from 'pino'
import type { SharedState } from '#config/schema.js'
import type { Clock } from '#core/clock.js'
import { err, ok, type Result } from '#core/result.js'
import { FollowedFile } from '../../files/followed-file.js'

const sentences = { ok: 'A file of the shared store was read again', fault: 'A file of the shared store cannot be read, its last good content stays' }

const fileKeys = ['passwordFile', 'sentinelPasswordFile', 'caFile', 'certFile', 'keyFile'] as const satisfies ReadonlyArray<keyof SharedState>
type FileKey = typeof fileKeys[number]

/** What the files say now. */
export type Secrets = Readonly<Partial<Record<FileKey, string>>>

export interface FollowedSecrets {
  readonly now: () => Secrets
  readonly close: () => Promise<void>
}

/** Fails with a sentence if one of them cannot be used. */
export async function openSecrets (sharedState: SharedState, { clock, log, onChange }: {
  readonly clock: Clock
  readonly log: BaseLogger
  readonly onChange: () => void
}): Promise<Result<FollowedSecrets, string>> {
  const files = new Map<FileKey, FollowedFile<string>>()
  const close = async (): Promise<void> => { await Promise.all([...files.values()].map(async file => { await file.close() })) }
  for (const key of fileKeys) {
    const path = sharedState[key]
    if (path === undefined) continue
    const parse = key === 'passwordFile' || key === 'sentinelPasswordFile' ? passwordFrom : certificateFrom
    const file = await FollowedFile.open({ path, clock, log, sentences, parse, onRead: onChange })
    if (!file.ok) {
      await close()
      return err(`sharedState.${key}: ${path} cannot be used: ${file.error}.`)
    }
    files.set(key, file.value)
  }
  return ok({ now: () => Object.fromEntries([...files].map(([key, file]) => [key, file.value])), close })
}

// A line's end belongs to the editor, anything else to the password.
function passwordFrom (text: string): Result<string, string> {
  const password = text.replace(/\r?\n$/, '')
  return password === '' ? err('it is empty') : ok(password)
}

function certificateFrom (text: string): Result<string, string> {
  return text.includes('-----BEGIN ') ? ok(text) : err('it is not PEM')
}
