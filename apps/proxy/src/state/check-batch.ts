// Whether a batch holds what images.ts writes, so that its readers may trust what they read. A checksum tells that nothing
// happened to the bytes since they were written; this tells that nothing was wrong when they were. Pure.
import { MAX_LOCALS } from '../core/datagrams/local-addresses.js'
import { originNames } from '../core/tables/session-table.js'
import { Voidness } from '../core/tables/token-table.js'
import { BATCH_HEAD_BYTES, IMAGE_HEAD_BYTES, ImageKind } from './image-writer.js'
import { FLOW, LOCAL_ADDRESS, REDEEMED_FLAG, SEEN, SESSION, TOKEN, UPSTREAM_PORT, type Layout } from './layouts.js'
import { isMoment, isTime, readMoment } from './moment.js'

/** A body: where it starts in `view`, and its length. */
type BodyCheck = (view: DataView, at: number, length: number, dataPorts: number) => boolean

// Far above what any counter reaches, and far below where adding one changes nothing.
const MAX_COUNT = 2 ** 50

// Whether a body has this layout, its times are times and its counts are counts.
function isLaidOut ({ bytes, times, counts }: Layout<string>, view: DataView, at: number, length: number): boolean {
  if (length !== bytes) return false
  return times.every(offset => isTime(view.getFloat64(at + offset, true))) && counts.every(offset => isCount(view.getFloat64(at + offset, true)))
}

// An empty body is a free slot.
const checks: Readonly<Record<ImageKind, BodyCheck>> = {
  [ImageKind.session]: (view, at, length) => isLaidOut(SESSION, view, at, length) && view.getUint16(at + SESSION.at.clientPort, true) > 0 &&
    (view.getUint8(at + SESSION.at.origin) & ~REDEEMED_FLAG) < originNames.length,
  [ImageKind.seen]: (view, at, length) => isLaidOut(SEEN, view, at, length),
  [ImageKind.flow]: (view, at, length, dataPorts) => isLaidOut(FLOW, view, at, length) && view.getUint8(at + FLOW.at.dataPort) < dataPorts && view.getUint16(at + FLOW.at.port, true) > 0 &&
    view.getUint16(at + FLOW.at.local, true) <= MAX_LOCALS,
  [ImageKind.token]: (view, at, length) => isLaidOut(TOKEN, view, at, length) && view.getUint8(at + TOKEN.at.voidness) <= Voidness.targetGone,
  [ImageKind.target]: (view, at, length, dataPorts) => isTarget(new Uint8Array(view.buffer, view.byteOffset + at, length), dataPorts),
  [ImageKind.upstreamPort]: (view, at, length) => isLaidOut(UPSTREAM_PORT, view, at, length),
  [ImageKind.counters]: (view, at, length) => {
    if (length % 8 !== 0) return false
    for (let offset = 0; offset < length; offset += 8) if (!isCount(view.getFloat64(at + offset, true))) return false
    return true
  },
  [ImageKind.localAddress]: (view, at, length) => isLaidOut(LOCAL_ADDRESS, view, at, length),
  [ImageKind.complete]: () => false,
  [ImageKind.continued]: () => false
}

/** Whether every image in `batch` is one of a proxy with this many data ports. Never throws. Unknown kinds are anybody's. */
export function isBatch (batch: Uint8Array, dataPorts: number): boolean {
  const view = new DataView(batch.buffer, batch.byteOffset, batch.length)
  if (batch.length < BATCH_HEAD_BYTES || !isMoment(readMoment(view, 0))) return false
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
