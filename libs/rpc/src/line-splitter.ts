// Bytes in any portions become lines. Pure; the stream itself is the reader's. It splits bytes, not text, so that a character
// may arrive in two halves. A line that is too long ends the reading, because nothing says where the next one begins.
import { err, ok, type Result } from '#core/result.js'

const LF = 0x0a

const FIRST_CAPACITY = 1024

/** A buffer that is larger is let go after its line: the next one may be short again. */
const KEPT_CAPACITY = 64 * 1024

/** Cuts a stream of bytes into lines at LF; blank ones are left out. */
export class LineSplitter {
  readonly #maxBytes: number
  readonly #onLine: (line: string) => void
  // The beginning of a line whose end has not come yet, in the first `#length` bytes. One buffer, because a list of
  // portions takes a hundred bytes for each, and they may be of one byte.
  #pending = Buffer.alloc(0)
  #length = 0

  constructor (maxBytes: number, onLine: (line: string) => void) {
    this.#maxBytes = maxBytes
    this.#onLine = onLine
  }

  /** Whether a line has begun and not ended: a stream that closes now was cut off. */
  get isMidLine (): boolean {
    return this.#length > 0
  }

  /** Takes the next bytes of the stream; what follows a line that is too long is meaningless. */
  push (chunk: Uint8Array): Result<undefined, 'LINE_TOO_LONG'> {
    const bytes = Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength)
    let start = 0
    for (let end = bytes.indexOf(LF); end >= 0; end = bytes.indexOf(LF, start)) {
      if (this.#length + end - start > this.#maxBytes) return err('LINE_TOO_LONG')
      // Most lines come whole: they are read where they are.
      if (this.#length === 0) this.#emit(bytes.toString('utf8', start, end))
      else {
        this.#keep(bytes.subarray(start, end))
        this.end()
      }
      start = end + 1
    }
    if (this.#length + bytes.length - start > this.#maxBytes) return err('LINE_TOO_LONG')
    this.#keep(bytes.subarray(start))
    return ok(undefined)
  }

  /** The stream is over: what has no LF is a line as well. */
  end (): void {
    const line = this.#pending.toString('utf8', 0, this.#length)
    this.#length = 0
    if (this.#pending.length > KEPT_CAPACITY) this.#pending = Buffer.alloc(0)
    this.#emit(line)
  }

  #keep (bytes: Buffer): void {
    const length = this.#length + bytes.length
    if (length > this.#pending.length) {
      const larger = Buffer.allocUnsafe(Math.max(length, 2 * this.#pending.length, FIRST_CAPACITY))
      this.#pending.copy(larger, 0, 0, this.#length)
      this.#pending = larger
    }
    bytes.copy(this.#pending, this.#length)
    this.#length = length
  }

  #emit (line: string): void {
    if (line.trim() !== '') this.#onLine(line)
  }
}
