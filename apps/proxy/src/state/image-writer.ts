// One batch while it is put together: images one after the other in memory that is used again for the next batch.
//
//   payload   moment, 24 bytes │ image │ image │ …
//   image     u8 kind │ u16 length │ u32 slot │ body          length 0: the slot is free
import { BATCH_FRAME_BYTES, sealBatch } from './log-format.js'
import { MOMENT_BYTES, writeMoment, type Moment } from './moment.js'

/** What an image is of. A number is never reused for another meaning within a version. */
export const ImageKind = Object.freeze({
  session: 1,
  flow: 2,
  token: 3,
  target: 4,
  upstreamPort: 5,
  counters: 6,
  /** Everything there was when this log began is in it: older ones are not needed. */
  complete: 7,
  /** When a session was last seen. */
  seen: 8,
  /** The last image of this log: what came after it is in the log of the next generation. */
  continued: 9,
  /** An address of this host, by its number in flows. */
  localAddress: 10
} as const)
export type ImageKind = typeof ImageKind[keyof typeof ImageKind]

/** Bytes in front of an image's body. */
export const IMAGE_HEAD_BYTES = 7

/** Bytes in front of a batch's first image. */
export const BATCH_HEAD_BYTES = MOMENT_BYTES

const FIRST_CAPACITY = 64 * 1024

export class ImageWriter {
  #bytes = new Uint8Array(FIRST_CAPACITY)
  #view = new DataView(this.#bytes.buffer)
  #end = BATCH_FRAME_BYTES + BATCH_HEAD_BYTES
  #imageStart = 0

  get isEmpty (): boolean { return this.#end === BATCH_FRAME_BYTES + BATCH_HEAD_BYTES }

  /** Bytes of the batch so far. */
  get length (): number { return this.#end }

  /** Starts an image with a body of at most `room` bytes; `finish` ends it. */
  begin (kind: ImageKind, slot: number, room: number): void {
    this.#ensure(IMAGE_HEAD_BYTES + room)
    this.#imageStart = this.#end
    this.#view.setUint8(this.#end, kind)
    this.#view.setUint32(this.#end + 3, slot, true)
    this.#end += IMAGE_HEAD_BYTES
  }

  finish (): void {
    this.#view.setUint16(this.#imageStart + 1, this.#end - this.#imageStart - IMAGE_HEAD_BYTES, true)
  }

  /** A whole image without a body. */
  mark (kind: ImageKind, slot: number): void {
    this.begin(kind, slot, 0)
    this.finish()
  }

  u8 (value: number): void {
    this.#view.setUint8(this.#end, value)
    this.#end += 1
  }

  u16 (value: number): void {
    this.#view.setUint16(this.#end, value, true)
    this.#end += 2
  }

  u32 (value: number): void {
    this.#view.setUint32(this.#end, value, true)
    this.#end += 4
  }

  f64 (value: number): void {
    this.#view.setFloat64(this.#end, value, true)
    this.#end += 8
  }

  words (words: Uint32Array): void {
    for (const word of words) this.u32(word)
  }

  raw (bytes: Uint8Array): void {
    this.#bytes.set(bytes, this.#end)
    this.#end += bytes.length
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

  #ensure (room: number): void {
    if (this.#end + room <= this.#bytes.length) return
    const grown = new Uint8Array(Math.max(this.#bytes.length * 2, this.#end + room))
    grown.set(this.#bytes)
    this.#bytes = grown
    this.#view = new DataView(grown.buffer)
  }
}
