// Whether a batch holds what images.ts writes, so that its readers may trust what they read. A checksum tells that nothing
// happened to the bytes since they were written; this tells that nothing was wrong when they were. Pure.
import { MAX_LOCALS } from '../core/local-addresses.js'
import { originNames } from '../core/session-table.js'
import { Voidness } from '../core/token-table.js'
import { BATCH_HEAD_BYTES, IMAGE_HEAD_BYTES, ImageKind } from './image-writer.js'
import { REDEEMED_FLAG } from './images.js'

/** A body: where it starts in `view`, and its length. */
type BodyCheck = (view: DataView, at: number, length: number, dataPorts: number) => boolean

const SESSION_BYTES = 91
const FLOW_BYTES = 27
const TOKEN_BYTES = 47
const LOCAL_BYTES = 20

// The last moment there is a date for, in ms since the epoch (ECMA-262 §21.4.1.1).
const LAST_MS = 8.64e15

// Far above what any counter reaches, and far below where adding one changes nothing.
const MAX_COUNT = 2 ** 50

// An empty body is a free slot. The offsets are those of saved-images.ts.
const checks: Readonly<Record<ImageKind, BodyCheck>> = {
  [ImageKind.session]: (view, at, length) => length === SESSION_BYTES && view.getUint16(at + 16, true) > 0 &&
    (view.getUint8(at + 22) & ~REDEEMED_FLAG) < originNames.length && [43, 51].every(offset => isTime(view.getFloat64(at + offset, true))) &&
    [59, 67, 75, 83].every(offset => isCount(view.getFloat64(at + offset, true))),
  [ImageKind.flow]: (view, at, length, dataPorts) => length === FLOW_BYTES && view.getUint8(at + 4) < dataPorts && view.getUint16(at + 23, true) > 0 &&
    view.getUint16(at + 25, true) <= MAX_LOCALS,
  [ImageKind.token]: (view, at, length) => length === TOKEN_BYTES && view.getUint8(at + 22) <= Voidness.targetGone && isTime(view.getFloat64(at + 23, true)),
  [ImageKind.target]: (view, at, length, dataPorts) => isTarget(new Uint8Array(view.buffer, view.byteOffset + at, length), dataPorts),
  [ImageKind.upstreamPort]: (_view, _at, length) => length === 2,
  [ImageKind.counters]: (view, at, length) => {
    if (length % 8 !== 0) return false
    for (let offset = 0; offset < length; offset += 8) if (!isCount(view.getFloat64(at + offset, true))) return false
    return true
  },
  [ImageKind.localAddress]: (_view, _at, length) => length === LOCAL_BYTES,
  [ImageKind.complete]: () => false
}

/** Whether every image in `batch` is one of a proxy with this many data ports. Never throws. Unknown kinds are anybody's. */
export function isBatch (batch: Uint8Array, dataPorts: number): boolean {
  const view = new DataView(batch.buffer, batch.byteOffset, batch.length)
  if (batch.length < BATCH_HEAD_BYTES || !isTime(view.getFloat64(0, true))) return false
  let at = BATCH_HEAD_BYTES
  while (at < batch.length) {
    if (batch.length - at < IMAGE_HEAD_BYTES) return false
    const [kind, length] = [view.getUint8(at), view.getUint16(at + 1, true)]
    at += IMAGE_HEAD_BYTES
    const check = (checks as Readonly<Record<number, BodyCheck>>)[kind]
    if (at + length > batch.length || (length > 0 && check?.(view, at, length, dataPorts) === false)) return false
    at += length
  }
  return true
}

function isTime (ms: number): boolean {
  return ms >= 0 && ms <= LAST_MS
}

function isCount (value: number): boolean {
  return Number.isInteger(value) && value >= 0 && value <= MAX_COUNT
}

function isTarget (text: Uint8Array, dataPorts: number): boolean {
  try {
    const target: unknown = JSON.parse(Buffer.from(text).toString())
    return typeof target === 'object' && target !== null && 'key' in target && typeof target.key === 'string' && target.key !== '' &&
      'address' in target && typeof target.address === 'string' && 'ports' in target && Array.isArray(target.ports) &&
      target.ports.length === dataPorts && target.ports.every(isPort)
  } catch { // SyntaxError: not JSON
    return false
  }
}

function isPort (port: unknown): boolean {
  return Number.isInteger(port) && Number(port) >= 0 && Number(port) <= 65_535
}
