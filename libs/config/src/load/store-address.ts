// The grammar of `sharedState.urls`.
import { err, ok, type Result } from '#core/result.js'

export interface StoreAddress {
  readonly host: string
  readonly port: number
  readonly isTls: boolean
}

const PORT = 6379
const SENTINEL_PORT = 26_379

/** One URL. The error is the rest of a sentence that begins with where it stands; it never has what may be a password. */
export function storeAddress (text: string, mode: 'single' | 'sentinel' | 'cluster'): Result<StoreAddress, string> {
  const [, scheme = '', userInfo, host = '', port, rest] = /^([a-z]+):\/\/(?:(.*)@)?(\[[0-9a-fA-F:.]+\]|[^\s:/?#@[\]]+)(?::(\d{1,5}))?(.*)$/s.exec(text) ?? []
  if (userInfo !== undefined) return err('must not hold a user or a password, which everybody would see who may see the configuration: say username and passwordFile.')
  if (!/^(?:valkey|redis)s?$/.test(scheme)) return err('must be such as "valkey://host:6379", or "valkeys://host:6379" for TLS; redis:// and rediss:// are the same.')
  if (rest !== '' && rest !== '/') return err('must end after the port: directors use database 0, and prefix keeps them apart.')
  const number = Number(port ?? (mode === 'sentinel' ? SENTINEL_PORT : PORT))
  if (number < 1 || number > 65_535) return err('must have a port from 1 to 65535.')
  return ok({ host: host.replace(/^\[|\]$/g, ''), port: number, isTls: scheme === 'valkeys' || scheme === 'rediss' })
}
