// Whether a batch holds what images.ts writes, so that its readers may trust what they read. A checksum tells that nothing
// happened to the bytes since they were written; this tells that nothing was wrong when they were. Pure.
import { BATCH_HEAD_BYTES, bodyChecks, IMAGE_HEAD_BYTES, type BodyCheck } from './layout.js'
import { isMoment, readMoment } from './moment.js'

const checks: Readonly<Record<number, BodyCheck | undefined>> = bodyChecks

/** Whether every image in `batch` is one of a proxy with this many data ports. Never throws. Unknown kinds are anybody's. */
export function isBatch (batch: Uint8Array, dataPorts: number): boolean {
  const view = new DataView(batch.buffer, batch.byteOffset, batch.length)
  if (batch.length < BATCH_HEAD_BYTES || !isMoment(readMoment(view, 0))) return false
  let at = BATCH_HEAD_BYTES
  while (at < batch.length) {
    if (batch.length - at < IMAGE_HEAD_BYTES) return false
    const [kind, length] = [view.getUint8(at), view.getUint16(at + 1, true)]
    at += IMAGE_HEAD_BYTES
    // An empty body is a free slot.
    if (at + length > batch.length || (length > 0 && checks[kind]?.(view, at, length, dataPorts) === false)) return false
    at += length
  }
  return true
}
