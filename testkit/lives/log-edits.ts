// What may happen to a state log between two lives: bytes that change, batches that go, come twice or change places, and
// forgeries whose checksums are right.
import fc from 'fast-check'
import { BATCH_HEAD_BYTES, FLOW, SESSION, TOKEN } from '../../apps/proxy/src/state/format/layout.js'
import { BATCH_FRAME_BYTES, decodeLog, encodeHeader, linkAfter, sealBatch, type LogHeader } from '../../apps/proxy/src/state/format/log-format.js'
import type { MemoryStorage } from '../memory-storage.js'

const place = fc.nat()
const oddDouble = fc.oneof(fc.constantFrom(NaN, Infinity, -Infinity, -1, 0.5, -0, 1e18, 1e300, Number.MAX_SAFE_INTEGER), fc.double())

// Bodies as long as those of sessions, flows, tokens, ports and counters; and targets as text.
const body = fc.oneof(
  fc.constantFrom(0, 1, 2, 8, FLOW.bytes, TOKEN.bytes, SESSION.bytes).chain(length => fc.uint8Array({ minLength: length, maxLength: length })),
  fc.oneof(
    fc.record({
      key: fc.oneof(fc.constantFrom('A', '', '__proto__', 'toString'), fc.jsonValue()),
      address: fc.oneof(fc.constantFrom('10.0.0.1', '224.0.0.1', '', '127.0.0.1', '::'), fc.jsonValue()),
      ports: fc.oneof(fc.array(fc.constantFrom<unknown>(7001, 0, -1, 65_536, 1.5, null, '7001', {}), { maxLength: 3 }), fc.jsonValue())
    }, { requiredKeys: [] }),
    fc.jsonValue()).map(value => Buffer.from(JSON.stringify(value))))

const doublesOfSession = Object.values(SESSION.rows).filter(({ type }) => type === 'time' || type === 'count').map(({ at }) => at)

// Slots and references are small, so that forgeries refer to each other and to what is there.
const image = fc.tuple(fc.nat(9), fc.oneof(fc.nat(4), fc.nat(4), fc.integer({ min: 0, max: 2 ** 32 - 1 })), body).map(([kind, slot, bytes]) => {
  const head = Buffer.alloc(7)
  head.writeUInt8(kind)
  head.writeUInt16LE(bytes.length, 1)
  head.writeUInt32LE(slot, 3)
  return Buffer.concat([head, bytes])
})

export const edit = fc.oneof(
  fc.record({ do: fc.constant('junk' as const), log: place, bytes: fc.uint8Array({ maxLength: 60 }), keepsMagic: fc.boolean() }),
  fc.record({ do: fc.constant('flip' as const), log: place, at: place, bit: fc.nat(7) }),
  fc.record({ do: fc.constant('cut' as const), log: place, at: place }),
  fc.record({ do: fc.constant('lose' as const), log: place }),
  fc.record({ do: fc.constant('copy' as const), log: place, as: fc.constantFrom('0.1', '0.2', '1.1', '1.7', '2.1', '999.999999999999999') }),
  fc.record({ do: fc.constantFrom('remove' as const, 'repeat' as const, 'swap' as const), log: place, batch: place }),
  { weight: 3, arbitrary: fc.record({ do: fc.constant('byte' as const), log: place, batch: place, at: place, value: fc.oneof(fc.constantFrom(0, 1, 255), fc.nat(255)) }) },
  { weight: 3, arbitrary: fc.record({ do: fc.constant('double' as const), log: place, batch: place, image: place, offset: fc.oneof(fc.constantFrom(-31, -23, -15, 0, 8, TOKEN.rows.expiresAt.at, ...doublesOfSession), fc.nat(90)), value: oddDouble }) },
  { weight: 4, arbitrary: fc.record({ do: fc.constant('forge' as const), log: place, batch: place, images: fc.array(image, { minLength: 1, maxLength: 4 }), tail: fc.uint8Array({ maxLength: 9 }), momentMs: fc.option(oddDouble, { freq: 2 }) }) },
  fc.record({ do: fc.constant('header' as const), log: place, field: fc.constantFrom('run', 'bootId', 'shard', 'shards', 'generation', 'dataPorts'), value: fc.oneof(fc.constantFrom<unknown>(0, 1, 2, 3, 1e300, -1, [{ name: 'game', port: 70_000 }, { name: 'voice', port: 1 }], [{ name: 'game,voice', port: 1 }]), fc.jsonValue()) }))

