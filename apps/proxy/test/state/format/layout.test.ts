// The table that a state log is laid out by: what is derived from it, and that what tests write has something in each field.
import t from 'tap'
import { isBatch } from '../../../src/state/format/check-batch.js'
import { ImageWriter } from '../../../src/state/format/image-writer.js'
import * as layout from '../../../src/state/format/layout.js'
import { BATCH_FRAME_BYTES, decodeLog } from '../../../src/state/format/log-format.js'
import { recordLayout, type RecordLayout } from '../../../src/state/format/record.js'
import { SavedImages } from '../../../src/state/format/saved-images.js'
import { fullLife } from '../full-life.js'

const { ImageKind, SESSION } = layout
const records: ReadonlyArray<readonly [name: string, record: RecordLayout]> = Object.entries(layout).flatMap(([name, value]) =>
  typeof value === 'object' && 'rows' in value ? [[name, value as unknown as RecordLayout] as const] : [])
const moment = { lifeMs: 0, bootMs: 0, wallMs: 0 }

/** What a batch with these images is in a log. */
function batchOf (write: (writer: ImageWriter) => void): Uint8Array {
  const writer = new ImageWriter()
  write(writer)
  return writer.take(moment, 0).slice(BATCH_FRAME_BYTES)
}

void t.test('in a full life every field of every record is other than zero somewhere', async t => {
  const { storage, log } = fullLife()
  log.close()
  const written = decodeLog(storage.read('0.1'))
  if (!written.ok) throw new Error(written.error)
  t.ok(records.length >= 6)
  for (const [name, { kind, rows, bytes }] of records) {
    const bodies = written.value.batches.flatMap(batch => {
      const images = new SavedImages([batch])
      return Array.from(images.slots(kind), slot => Buffer.from(batch).subarray(images.body(kind, slot), images.body(kind, slot) + bytes))
    })
    const fields = Object.entries(rows)
    for (const [index, [field, { at }]] of fields.entries()) {
      const end = fields[index + 1]?.[1].at ?? bytes
      t.ok(bodies.some(body => body.subarray(at, end).some(byte => byte !== 0)), `${name}.${field}`)
    }
  }
})

void t.test('rows that leave a gap, or lie over each other, are not a layout', async t => {
  for (const at of [1, 3]) t.throws(() => recordLayout(100, { one: { at: 0, type: 'u16' }, two: { at, type: 'u8' } }), /field two is at/)
})

void t.test('what is written is read, whatever stood there before', async t => {
  const record = recordLayout(100, {
    byte: { at: 0, type: 'u8' },
    half: { at: 1, type: 'u16' },
    word: { at: 3, type: 'u32' },
    slot: { at: 7, type: 'u32OrNone' },
    time: { at: 11, type: 'time' },
    count: { at: 19, type: 'count' },
    address: { at: 27, type: 'address' },
    token: { at: 43, type: 'token' }
  })
  const group = record.group(['count', 'word'])
  const writer = new ImageWriter()
  for (const [from, slot] of [[1, -1], [100, 5]] as const) {
    const words = (first: number): Uint32Array => Uint32Array.from([0, 1, 2, 3], word => first + word)
    // In any order.
    record.begin(writer, 7).token(words(from)).byte(from).half(from + 1).slot(slot).time(-from).group(group, Float64Array.of(from + 3, 2 ** 32 - from)).address(words(2 ** 32 - 200)).finish()
    const images = new SavedImages([writer.take(moment, 0).slice(BATCH_FRAME_BYTES)])
    const body = images.body(100, 7)
    const { read } = record
    const read4 = (name: 'address' | 'token'): number[] => {
      const into = new Uint32Array(6)
      read[name](images.view, body, into, 1)
      return [...into]
    }
    t.strictSame([read.byte, read.half, read.word, read.slot, read.time, read.count].map(field => field(images.view, body)), [from, from + 1, 2 ** 32 - from, slot, -from, from + 3])
    t.strictSame([read4('address'), read4('token')], [[0, ...words(2 ** 32 - 200), 0], [0, ...words(from), 0]])
  }
})

void t.test('a writer that leaves a field out does not compile', async t => {
  const writer = new ImageWriter()
  // @ts-expect-error -- the interface is missing
  layout.LOCAL_ADDRESS.begin(writer, 1).address(new Uint32Array(4)).finish()
  // @ts-expect-error -- it has no such field
  t.throws(() => { layout.LOCAL_ADDRESS.begin(writer, 1).port(1) })
  t.ok(writer.length > 0)
})

void t.test('an image that was begun and not finished is not there', async t => {
  const batch = batchOf(writer => {
    SESSION.begin(writer, 1)
    writer.mark(ImageKind.complete, 0)
  })
  t.strictSame([...new SavedImages([batch]).slots(ImageKind.session)], [])
  t.ok(isBatch(batch, 2))
})

void t.test('a batch may be longer than the memory it begins with', async t => {
  const body = Buffer.alloc(50_000, 1)
  const batch = batchOf(writer => {
    for (const slot of [0, 1, 2]) writer.image(ImageKind.target, slot, body)
    layout.UPSTREAM_PORT.begin(writer, 3).port(4001).finish()
  })
  const images = new SavedImages([batch])
  t.strictSame([...images.slots(ImageKind.target)], [0, 1, 2])
  t.equal(layout.UPSTREAM_PORT.read.port(images.view, images.body(ImageKind.upstreamPort, 3)), 4001)
})

void t.test('slots that no table has are read as well', async t => {
  const slots = [0, 7, 2 ** 31, 2 ** 32 - 1]
  const batch = batchOf(writer => {
    for (const slot of [...slots].reverse()) layout.UPSTREAM_PORT.begin(writer, slot).port(slot % 65_535 + 1).finish()
    writer.mark(ImageKind.upstreamPort, 7)
  })
  const images = new SavedImages([batch])
  t.strictSame([...images.slots(ImageKind.upstreamPort)], [0, 2 ** 31, 2 ** 32 - 1])
  t.equal(images.body(ImageKind.upstreamPort, 7), 0)
  t.equal(images.body(ImageKind.upstreamPort, 8), 0)
})

void t.test('counters of a version with fewer places, or with more, are added where both mean the same', async t => {
  const added = (name: Parameters<typeof layout.addCounter>[0], saved: readonly number[], counts: readonly number[]): number[] => {
    const sums = Float64Array.from(counts)
    layout.addCounter(name, Float64Array.from(saved), sums)
    return [...sums]
  }
  t.strictSame(added('sessionsEnded', [1, 2], [10, 10, 10]), [11, 12, 10])
  t.strictSame(added('sessionsEnded', [1, 2, 3, 4], [10, 10, 10]), [11, 12, 13], 'what this version does not know is left out')
  t.strictSame(added('dropped', [1, 2, 3, 4], [0, 0, 0, 0, 0, 0]), [1, 2, 0, 3, 4, 0], 'each direction has the reasons there are')
  t.strictSame(added('dropped', [1, 2, 3], [0, 0, 0, 0]), [0, 0, 0, 0], 'never written by any version')
  t.strictSame(added('received', [1, 2, 3, 4], [0, 0, 0, 0, 0, 0]), [0, 0, 0, 0, 0, 0], 'of other data ports')
})
