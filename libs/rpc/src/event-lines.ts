// NDJSON, the reading side: bytes in any portions become lines, lines become events. Pure; the stream itself is the
// client's. A line that is too long ends the reading: there is no way back into step with an unknown frame.
import { TypeCompiler } from '@sinclair/typebox/compiler'
import { err, ok, type Result } from '#core/result.js'
import { EventSchema, type RpcEvent } from './contract.js'

/** Longest event line, in bytes. 10,000 targets with keys of 100 characters fit. */
export const MAX_EVENT_LINE_BYTES = 1024 * 1024

const LF = 0x0a

const eventCheck = TypeCompiler.Compile(EventSchema)

/** Cuts a stream of bytes into lines at LF. */
export class LineSplitter {
  readonly #maxBytes: number
  readonly #onLine: (line: string) => void
  #partial: Uint8Array[] = []
  #partialBytes = 0

  constructor (maxBytes: number, onLine: (line: string) => void) {
    this.#maxBytes = maxBytes
    this.#onLine = onLine
  }

  /** Takes the next bytes of the stream; what follows a line that is too long is meaningless. */
  push (chunk: Uint8Array): Result<undefined, 'LINE_TOO_LONG'> {
    let start = 0
    for (let end = chunk.indexOf(LF); end >= 0; end = chunk.indexOf(LF, start)) {
      if (!this.#keep(chunk.subarray(start, end))) return err('LINE_TOO_LONG')
      this.#emit()
      start = end + 1
    }
    return this.#keep(chunk.subarray(start)) ? ok(undefined) : err('LINE_TOO_LONG')
  }

  #keep (bytes: Uint8Array): boolean {
    this.#partialBytes += bytes.length
    if (this.#partialBytes > this.#maxBytes) return false
    if (bytes.length > 0) this.#partial.push(bytes)
    return true
  }

  #emit (): void {
    const line = Buffer.concat(this.#partial, this.#partialBytes).toString('utf8')
    this.#partial = []
    this.#partialBytes = 0
    if (line.trim() !== '') this.#onLine(line)
  }
}

/** The event a line holds. */
export function eventFromLine (line: string): Result<RpcEvent, 'BAD_LINE'> {
  let value: unknown
  try {
    value = JSON.parse(line)
  } catch { // SyntaxError: not JSON
    return err('BAD_LINE')
  }
  return eventCheck.Check(value) ? ok(value) : err('BAD_LINE')
}