export type Edit = (typeof edit) extends fc.Arbitrary<infer Value> ? Value : never

export function applyEdit (storage: MemoryStorage, edit: Edit): void {
  const names = storage.list()
  const name = names[edit.log % Math.max(1, names.length)]
  if (name === undefined) return
  const bytes = Buffer.from(storage.read(name))
  if (edit.do === 'lose') storage.remove(name)
  else if (edit.do === 'copy') storage.logs.set(edit.as, bytes)
  else storage.logs.set(name, edited(bytes, edit))
}

function edited (bytes: Buffer, edit: Exclude<Edit, { do: 'lose' | 'copy' }>): Uint8Array {
  switch (edit.do) {
    case 'junk': return edit.keepsMagic ? Buffer.concat([bytes.subarray(0, 12), edit.bytes]) : edit.bytes
    case 'cut': return bytes.subarray(0, edit.at % (bytes.length + 1))
    case 'flip':
      if (bytes.length > 0) bytes[edit.at % bytes.length]! ^= 1 << edit.bit
      return bytes
    default: return rebuilt(bytes, edit)
  }
}

type StructuralEdit = Exclude<Edit, { do: 'lose' | 'copy' | 'junk' | 'cut' | 'flip' }>

// Taken apart and put together again, with checksums that are right.
function rebuilt (bytes: Buffer, edit: StructuralEdit): Uint8Array {
  const log = decodeLog(bytes)
  if (!log.ok) return bytes
  const payloads = log.value.batches.map(batch => Buffer.from(batch))
  let header = log.value.header
  if (edit.do === 'header') header = { ...header, [edit.field]: edit.value }
  else editBatches(payloads, edit)
  return encodeLog(header, payloads)
}

function editBatches (payloads: Buffer[], edit: Exclude<StructuralEdit, { do: 'header' }>): void {
  const at = edit.batch % Math.max(1, payloads.length)
  const batch = payloads[at]
  if (batch === undefined) return
  switch (edit.do) {
    case 'remove': payloads.splice(at, 1); return
    case 'repeat': payloads.splice(edit.batch % (payloads.length + 1), 0, batch); return
    case 'swap': payloads.push(...payloads.splice(at, 1)); return
    case 'byte':
      if (batch.length > 0) batch[edit.at % batch.length] = edit.value
      return
    case 'double': {
      const starts = bodiesOf(batch)
      const offset = (starts[edit.image % Math.max(1, starts.length)] ?? 0) + edit.offset
      if (offset >= 0 && offset + 8 <= batch.length) batch.writeDoubleLE(edit.value, offset)
      return
    }
    case 'forge': {
      const head = Buffer.alloc(BATCH_HEAD_BYTES)
      batch.copy(head)
      if (edit.momentMs !== null) for (const clock of [0, 8, 16]) head.writeDoubleLE(edit.momentMs, clock)
      payloads.splice(edit.batch % (payloads.length + 1), 0, Buffer.concat([head, ...edit.images, edit.tail]))
    }
  }
}

// Where the bodies of a batch's images start.
function bodiesOf (batch: Buffer): number[] {
  const starts: number[] = []
  for (let at = BATCH_HEAD_BYTES; at + 7 <= batch.length; at += 7 + batch.readUInt16LE(at + 1)) starts.push(at + 7)
  return starts
}

/** A log of these batches, each of them sound after the one before it. */
export function encodeLog (header: LogHeader, payloads: readonly Uint8Array[]): Uint8Array {
  const parts = [encodeHeader(header)]
  for (const payload of payloads) {
    const bytes = new Uint8Array(BATCH_FRAME_BYTES + payload.length)
    bytes.set(payload, BATCH_FRAME_BYTES)
    sealBatch(bytes, linkAfter(parts.at(-1)!))
    parts.push(bytes)
  }
  return Buffer.concat(parts)
}
