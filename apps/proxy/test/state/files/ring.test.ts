// What one thread tells another to do with state logs: nothing is lost or mixed up, however full the ring is, and one file's
// failure is nobody else's.
import t from 'tap'
import { Ring } from '../../../src/state/files/ring.js'
import { openRingStorage, RingReader } from '../../../src/state/files/ring-storage.js'
import { MemoryStorage } from '#testkit/memory-storage.js'

const capacity = new Ring().room

function bytes (length: number, from: number): Uint8Array {
  return Uint8Array.from({ length }, (_, index) => from + index)
}

function setUp () {
  const ring = new Ring()
  const disk = new MemoryStorage()
  const bell = new Int32Array(new SharedArrayBuffer(8))
  return { disk, ring, bell, storage: openRingStorage(ring, bell), reader: new RingReader(new Ring(ring.memory), disk) }
}

void t.test('a full ring takes nothing more, and all that fits', t => {
  const ring = new Ring()
  t.notOk(ring.put(1, 1, new Uint8Array(capacity + 1)))
  t.equal(ring.waiting, 0)
  t.ok(ring.put(1, 1, new Uint8Array(capacity)))
  t.equal(ring.room, 0)
  t.notOk(ring.put(1, 1, bytes(1, 0)))
  const record = ring.peek()!
  t.equal(record.body.length, capacity)
  ring.drop(record)
  t.equal(ring.peek(), undefined)
  t.equal(ring.room, capacity)
  t.end()
})

void t.test('records go round the end, their heads and their bodies', t => {
  // One after the other, so that the end comes at every place of a record.
  const length = 100
  for (let before = capacity - length - 12; before <= capacity; before++) {
    const ring = new Ring()
    ring.put(0, 0, new Uint8Array(before))
    ring.drop(ring.peek()!)
    if (!ring.put(7, before, bytes(length, before))) t.fail('there is room')
    const { op, file, body } = new Ring(ring.memory).peek()!
    if (op !== 7 || file !== before || Buffer.compare(body, bytes(length, before)) !== 0) t.fail(`after ${before} bytes`)
  }
  t.pass('each came out as it went in')
  t.end()
})

void t.test('what there is no room for is refused, not lost in silence', t => {
  const { storage, bell } = setUp()
  const file = storage.create('0.1')
  file.append(new Uint8Array(file.room))
  t.throws(() => { file.append(bytes(1, 0)) }, /has not taken/)
  t.equal(bell[0], 2, 'the other end was told of what it took')
  t.end()
})

void t.test('a file that failed is not written to any more, the others are', t => {
  const { disk, storage, reader } = setUp()
  const [one, other] = [storage.create('0.1'), storage.create('0.2')]
  one.append(bytes(4, 0))
  reader.drain()
  disk.room = 2
  one.append(bytes(4, 4))
  reader.drain()
  disk.room = Infinity
  one.append(bytes(4, 8))
  other.append(bytes(4, 0))
  reader.drain()
  t.throws(() => { one.check() }, /no space left/)
  other.check()
  t.equal(one.written, 0)
  t.equal(other.written, 4)
  t.strictSame([...disk.read('0.1')], [0, 1, 2, 3, 4, 5], 'no gap is written over')
  t.strictSame([...disk.read('0.2')], [0, 1, 2, 3])
  t.end()
})

void t.test('what cannot be removed does not hide why a file failed', t => {
  const { disk, storage, reader } = setUp()
  const file = storage.create('0.1')
  disk.room = 0
  file.append(bytes(1, 0))
  disk.remove = () => { throw new Error('not yours') }
  storage.remove('0.0')
  reader.drain()
  t.throws(() => { file.check() }, /no space left/)
  t.end()
})

void t.test('a file that is closed is not looked at any more', t => {
  const { disk, storage, reader } = setUp()
  const create = disk.create.bind(disk)
  disk.create = name => ({ ...create(name), check: () => { throw new Error('it is gone') } })
  const [one, other] = [storage.create('0.1'), storage.create('0.2')]
  one.close()
  reader.drain()
  reader.check()
  one.check()
  t.throws(() => { other.check() }, /it is gone/)
  t.end()
})

void t.test('logs of a shard go but for the early ones, by way of the ring, too', t => {
  const { disk, storage, reader } = setUp()
  for (const name of ['0.3', '0.12', '0.4', '1.12', '10.12']) disk.create(name)
  storage.removeAllOf(0, 4)
  reader.drain()
  t.strictSame(disk.list(), ['0.3', '1.12', '10.12'])
  t.end()
})
