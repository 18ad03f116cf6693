// One batch while it is put together: images one after the other (layout.ts draws them) in memory that is used again for the
// next batch.
import { BATCH_HEAD_BYTES, IMAGE_HEAD_BYTES, type ImageKind } from './layout.js'
import { BATCH_FRAME_BYTES, sealBatch } from './log-format.js'
import { writeMoment, type Moment } from './moment.js'

const FIRST_CAPACITY = 64 * 1024

export class ImageWriter {
  #bytes = new Uint8Array(FIRST_CAPACITY)
  #view = new DataView(this.#bytes.buffer)
  #end = BATCH_FRAME_BYTES + BATCH_HEAD_BYTES
  // Where the image that was begun will end.
  #next = 0

  get isEmpty (): boolean { return this.#end === BATCH_FRAME_BYTES + BATCH_HEAD_BYTES }

  /** Bytes of the batch so far. */
  get length (): number { return this.#end }

  /** The batch so far; in force until the next image begins. */
  get view (): DataView { return this.#view }

  /** Starts an image, which is there once it is finished. Returns where in `view` its body starts, `length` bytes to be filled in. */
  begin (kind: ImageKind, slot: number, length: number): number {
    const body = this.#end + IMAGE_HEAD_BYTES
    this.#next = body + length
    if (this.#next > this.#bytes.length) this.#grow()
    this.#view.setUint8(this.#end, kind)
    this.#view.setUint16(this.#end + 1, length, true)
    this.#view.setUint32(this.#end + 3, slot, true)
    return body
  }

  finish (): void {
    this.#end = this.#next
  }

  /** A whole image. */
  image (kind: ImageKind, slot: number, body: Uint8Array): void {
    const at = this.begin(kind, slot, body.length)
    this.#bytes.set(body, at)
    this.finish()
  }

  /** A whole image without a body. */
  mark (kind: ImageKind, slot: number): void {
    this.begin(kind, slot, 0)
    this.finish()
  }

  /**
   * The sealed batch, in force until the next image begins; the writer is empty afterwards.
   * @param link of the frame before this one in the log
   */
  take (moment: Moment, link: number): Uint8Array {
    writeMoment(this.#view, BATCH_FRAME_BYTES, moment)
    const batch = this.#bytes.subarray(0, this.#end)
    sealBatch(batch, link)
    this.#end = BATCH_FRAME_BYTES + BATCH_HEAD_BYTES
    return batch
  }

  #grow (): void {
    const grown = new Uint8Array(Math.max(this.#bytes.length * 2, this.#next))
    grown.set(this.#bytes)
    this.#bytes = grown
    this.#view = new DataView(grown.buffer)
  }
}
