// Bytes of a watch in, lines out.
import { LineSplitter } from '#rpc/line-splitter.js'

/** Longest line of a watch: etcd holds objects of up to 1.5 MiB, and JSON in an event may be some times that. */
export const MAX_LINE_BYTES = 8 * 1024 * 1024

export class LineDecoder {
  #lines: string[] = []
  readonly #splitter = new LineSplitter(MAX_LINE_BYTES, line => { this.#lines.push(line) })

  /** True if a line has begun and not ended: a stream that closes now was cut off. */
  get isMidLine (): boolean {
    return this.#splitter.isMidLine
  }

  /** The lines that `chunk` completes; undefined once a line is longer than `MAX_LINE_BYTES`. */
  push (chunk: Buffer): string[] | undefined {
    const isWhole = this.#splitter.push(chunk).ok
    const lines = this.#lines
    this.#lines = []
    return isWhole ? lines : undefined
  }
}
