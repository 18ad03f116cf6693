// Control packets with the magic that a director has unless it is told another one.
import { controlPacket, DEFAULT_MAGIC_HEX } from '#wire/control-packet.js'
import type { Token } from '#wire/token.js'

/** What a control packet begins with. */
export const magic: Uint8Array = Uint8Array.from(Buffer.from(DEFAULT_MAGIC_HEX, 'hex'))

/** What a client sends to have its session moved to the target of `token`. */
export function resetPacket (token: string): Uint8Array {
  return controlPacket(magic, token as Token)
}
