// A client as people and other processes write it, as the key that the session table has it by.
import { ADDRESS_WORDS, addressWords, formatAddress, formatEndpoint } from '#wire/address.js'
import { CLIENT_KEY_WORDS } from '../../core/tables/session-table.js'

/** From `ip:port` or `[ip]:port`, in any spelling of the address; undefined for what is not a client. */
export function clientKeyFrom (text: string): Uint32Array | undefined {
  const parts = /^(?:\[(?<bracketed>[^\]]+)\]|(?<plain>[^:]+)):(?<port>\d{1,5})$/.exec(text)?.groups
  const words = addressWords(parts?.['bracketed'] ?? parts?.['plain'] ?? '')
  if (words === undefined) return undefined
  const key = new Uint32Array(CLIENT_KEY_WORDS)
  key.set(words)
  key[ADDRESS_WORDS] = Number(parts!['port'])
  return key
}

/** The way back: the address in its canonical form. */
export function clientText (words: ArrayLike<number>, port: number): string {
  return formatEndpoint(formatAddress(words), port)
}
