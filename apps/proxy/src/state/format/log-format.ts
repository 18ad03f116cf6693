// The bytes of a state log, apart from what they mean: a header that says whose it is, then batches.
//
//   header   "UDPD-STATE" 0x00 version │ frame of JSON
//   batch                                frame of images      again and again
//   frame    u32 length │ u32 CRC-32 of the length │ u32 CRC-32 of the payload │ payload
//
// Each checksum goes on from the one before it, from the first byte of the log to the last: a batch is sound only after
// exactly what was written before it, in this very log. The length has a checksum of its own, because a wrong one makes
// damage in the middle look like the end. So a log that was cut off while it was written ends within a frame, and
// whatever else is wrong with it is damage. Numbers are little-endian. CRC-32 is that of zlib (RFC 1952 §8).
import { crc32 } from 'node:zlib'
import { err, ok, type Result } from '#core/result.js'

/** Another version's log is not read: what its images mean is not known here. */
export const STATE_VERSION = 3

const MAGIC = Buffer.from('UDPD-STATE\0', 'latin1')
const PREAMBLE = Buffer.concat([MAGIC, Buffer.of(STATE_VERSION)])
const FIRST_LINK = crc32(PREAMBLE)

/** Bytes in front of a batch's payload. */
export const BATCH_FRAME_BYTES = 12

/** Longest batch there can be, in bytes; a longer length is not a length. */
export const MAX_BATCH_BYTES = 64 * 1024 * 1024

export interface LogHeader {
  /** Names the life of the proxy that wrote it; slots mean something within one life only. */
  readonly run: string
  /** Names the start of the machine in which that was; left out if it has no name. */
  readonly bootId?: string | undefined
  readonly shard: number
  readonly shards: number
  /** Counts the logs of one shard, those of former lives included. */
  readonly generation: number
  readonly dataPorts: ReadonlyArray<{ readonly name: string, readonly port: number }>
}

export type LogFault = 'not_a_state_log' | 'other_version' | 'corrupt'

export interface LogContents {
  readonly header: LogHeader
  /** In the order in which they were written. */
  readonly batches: readonly Uint8Array[]
  /** The last batch was cut off while it was written; what came before it is whole. */
  readonly isTorn: boolean
  /** What one more batch would be linked to. */
  readonly link: number
}

/** The bytes a log begins with. */
export function encodeHeader (header: LogHeader): Uint8Array {
  const text = Buffer.from(JSON.stringify(header))
  const frame = new Uint8Array(BATCH_FRAME_BYTES + text.length)
  frame.set(text, BATCH_FRAME_BYTES)
  sealBatch(frame, FIRST_LINK)
  return Buffer.concat([PREAMBLE, frame])
}

/** Fills in the frame in front of a batch: `bytes` starts with room for it; `link` is that of the frame before. */
export function sealBatch (bytes: Uint8Array, link: number): void {
  const view = new DataView(bytes.buffer, bytes.byteOffset, BATCH_FRAME_BYTES)
  view.setUint32(0, bytes.length - BATCH_FRAME_BYTES, true)
  const ofLength = crc32(bytes.subarray(0, 4), link)
  view.setUint32(4, ofLength, true)
  view.setUint32(8, crc32(bytes.subarray(BATCH_FRAME_BYTES), ofLength), true)
}

/** What the frame after this one, a batch or a header, is linked to. */
export function linkAfter (bytes: Uint8Array): number {
  const at = MAGIC.compare(bytes, 0, MAGIC.length) === 0 ? PREAMBLE.length : 0
  return new DataView(bytes.buffer, bytes.byteOffset + at).getUint32(8, true)
}

/** Reads a whole log. Never throws, whatever the bytes are. */
export function decodeLog (bytes: Uint8Array): Result<LogContents, LogFault> {
  if (bytes.length < PREAMBLE.length || MAGIC.compare(bytes, 0, MAGIC.length) !== 0) return err('not_a_state_log')
  if (bytes[MAGIC.length] !== STATE_VERSION) return err('other_version')
  const head = readFrame(bytes, PREAMBLE.length, FIRST_LINK)
  const header = typeof head === 'string' ? undefined : headerFrom(head.payload)
  if (typeof head === 'string' || header === undefined) return err('corrupt')
  const batches: Uint8Array[] = []
  let last: Frame = head
  while (last.end < bytes.length) {
    const batch = readFrame(bytes, last.end, last.link)
    if (batch === 'corrupt') return err('corrupt')
    if (batch === 'torn') return ok({ header, batches, isTorn: true, link: last.link })
    batches.push(batch.payload)
    last = batch
  }
  return ok({ header, batches, isTorn: false, link: last.link })
}

interface Frame {
  readonly payload: Uint8Array
  readonly end: number
  readonly link: number
}

// The frame at `at`; torn if the log ends within it.
function readFrame (bytes: Uint8Array, at: number, link: number): Frame | 'torn' | 'corrupt' {
  if (bytes.length - at < BATCH_FRAME_BYTES) return 'torn'
  const view = new DataView(bytes.buffer, bytes.byteOffset + at, BATCH_FRAME_BYTES)
  const length = view.getUint32(0, true)
  const ofLength = crc32(bytes.subarray(at, at + 4), link)
  if (ofLength !== view.getUint32(4, true) || length > MAX_BATCH_BYTES) return 'corrupt'
  const end = at + BATCH_FRAME_BYTES + length
  if (end > bytes.length) return 'torn'
  const payload = bytes.subarray(at + BATCH_FRAME_BYTES, end)
  const ofPayload = view.getUint32(8, true)
  if (crc32(payload, ofLength) !== ofPayload) return 'corrupt'
  const frame: Frame = { payload, end, link: ofPayload }
  return frame
}

function headerFrom (payload: Uint8Array): LogHeader | undefined {
  try {
    const header = JSON.parse(Buffer.from(payload).toString()) as Partial<LogHeader>
    return isHeader(header) ? header : undefined
  } catch { // SyntaxError: not JSON
    return undefined
  }
}

function isHeader (header: Partial<LogHeader> | null): header is LogHeader {
  return typeof header === 'object' && header !== null && typeof header.run === 'string' && ['string', 'undefined'].includes(typeof header.bootId) &&
    Array.isArray(header.dataPorts) && (header.dataPorts as unknown[]).every(isDataPort) &&
    [header.shard, header.shards, header.generation].every(isCount) && Number(header.shard) < Number(header.shards)
}

function isDataPort (entry: unknown): boolean {
  return typeof entry === 'object' && entry !== null && 'name' in entry && typeof entry.name === 'string' && 'port' in entry && isCount(entry.port) && entry.port <= 65_535
}

function isCount (value: unknown): value is number {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 0
}
