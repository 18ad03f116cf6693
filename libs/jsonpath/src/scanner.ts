// A position in the text of a path, and the tokens of the grammar. Keeps the first fault; every reader answers
// undefined (or false) from then on, so that a parser can simply hand that upwards.
import type { PathFault } from './path.js'

// What means something to the grammar, and so ends a bare name unless a backslash stands before it.
const reserved = new Set('.[](){}\'"*,\\=<>!?@')

export class Scanner {
  readonly #text: string
  #at = 0
  #fault: PathFault | undefined

  constructor (text: string) {
    this.#text = text
  }

  get at (): number {
    return this.#at
  }

  get fault (): PathFault | undefined {
    return this.#fault
  }

  /** The next character, or the empty string at the end. */
  peek (): string {
    return this.#text.charAt(this.#at)
  }

  nextIsOneOf (characters: string): boolean {
    return this.peek() !== '' && characters.includes(this.peek())
  }

  take (token: string): boolean {
    if (!this.#text.startsWith(token, this.#at)) return false
    this.#at += token.length
    return true
  }

  /** What the sticky `pattern` matches here. */
  takeMatch (pattern: RegExp): string | undefined {
    pattern.lastIndex = this.#at
    const found = pattern.exec(this.#text)?.[0]
    this.#at += found?.length ?? 0
    return found
  }

  skipSpaces (): void {
    while (this.peek() === ' ') this.#at++
  }

  /** Takes `token`, spaces before it allowed, or records that it is missing. */
  expect (token: string): boolean {
    this.skipSpaces()
    if (this.take(token)) return true
    this.failExpecting(`'${token}'`)
    return false
  }

  /** A bare name: anything but spaces, control characters and what the grammar uses; a backslash escapes those. */
  takeName (): string | undefined {
    let name = ''
    for (let next = this.peek(); isNameCharacter(next) || next === '\\'; next = this.peek()) {
      const part = next === '\\' ? this.#takeEscaped() : this.#takeAny()
      if (part === undefined) return undefined
      name += part
    }
    if (name !== '') return name
    this.failExpecting('a name')
    return undefined
  }

  /** What stands between two quotes of the same kind; the opening one is next. */
  takeQuoted (): string | undefined {
    const quote = this.#takeAny()
    let content = ''
    for (let next = this.peek(); next !== quote && next !== ''; next = this.peek()) {
      const part = next === '\\' ? this.#takeEscaped() : this.#takeAny()
      if (part === undefined) return undefined
      content += part
    }
    if (this.take(quote)) return content
    this.failExpecting(`a closing ${quote}`)
    return undefined
  }

  failExpecting (what: string): void {
    const code = this.#text.codePointAt(this.#at)
    const found = code === undefined ? 'the end' : `'${String.fromCodePoint(code)}'`
    this.fail(`expected ${what}, found ${found}`, this.#at)
  }

  fail (message: string, position: number): void {
    this.#fault ??= { message, position }
  }

  #takeAny (): string {
    return this.#text.charAt(this.#at++)
  }

  // Only punctuation: elsewhere `\n` is a line break and `\u0041` a letter, and taking them for n and u would mislead.
  #takeEscaped (): string | undefined {
    this.#at++
    if (this.peek() !== '' && !/[\p{L}\p{N}]/u.test(this.peek())) return this.#takeAny()
    this.failExpecting('punctuation after a backslash')
    return undefined
  }
}

function isNameCharacter (character: string): boolean {
  return character > ' ' && character !== '\u007f' && !reserved.has(character)
}
