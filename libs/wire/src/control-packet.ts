// The control packet: [magic][token], optionally followed by one LF or CRLF. docs/protocol.md is its specification.
import { err, ok, type Result } from '#core/result.js'
import { TOKEN_BYTES, type Token } from './token.js'

/** FF FF FF FF "RESET": four bytes that rarely start a datagram, and a word that shows in a packet capture. */
export const DEFAULT_MAGIC_HEX = 'FFFFFFFF5245534554'

/** Longest magic, in bytes. 8 to 16 are recommended; one byte works and eats every datagram that starts with it. */
export const MAX_MAGIC_BYTES = 32

export type MagicFault = 'not_hex' | 'odd_length' | 'too_short' | 'too_long'

/** Decodes the magic's hexadecimal text (either case) to 1–32 bytes. */
export function magicFromHex (hex: string): Result<Uint8Array, MagicFault> {
  if (!/^[0-9a-f]*$/i.test(hex)) return err('not_hex')
  if (hex.length === 0) return err('too_short')
  if (hex.length % 2 !== 0) return err('odd_length')
  if (hex.length > MAX_MAGIC_BYTES * 2) return err('too_long')
  return ok(Uint8Array.from(Buffer.from(hex, 'hex')))
}

/** The bytes of a control packet that moves the sender's session to the target of `token`. */
export function controlPacket (magic: Uint8Array, token: Token): Uint8Array {
  const packet = new Uint8Array(magic.length + TOKEN_BYTES)
  packet.set(magic)
  packet.set(Buffer.from(token, 'ascii'), magic.length)
  return packet
}
