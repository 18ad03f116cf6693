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
 * Classifies `bytes`; for `token` and `control` the token's number is in `token[0..3]` afterwards.
 * One LF or CRLF after a token belongs to it: people type `echo $TOKEN | nc -u`. Allocates nothing, never throws.
 */
export function classify (bytes: Uint8Array, magic: Uint8Array, token: Uint32Array): PacketKind {
  if (startsWith(bytes, magic)) {
    return isTokenToEnd(bytes, magic.length, token) ? PacketKind.control : PacketKind.malformedControl
  }
  return isTokenToEnd(bytes, 0, token) ? PacketKind.token : PacketKind.data
}

function startsWith (bytes: Uint8Array, magic: Uint8Array): boolean {
  if (bytes.length < magic.length) return false
  for (let at = 0; at < magic.length; at++) if (bytes[at] !== magic[at]) return false
  return true
}

function isTokenToEnd (bytes: Uint8Array, start: number, token: Uint32Array): boolean {
  const end = start + TOKEN_BYTES
  const extra = bytes.length - end
  if (extra < 0 || extra > 2) return false
  if (extra === 1 && bytes[end] !== LF) return false
  if (extra === 2 && (bytes[end] !== CR || bytes[end + 1] !== LF)) return false
  return readToken(bytes, start, token)
}
