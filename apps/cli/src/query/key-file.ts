// The key that a query brings: the first of a file that may be the director's own, with names and comments.
import { readFileSync } from 'node:fs'
import { isIdleKeyLine, keyLineFrom } from '#config/key-line.js'
import { err, ok, type Result } from '#core/result.js'

/** The key of the first line that is neither blank nor a comment. The fault never says what is in the file. */
export function readKeyFile (path: string): Result<string, string> {
  let text
  try {
    text = readFileSync(path, 'utf8')
  } catch (error) {
    return err(`${path} cannot be read: ${(error as NodeJS.ErrnoException).code ?? String(error)}.`)
  }
  const lines = text.split(/\r?\n/)
  const at = lines.findIndex(line => !isIdleKeyLine(line))
  if (at < 0) return err(`${path} has no key.`)
  const found = keyLineFrom(lines[at]!)
  return found === undefined ? err(`${path}: line ${at + 1} is neither a key nor \`name: key\`.`) : ok(found.key)
}
