// The key that a query brings: the first of a file that may be the director's own, with names and comments.
import { readFileSync } from 'node:fs'
import { isIdleKeyLine, keyLineFrom } from '#config/key-line.js'
import { err, ok, type Result } from '#core/result.js'
import { textFromBytes } from '#core/text-from-bytes.js'

/** The key of the first line that is neither blank nor a comment. The fault never says what is in the file. */
export function readKeyFile (path: string): Result<string, string> {
  let text
  try {
    // Also from a pipe: <(a program that knows it).
    text = textFromBytes(readFileSync(path))
  } catch (error) {
    return err(`${path} cannot be read: ${(error as NodeJS.ErrnoException).code ?? String(error)}.`)
  }
  if (!text.ok) return err(`${path} ${text.error}.`)
  const lines = text.value.split(/\r?\n/)
  const at = lines.findIndex(line => !isIdleKeyLine(line))
  if (at < 0) return err(`${path} has no key.`)
  const found = keyLineFrom(lines[at]!)
  return found === undefined ? err(`${path}: line ${at + 1} is neither a key nor \`name: key\`.`) : ok(found.key)
}
