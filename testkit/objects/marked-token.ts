// Tokens with the mark of a key, as directors that share a store make them; the same for the same name.
import { markToken, tokenKeyFrom } from '#wire/token-mac.js'
import { TOKEN_WORDS, tokenFromWords, type Token } from '#wire/token.js'

/** A key of tests. */
export const TOKEN_KEY = '000102030405060708090a0b0c0d0e0f'

/** The token of this name. */
export function markedToken (name: string, key = TOKEN_KEY): Token {
  const words = new Uint32Array(TOKEN_WORDS)
  for (let at = 0; at < name.length; at++) words[at % 3] = Math.imul(words[at % 3]! ^ name.charCodeAt(at) + at, 16_777_619)
  // Version 4, variant 10 (RFC 9562 §5.4).
  words[1] = words[1]! & 0xffff_0fff | 0x4000
  words[2] = words[2]! & 0x3fff_ffff | 0x8000_0000
  markToken(words, tokenKeyFrom(key))
  return tokenFromWords(words)
}
