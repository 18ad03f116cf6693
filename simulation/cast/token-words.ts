// The numbers of tokens, once each: whoever looks at all tokens again and again would do little else than read text.
import { TOKEN_WORDS, writeTokenWords, type Token } from '#wire/token.js'

const MOST = 2000
const known = new Map<Token, Uint32Array>()

/** The number a token stands for. */
export function tokenWords (token: Token): Uint32Array {
  let words = known.get(token)
  if (words === undefined) {
    words = new Uint32Array(TOKEN_WORDS)
    writeTokenWords(token, words)
    if (known.size >= MOST) known.clear()
    known.set(token, words)
  }
  return words
}
