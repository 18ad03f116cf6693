// From the bytes of a file that people write to its text, or to what such bytes are instead. Pure.
import { err, ok, type Result } from './result.js'

const NEWLINE = 10

/**
 * The text of UTF-8 `bytes`, without a byte order mark (Unicode 16, 2.13). The failure continues "the file": Windows
 * tools write UTF-16, and archives, images and pieces of memory are put in the wrong place; what parsers say of them helps nobody.
 */
export function textFromBytes (bytes: Uint8Array): Result<string, string> {
  if ((bytes[0] === 0xff && bytes[1] === 0xfe) || (bytes[0] === 0xfe && bytes[1] === 0xff)) return err('is UTF-16 text; save it as UTF-8')
  const nul = bytes.indexOf(0)
  if (nul >= 0) return err(`has a NUL byte in line ${lineOf(bytes, nul)}; it is not UTF-8 text`)
  try {
    return ok(new TextDecoder('utf-8', { fatal: true }).decode(bytes))
  } catch {
    // A TypeError, which does not say where.
    return err('is not UTF-8 text')
  }
}

function lineOf (bytes: Uint8Array, end: number): number {
  let line = 1
  for (let at = bytes.indexOf(NEWLINE); at >= 0 && at < end; at = bytes.indexOf(NEWLINE, at + 1)) line++
  return line
}
