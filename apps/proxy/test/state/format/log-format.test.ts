// The bytes of a log: what is read of one that is cut, of another version, or made to mislead.
import t from 'tap'
import { crc32 } from 'node:zlib'
import { BATCH_FRAME_BYTES, decodeLog, encodeHeader, linkAfter, MAX_BATCH_BYTES, sealBatch, STATE_VERSION, type LogHeader } from '../../../src/state/format/log-format.js'

const header: LogHeader = { run: 'one', shard: 0, shards: 1, generation: 1, dataPorts: [{ name: 'game', port: 7777 }] }

function logOf (...payloads: readonly string[]): Buffer {
  const parts: Uint8Array[] = [encodeHeader(header)]
  for (const payload of payloads) {
    const batch = Buffer.concat([new Uint8Array(BATCH_FRAME_BYTES), Buffer.from(payload)])
    sealBatch(batch, linkAfter(parts.at(-1)!))
    parts.push(batch)
  }
  return Buffer.concat(parts)
}

function payloadsOf (bytes: Uint8Array): unknown {
  const log = decodeLog(bytes)
  return log.ok ? { isTorn: log.value.isTorn, batches: log.value.batches.map(batch => Buffer.from(batch).toString()) } : log.error
}

void t.test('a log that ends anywhere within a batch is torn, and what came before counts', t => {
  const whole = logOf('first', 'second')
  const before = logOf('first').length
  t.strictSame(payloadsOf(whole), { isTorn: false, batches: ['first', 'second'] })
  for (let end = before + 1; end < whole.length; end++) t.strictSame(payloadsOf(whole.subarray(0, end)), { isTorn: true, batches: ['first'] }, `${end} bytes`)
  t.strictSame(payloadsOf(whole.subarray(0, before)), { isTorn: false, batches: ['first'] })
  t.end()
})

void t.test('a log of another version is told from one that is damaged, and from something else', t => {
  const log = logOf('first')
  const version = log.indexOf(0) + 1
  log[version] = STATE_VERSION + 1
  t.equal(payloadsOf(log), 'other_version')
  log[0] = 0
  t.equal(payloadsOf(log), 'not_a_state_log')
  t.end()
})

void t.test('a length that no batch has is damage, though its checksum is right: nobody waits for the rest of it', t => {
  const frameOf = (length: number): Uint8Array => {
    const frame = Buffer.alloc(BATCH_FRAME_BYTES)
    frame.writeUInt32LE(length)
    frame.writeUInt32LE(crc32(frame.subarray(0, 4), linkAfter(encodeHeader(header))), 4)
    return Buffer.concat([encodeHeader(header), frame])
  }
  t.strictSame(payloadsOf(frameOf(MAX_BATCH_BYTES)), { isTorn: true, batches: [] })
  t.equal(payloadsOf(frameOf(MAX_BATCH_BYTES + 1)), 'corrupt')
  t.end()
})

void t.test('a header that cannot be is damage', t => {
  const of = (wrong: object): unknown => payloadsOf(encodeHeader({ ...header, ...wrong }))
  t.strictSame(of({ shard: 3, shards: 4 }), { isTorn: false, batches: [] })
  t.equal(of({ shard: 1 }), 'corrupt', 'no such shard')
  t.equal(of({ generation: -1 }), 'corrupt')
  t.equal(of({ bootId: 1 }), 'corrupt')
  t.equal(of({ run: undefined }), 'corrupt')
  t.equal(of({ dataPorts: [{ name: 'game', port: 65_536 }] }), 'corrupt')
  t.equal(of({ dataPorts: [{ port: 1 }] }), 'corrupt')
  t.end()
})
