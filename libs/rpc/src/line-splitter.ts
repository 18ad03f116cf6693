// Bytes in any portions become lines. Pure; the stream itself is the reader's. A line that is too long ends the reading:
// there is no way back into step with an unknown frame.
import { err, ok, type Result } from '#core/result.js'

const LF = 0x0a

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

  /** The stream is over: what has no LF is a line as well. */
  end (): void {
    this.#emit()
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
