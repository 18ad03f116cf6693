// Bytes of a watch in, lines out. It splits bytes, not text, so that a character may arrive in two halves.

/** Longest line of a watch: etcd holds objects of up to 1.5 MiB, and JSON in an event may be some times that. */
export const MAX_LINE_BYTES = 8 * 1024 * 1024

const LINE_FEED = 0x0A
const FIRST_CAPACITY = 16 * 1024

export class LineDecoder {
  // The beginning of a line whose end has not come yet, in the first `#length` bytes.
  #pending = Buffer.alloc(0)
  #length = 0

  /** True if a line has begun and not ended: a stream that closes now was cut off. */
  get isMidLine (): boolean {
    return this.#length > 0
  }

  /** The lines that `chunk` completes, blank ones left out; undefined once a line is longer than `MAX_LINE_BYTES`. */
  push (chunk: Buffer): string[] | undefined {
    const lines: string[] = []
    let start = 0
    for (let end = chunk.indexOf(LINE_FEED); end >= 0; end = chunk.indexOf(LINE_FEED, start)) {
      if (!this.#append(chunk.subarray(start, end))) return undefined
      const line = this.#take()
      if (line !== '') lines.push(line)
      start = end + 1
    }
    return this.#append(chunk.subarray(start)) ? lines : undefined
  }

  #append (bytes: Buffer): boolean {
    const length = this.#length + bytes.length
    if (length > MAX_LINE_BYTES) return false
    if (length > this.#pending.length) {
      const larger = Buffer.allocUnsafe(Math.max(length, 2 * this.#pending.length, FIRST_CAPACITY))
      this.#pending.copy(larger, 0, 0, this.#length)
      this.#pending = larger
    }
    bytes.copy(this.#pending, this.#length)
    this.#length = length
    return true
  }

  #take (): string {
    const line = this.#pending.toString('utf8', 0, this.#length).trim()
    this.#length = 0
    return line
  }
}
