// Tokens: what they look like in text and on the wire, and nothing about their life.
import type { Brand } from '#core/brand.js'

/**
 * A UUID version 4 in its lower-case canonical form (RFC 9562 §4 and §5.4): 36 ASCII characters, of whose 122 free bits 90 are random
 * and 32 a mark of them (token-mac.ts): nobody else can foretell any of them.
 * Upper case, braces, other versions and other variants are not tokens.
 */
export type Token = Brand<string, 'Token'>

/** Length of a token on the wire, in bytes. */
export const TOKEN_BYTES = 36

/** Length of the number a token stands for, in 32-bit words. */
export const TOKEN_WORDS = 4

const HYPHEN = 0x2d
/** The form of a token as a regular expression (ECMA-262), for schemas. */
export const TOKEN_PATTERN = '^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$'

const pattern = new RegExp(TOKEN_PATTERN)

export function isToken (text: string): text is Token {
  return pattern.test(text)
}

// Value of a lower-case hex digit by its ASCII code; 255 for every other byte. A table beats comparisons per byte.
const hexValue = new Uint8Array(256).fill(255)
for (let digit = 0; digit < 16; digit++) hexValue[digit.toString(16).charCodeAt(0)] = digit

// Where the 32 hex digits stand among the 36 characters: 8-4-4-4-12.
const digitAt = Uint8Array.from(Array.from({ length: TOKEN_BYTES }, (_, at) => at)
  .filter(at => at !== 8 && at !== 13 && at !== 18 && at !== 23))

/**
 * Reads the token at `bytes[start, start + 36)` into `words[0..3]`, first word first, big-endian.
 * Returns false, with `words` undefined, if those bytes are not a token. Allocates nothing.
 */
export function readToken (bytes: Uint8Array, start: number, words: Uint32Array): boolean {
  if (bytes.length - start < TOKEN_BYTES) return false
  if (bytes[start + 8] !== HYPHEN || bytes[start + 13] !== HYPHEN ||
      bytes[start + 18] !== HYPHEN || bytes[start + 23] !== HYPHEN) return false
  let seen = 0
  let digit = 0
  for (let word = 0; word < TOKEN_WORDS; word++) {
    let value = 0
    for (let nibble = 0; nibble < 8; nibble++) {
      const hex = hexValue[bytes[start + digitAt[digit++]!]!]!
      seen |= hex
      value = value << 4 | hex
    }
    words[word] = value
  }
  // hexValue is 255 for a foreign byte and below 16 otherwise, so one test after the loop finds any of them.
  if (seen > 15) return false
  return (words[1]! >>> 12 & 0xf) === 4 && words[2]! >>> 30 === 2
}

/** The text of the token whose number is in `words[offset..offset + 3]`. */
export function tokenFromWords (words: ArrayLike<number>, offset = 0): Token {
  let hex = ''
  for (let word = 0; word < TOKEN_WORDS; word++) hex += (words[offset + word]! >>> 0).toString(16).padStart(8, '0')
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20)}` as Token
}

/** Writes the number of `token` to `words[offset..offset + 3]`. */
export function writeTokenWords (token: Token, words: Uint32Array, offset = 0): void {
  const hex = token.replaceAll('-', '')
  for (let word = 0; word < TOKEN_WORDS; word++) {
    words[offset + word] = Number.parseInt(hex.slice(word * 8, word * 8 + 8), 16)
  }
}
