// The keys of a file and the constant-time search among them. Keys themselves are not kept: only their HMAC under a key
// that this process made for itself, so that neither time nor a dump of memory tells one.
import { createHmac, randomBytes, timingSafeEqual } from 'node:crypto'
import { isIdleKeyLine, keyLineFrom } from '#config/key-line.js'
import { err, ok, type Result } from '#core/result.js'

const MIN_KEY_LENGTH = 16
const MAX_KEY_LENGTH = 512
/** Each request is compared with all of them. */
const MAX_KEYS = 256

interface Entry {
  readonly name: string
  readonly digest: Buffer
}

export class KeyRing {
  readonly #secret: Buffer
  readonly #entries: readonly Entry[]

  constructor (keys: ReadonlyArray<{ readonly name: string, readonly key: string }>, secret: Buffer = randomBytes(32)) {
    this.#secret = secret
    this.#entries = keys.map(({ name, key }) => ({ name, digest: this.#digest(key) }))
  }

  get size (): number {
    return this.#entries.length
  }

  /** The name of a key, or undefined. Takes the same time wherever and however much `key` is like one of the ring. */
  nameOf (key: string): string | undefined {
    const digest = this.#digest(key)
    let name: string | undefined
    for (const entry of this.#entries) {
      // No early end: every entry is compared.
      if (timingSafeEqual(entry.digest, digest)) name = entry.name
    }
    return name
  }

  #digest (key: string): Buffer {
    return createHmac('sha256', this.#secret).update(key).digest()
  }
}

/**
 * The ring of a file with one key a line, or `name: key`; blank lines and those that start with # are skipped. Two keys
 * may have one name: an old and a new one. The fault is a sentence that tells the line and never what is in it.
 */
export function keyRingFrom (text: string): Result<KeyRing, string> {
  const keys: Array<{ readonly name: string, readonly key: string }> = []
  const seen = new Set<string>()
  for (const [index, line] of text.split(/\r?\n/).entries()) {
    if (isIdleKeyLine(line)) continue
    const { name = `key-${keys.length + 1}`, key } = keyLineFrom(line) ?? {}
    const fault = key === undefined ? 'is not a key' : faultOf(key, seen)
    if (key === undefined || fault !== undefined) return err(`line ${index + 1} ${fault ?? ''}`)
    seen.add(key)
    keys.push({ name, key })
  }
  if (keys.length === 0) return err('it has no keys')
  return keys.length > MAX_KEYS ? err(`it has more than ${MAX_KEYS} keys`) : ok(new KeyRing(keys))
}

function faultOf (key: string, seen: ReadonlySet<string>): string | undefined {
  if (key.length < MIN_KEY_LENGTH) return `has a key of less than ${MIN_KEY_LENGTH} characters`
  if (key.length > MAX_KEY_LENGTH) return `has a key of more than ${MAX_KEY_LENGTH} characters`
  return seen.has(key) ? 'repeats a key' : undefined
}
