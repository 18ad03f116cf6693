// Reads a file that people write, once, before anything else runs.
import { readFileSync, statSync } from 'node:fs'
import { err, type Result } from '#core/result.js'
import { textFromBytes } from '#core/text-from-bytes.js'

/** The text of `file`, which is to be `what`. The failure continues "the file". */
export function readTextFile (file: string, what: string, maxBytes: number): Result<string, string> {
  try {
    const found = statSync(file)
    if (found.isDirectory()) return err(`is a directory; give the ${what} in it`)
    // A pipe without a writer would keep the process waiting for ever, and some devices never end.
    if (!found.isFile()) return err('is not a regular file, but a pipe, a socket or a device')
    if (found.size > maxBytes) return err(`has ${found.size} bytes; a ${what} has ${maxBytes} at most`)
    return textFromBytes(readFileSync(file))
  } catch (error) {
    return err(`cannot be read: ${(error as NodeJS.ErrnoException).code ?? String(error)}`)
  }
}
