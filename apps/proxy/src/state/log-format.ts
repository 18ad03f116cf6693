// The bytes of a state log, apart from what they mean: a header that says whose it is, then batches.
//
//   header   "UDPD-STATE" 0x00 version │ u32 length │ u32 CRC-32 │ JSON
//   batch                                u32 length │ u32 CRC-32 │ payload      again and again
//
// A batch is written by one call, before anything that depends on it leaves the process, and counts as a whole or not at
// all. Numbers are little-endian. CRC-32 is that of zlib (RFC 1952 §8).
import { crc32 } from 'node:zlib'
import { err, ok, type Result } from '#core/result.js'

/** Another version's log is not read: what its images mean is not known here. */
export const STATE_VERSION = 2

const MAGIC = Buffer.from('UDPD-STATE\0', 'latin1')
const FRAME_BYTES = 8

/** Longest batch there can be, in bytes; a longer length is not a length. */
export const MAX_BATCH_BYTES = 64 * 1024 * 1024

export interface LogHeader {
  /** Names the life of the proxy that wrote it; slots mean something within one life only. */
  readonly run: string
  /** When that life began, in ms since the Unix epoch. */
  readonly startedAtMs: number
  readonly shard: number
  readonly shards: number
  /** Counts the logs of one shard in one life. */
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
}

/** The bytes a log begins with. */
export function encodeHeader (header: LogHeader): Uint8Array {
  return Buffer.concat([MAGIC, Buffer.of(STATE_VERSION), frame(Buffer.from(JSON.stringify(header)))])
}

/** Fills in the frame in front of a batch: `bytes` starts with room for it. */
export function sealBatch (bytes: Uint8Array): void {
  const payload = bytes.subarray(FRAME_BYTES)
  const view = new DataView(bytes.buffer, bytes.byteOffset, FRAME_BYTES)
  view.setUint32(0, payload.length, true)
  view.setUint32(4, crc32(payload), true)
}

/** Bytes in front of a batch's payload. */
export const BATCH_FRAME_BYTES = FRAME_BYTES

/** Reads a whole log. Never throws, whatever the bytes are. */
export function decodeLog (bytes: Uint8Array): Result<LogContents, LogFault> {
  if (bytes.length < MAGIC.length + 1 || MAGIC.compare(bytes, 0, MAGIC.length) !== 0) return err('not_a_state_log')
  if (bytes[MAGIC.length] !== STATE_VERSION) return err('other_version')
  const head = readFrame(bytes, MAGIC.length + 1)
  const header = typeof head === 'string' ? undefined : headerFrom(head)
  if (typeof head === 'string' || header === undefined) return err('corrupt')
  const batches: Uint8Array[] = []
  for (let at = head.byteOffset - bytes.byteOffset + head.length; at < bytes.length;) {
    const batch = readFrame(bytes, at)
    if (batch === 'corrupt') return err('corrupt')
    if (batch === 'torn') return ok({ header, batches, isTorn: true })
    batches.push(batch)
    at += FRAME_BYTES + batch.length
  }
  return ok({ header, batches, isTorn: false })
}

function frame (payload: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(FRAME_BYTES + payload.length)
  bytes.set(payload, FRAME_BYTES)
  sealBatch(bytes)
  return bytes
}

// The payload of the frame at `at`; torn if the log ends within it.
function readFrame (bytes: Uint8Array, at: number): Uint8Array | 'torn' | 'corrupt' {
  if (bytes.length - at < FRAME_BYTES) return 'torn'
  const view = new DataView(bytes.buffer, bytes.byteOffset + at, FRAME_BYTES)
  const length = view.getUint32(0, true)
  if (length > MAX_BATCH_BYTES) return 'corrupt'
  const end = at + FRAME_BYTES + length
  if (end > bytes.length) return 'torn'
  const payload = bytes.subarray(at + FRAME_BYTES, end)
  return crc32(payload) === view.getUint32(4, true) ? payload : 'corrupt'
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
  return typeof header === 'object' && header !== null && typeof header.run === 'string' &&
    Array.isArray(header.dataPorts) && (header.dataPorts as unknown[]).every(isDataPort) &&
    [header.startedAtMs, header.shard, header.shards, header.generation].every(isCount) && Number(header.shard) < Number(header.shards)
}

function isDataPort (entry: unknown): boolean {
  return typeof entry === 'object' && entry !== null && 'name' in entry && typeof entry.name === 'string' && 'port' in entry && isCount(entry.port) && entry.port <= 65_535
}

function isCount (value: unknown): value is number {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 0
}
