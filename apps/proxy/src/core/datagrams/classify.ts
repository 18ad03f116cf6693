// What a client's datagram is, by its bytes alone. Whether a token is live is the token table's business.
import { readToken, TOKEN_BYTES } from '#wire/token.js'

/** Every datagram is exactly one of these. */
export const PacketKind = Object.freeze({
  /** Anything that does not start with the magic and is not a token. */
  data: 0,
  /** Exactly a token. */
  token: 1,
  /** The magic, then exactly a token. */
  control: 2,
  /** The magic, then something else. */
  malformedControl: 3
} as const)

export type PacketKind = typeof PacketKind[keyof typeof PacketKind]

const LF = 0x0a
const CR = 0x0d

/**
 * Classifies the datagram in `bytes[start..end - 1]`; for `token` and `control` the token's number is in `token[0..3]` afterwards.
 * One LF or CRLF after a token belongs to it: people type `echo $TOKEN | nc -u`. Allocates nothing, never throws.
 */
export function classify (bytes: Uint8Array, start: number, end: number, magic: Uint8Array, token: Uint32Array): PacketKind {
  if (startsWith(bytes, start, end, magic)) {
    return isTokenToEnd(bytes, start + magic.length, end, token) ? PacketKind.control : PacketKind.malformedControl
  }
  return isTokenToEnd(bytes, start, end, token) ? PacketKind.token : PacketKind.data
}

function startsWith (bytes: Uint8Array, start: number, end: number, magic: Uint8Array): boolean {
  if (end - start < magic.length) return false
  for (let at = 0; at < magic.length; at++) if (bytes[start + at] !== magic[at]) return false
  return true
}

function isTokenToEnd (bytes: Uint8Array, start: number, end: number, token: Uint32Array): boolean {
  const tokenEnd = start + TOKEN_BYTES
  const extra = end - tokenEnd
  if (extra < 0 || extra > 2) return false
  if (extra === 1 && bytes[tokenEnd] !== LF) return false
  if (extra === 2 && (bytes[tokenEnd] !== CR || bytes[tokenEnd + 1] !== LF)) return false
  return readToken(bytes, start, token)
}
