// The mark by which a director knows a token as one of its own before it has looked anywhere: the last 32 bits of the number
// are a keyed hash of the first 96, of which 90 are random. It is a filter, not a proof: what it lets pass is looked up.
import { TOKEN_WORDS, writeTokenWords, type Token } from './token.js'

/** Length of a key, in 32-bit words. */
export const TOKEN_KEY_WORDS = 4

/** A key as text: 32 lower-case hexadecimal digits, 16 bytes. */
export const TOKEN_KEY_PATTERN = '^[0-9a-f]{32}$'

/** The word of a token that holds its mark. */
const MARK = TOKEN_WORDS - 1

const MARK_DIGITS = 8

const scratch = new Uint32Array(TOKEN_WORDS)

// The 12 bytes that are hashed, as SipHash counts them: in the top byte of its last block.
const LENGTH = TOKEN_WORDS * 4 - 4 << 24

/** The words of a key, as SipHash reads its bytes: little-endian. */
export function tokenKeyFrom (hex: string): Uint32Array {
  const bytes = Uint8Array.from({ length: TOKEN_KEY_WORDS * 4 }, (_, at) => Number.parseInt(hex.slice(at * 2, at * 2 + 2), 16))
  const view = new DataView(bytes.buffer)
  return Uint32Array.from({ length: TOKEN_KEY_WORDS }, (_, word) => view.getUint32(word * 4, true))
}

/** Puts the mark of `key` into `words[3]`, in place of what is there. */
export function markToken (words: Uint32Array, key: Uint32Array): void {
  words[MARK] = markOf(words[0]!, words[1]!, words[2]!, key)
}

/** The token with the mark of `key` in place of its last eight digits: of its 122 random bits 90 stay. */
export function markedToken (token: Token, key: Uint32Array): Token {
  writeTokenWords(token, scratch)
  markToken(scratch, key)
  return token.slice(0, -MARK_DIGITS) + scratch[MARK]!.toString(16).padStart(MARK_DIGITS, '0') as Token
}

/** Whether `words` has the mark of `key`. One in 2³² of all other tokens has it by chance. Allocates nothing. */
export function isMarked (words: Uint32Array, key: Uint32Array): boolean {
  return words[MARK] === markOf(words[0]!, words[1]!, words[2]!, key)
}

// SipHash-2-4 (Aumasson and Bernstein, 2012, §2) of three words, its 64 bits cut to the lower 32. Each v is two halves: JavaScript
// has no 64-bit integers that are quick.
let v0h = 0; let v0l = 0; let v1h = 0; let v1l = 0; let v2h = 0; let v2l = 0; let v3h = 0; let v3l = 0

function round (): void {
  let low = (v0l >>> 0) + (v1l >>> 0)
  v0h = v0h + v1h + (low > 0xffff_ffff ? 1 : 0) | 0; v0l = low | 0
  let high = v1h << 13 | v1l >>> 19
  v1l = (v1l << 13 | v1h >>> 19) ^ v0l; v1h = high ^ v0h
  high = v0h; v0h = v0l; v0l = high
  low = (v2l >>> 0) + (v3l >>> 0)
  v2h = v2h + v3h + (low > 0xffff_ffff ? 1 : 0) | 0; v2l = low | 0
  high = v3h << 16 | v3l >>> 16
  v3l = (v3l << 16 | v3h >>> 16) ^ v2l; v3h = high ^ v2h
  low = (v0l >>> 0) + (v3l >>> 0)
  v0h = v0h + v3h + (low > 0xffff_ffff ? 1 : 0) | 0; v0l = low | 0
  high = v3h << 21 | v3l >>> 11
  v3l = (v3l << 21 | v3h >>> 11) ^ v0l; v3h = high ^ v0h
  low = (v2l >>> 0) + (v1l >>> 0)
  v2h = v2h + v1h + (low > 0xffff_ffff ? 1 : 0) | 0; v2l = low | 0
  high = v1h << 17 | v1l >>> 15
  v1l = (v1l << 17 | v1h >>> 15) ^ v2l; v1h = high ^ v2h
  high = v2h; v2h = v2l; v2l = high
}

function take (high: number, low: number): void {
  v3h ^= high; v3l ^= low
  round(); round()
  v0h ^= high; v0l ^= low
}

function markOf (first: number, second: number, third: number, key: Uint32Array): number {
  // "somepseudorandomlygeneratedbytes", the constants of §2.1.
  v0h = 0x736f6d65 ^ key[1]!; v0l = 0x70736575 ^ key[0]!
  v1h = 0x646f7261 ^ key[3]!; v1l = 0x6e646f6d ^ key[2]!
  v2h = 0x6c796765 ^ key[1]!; v2l = 0x6e657261 ^ key[0]!
  v3h = 0x74656462 ^ key[3]!; v3l = 0x79746573 ^ key[2]!
  take(second, first)
  take(LENGTH, third)
  v2l ^= 0xff
  round(); round(); round(); round()
  return (v0l ^ v1l ^ v2l ^ v3l) >>> 0
}
