import { EventEmitter } from 'node:events'
import t from 'tap'
import type { LinesOut } from '#rpc/transport.js'
import { createFakeClock } from '#testkit/fake-clock.js'
import { TargetTable } from '../../src/core/tables/target-table.js'
import { COUNTS_PER_LINE } from '../../src/rpc/event-reader.js'
import { COUNTS_PERIOD_MS, EventStream, HEARTBEAT_MS } from '../../src/rpc/event-stream.js'
import { SessionCounts } from '../../src/rpc/session-counts.js'

// Stands in for a connection whose other end reads as much as the test lets it.
class FakeReader extends EventEmitter implements LinesOut {
  lines: unknown[] = []
  isSlow = false
  isDestroyed = false
  isEnded = false
  get isOver (): boolean { return this.isEnded }
  onDrain (run: () => void): void { this.on('drain', run) }
  onClose (run: () => void): void { this.once('close', run) }
  write (text: string): boolean {
    for (const line of text.trim().split('\n')) this.lines.push(JSON.parse(line))
    return !this.isSlow
  }

  // All that was written has been read.
  drain (): void {
    this.isSlow = false
    this.emit('drain')
  }

  async end (): Promise<void> {
    this.isEnded = true
    await Promise.resolve()
  }

  cut (): void {
    this.isDestroyed = true
    this.emit('close')
  }
}

function setUp () {
  const clock = createFakeClock()
  const targets = new TargetTable(5000)
  const counts = new SessionCounts()
  let refreshes = 0
  const refresh = async (): Promise<void> => {
    refreshes++
    await Promise.resolve()
    counts.apply(0, targets.takeChangedCounts())
  }
  const wanted: string[] = []
  const want = async (kinds: readonly string[]): Promise<void> => {
    await Promise.resolve()
    wanted.push(kinds.join())
  }
  const opened: boolean[] = []
  const openAsks = async (isOpen: boolean): Promise<void> => {
    await Promise.resolve()
    opened.push(isOpen)
  }
  const stream = new EventStream({ instanceId: 'one', counts, refresh, want, openAsks, clock })
  stream.start()
  const settled = async (): Promise<void> => { await new Promise(resolve => { setImmediate(resolve) }) }
  const advance = async (ms: number): Promise<void> => {
    for (let passed = 0; passed < ms; passed += COUNTS_PERIOD_MS) {
      clock.advance(COUNTS_PERIOD_MS)
      await settled()
    }
  }
  const connect = async (kinds?: string, epoch?: string): Promise<FakeReader> => {
    const reader = new FakeReader()
    stream.read({ ...(kinds === undefined ? {} : { kinds }), ...(epoch === undefined ? {} : { epoch }) }, reader)
    await settled()
    return reader
  }
  return { advance, targets, stream, connect, settled, wanted, opened, refreshes: () => refreshes }
}

void t.test('while nobody reads, no shard is asked; who comes then gets what changed meanwhile', async t => {
  const { advance, targets, connect, refreshes } = setUp()
  targets.addSessions('a', 1)
  await advance(3 * COUNTS_PERIOD_MS)
  t.equal(refreshes(), 0)
  const reader = await connect()
  t.same(reader.lines, [{ type: 'hello', instanceId: 'one' }, { type: 'counts', sessions: { a: 1 } }])
  reader.cut()
  const asked = refreshes()
  await advance(3 * COUNTS_PERIOD_MS)
  t.equal(refreshes(), asked)
})

void t.test('a reader gets hello and every count, then only what changes, coalesced', async t => {
  const { advance, targets, stream, connect } = setUp()
  targets.addSessions('a', 1)
  targets.addSessions('b', 1)
  const reader = await connect()
  t.same(reader.lines, [{ type: 'hello', instanceId: 'one' }, { type: 'counts', sessions: { a: 1, b: 1 } }])
  reader.lines = []
  await advance(COUNTS_PERIOD_MS)
  t.same(reader.lines, [], 'nothing changed')
  targets.addSessions('a', 1)
  targets.addSessions('a', 1)
  targets.addSessions('b', -1)
  await advance(COUNTS_PERIOD_MS)
  t.same(reader.lines, [{ type: 'counts', sessions: { a: 3, b: 0 } }])
  const second = await connect()
  t.same(second.lines.at(-1), { type: 'counts', sessions: { a: 3 } })
  stream.close()
  t.ok(reader.isEnded && second.isEnded)
})

void t.test('silence is broken by a heartbeat', async t => {
  const { advance, connect } = setUp()
  const reader = await connect()
  await advance(HEARTBEAT_MS + COUNTS_PERIOD_MS)
  t.same(reader.lines.at(-1), { type: 'counts', sessions: {} })
  const lines = reader.lines.length
  await advance(HEARTBEAT_MS * 3)
  t.equal(reader.lines.length, lines + 3)
})

void t.test('many counts go in parts, each in a turn of its own: at the beginning, when they change, and to who was slow', async t => {
  const { targets, connect, advance } = setUp()
  const many = 2 * COUNTS_PER_LINE + 1
  const change = (): void => { for (let number = 0; number < many; number++) targets.addSessions(`key-${number}`, 1) }
  const taken = (reader: FakeReader): Record<string, number>[] => (reader.lines.splice(0) as { sessions?: Record<string, number> }[]).flatMap(({ sessions }) => sessions === undefined ? [] : [sessions])
  const sizes = (parts: readonly object[]): number[] => parts.map(part => Object.keys(part).length)
  change()
  const reader = await connect()
  t.strictSame(sizes(taken(reader)), [COUNTS_PER_LINE], 'no more in this turn')
  await advance(COUNTS_PERIOD_MS)
  t.strictSame(sizes(taken(reader)), [COUNTS_PER_LINE, 1], 'the rest in other ones')

  change()
  await advance(COUNTS_PERIOD_MS)
  t.strictSame(sizes(taken(reader)), [COUNTS_PER_LINE])
  reader.isSlow = true
  await advance(COUNTS_PERIOD_MS)
  t.strictSame(sizes(taken(reader)), [COUNTS_PER_LINE], 'and then it is full')
  // What changes meanwhile is sent as it is when its turn comes.
  change()
  await advance(COUNTS_PERIOD_MS)
  t.strictSame(taken(reader), [])
  reader.drain()
  t.strictSame(taken(reader), [{ [`key-${many - 1}`]: 3, ...Object.fromEntries(Array.from({ length: COUNTS_PER_LINE - 1 }, (_, number) => [`key-${number}`, 3])) }])
  await advance(COUNTS_PERIOD_MS)
  t.strictSame(sizes(taken(reader)), [COUNTS_PER_LINE, 1])
})

void t.test('nothing more is written to who has been told to go', async t => {
  const { targets, connect, advance, stream } = setUp()
  for (let number = 0; number <= COUNTS_PER_LINE; number++) targets.addSessions(`key-${number}`, 1)
  const reader = await connect()
  stream.close()
  reader.lines = []
  await advance(COUNTS_PERIOD_MS)
  t.same(reader.lines, [])
})

void t.test('every reader is told what becomes of the state: at once, when it changes, and however slow it is the latest', async t => {
  const { stream, connect } = setUp()
  const early = await connect('session')
  stream.tellState('written')
  stream.tellState('written')
  t.same(early.lines.slice(2), [{ type: 'state', status: 'written' }])
  const late = await connect('session')
  t.same(late.lines, [{ type: 'hello', instanceId: 'one' }, { type: 'state', status: 'written' }, { type: 'counts', sessions: {} }])
  late.isSlow = true
  stream.tellState('late')
  late.lines = []
  stream.tellState('failed')
  stream.tellState('written')
  t.same(late.lines, [])
  late.drain()
  t.same(late.lines, [{ type: 'state', status: 'written' }])
  late.drain()
  t.equal(late.lines.length, 1)
})

void t.test('a kind is made while somebody reads it, and no longer', async t => {
  const { connect, wanted, stream, settled } = setUp()
  const first = await connect('counts,redeemed')
  const second = await connect('session')
  stream.publish({ type: 'redeemed', token: 'x', dataPort: 'game', sessionId: '0-1' })
  t.match(first.lines.at(-1), { type: 'redeemed' })
  t.same(second.lines, [{ type: 'hello', instanceId: 'one' }, { type: 'counts', sessions: {} }], 'asked for something else; a sign of life is for all')
  second.cut()
  first.cut()
  await settled()
  t.same(wanted, ['counts,redeemed', 'counts,redeemed,session', 'counts,redeemed', ''])
})

void t.test('a flood of one kind costs a slow reader lines of that kind, tells it how many, and leaves counts and redemptions alone', async t => {
  const { stream, connect, targets, advance } = setUp()
  const [slow, quick] = [await connect(), await connect()]
  slow.isSlow = true
  const session = { type: 'session', change: 'expired', sessionId: '0-1', client: '192.0.2.7:1', target: 'x'.repeat(500) } as const
  const lines = 5000
  for (let line = 0; line < lines; line++) stream.publish(session)
  stream.publish({ type: 'redeemed', token: 'x', dataPort: 'game', sessionId: '0-1' })
  targets.addSessions('a', 1)
  await advance(COUNTS_PERIOD_MS)
  targets.addSessions('a', 1)
  await advance(COUNTS_PERIOD_MS)
  slow.lines = []
  slow.drain()
  t.notOk(slow.isDestroyed)
  t.same(slow.lines.slice(0, 2), [{ type: 'counts', sessions: { a: 2 } }, { type: 'redeemed', token: 'x', dataPort: 'game', sessionId: '0-1' }], 'the latest count, once')
  const heard = slow.lines.filter(line => (line as { type: string }).type === 'session').length
  // The one that found it slow was written.
  const skipped = lines - 1 - heard
  t.ok(skipped > 0, `${skipped} skipped`)
  t.same(slow.lines.at(-1), { type: 'skipped', kind: 'session', lines: skipped })
  t.same([...stream.skipped], [['asked', 0], ['counts', 0], ['redeemed', 0], ['binding', 0], ['target', 0], ['session', skipped]])
  t.equal(quick.lines.filter(line => (line as { type: string }).type === 'session').length, lines, 'the other one has all')
  stream.publish(session)
  t.same(slow.lines.at(-1), session, 'and it goes on')
})

void t.test('whoever reads with an epoch is a control process, for as long as it reads', async t => {
  const { stream, connect } = setUp()
  await connect()
  t.equal(stream.isControlled(0), false, 'without one it is not')
  const reader = await connect('counts', '5')
  t.same([4, 5, 6].map(epoch => stream.isControlled(epoch)), [true, true, false], 'of this epoch, or of one that has yet to begin')
  const newer = await connect('counts', '7')
  reader.cut()
  t.same([6, 7, 8].map(epoch => stream.isControlled(epoch)), [true, true, false])
  newer.cut()
  t.equal(stream.isControlled(0), false)
})

void t.test('control is asked from the moment on in which it reads and has told all it knows, until it reads no more', async t => {
  const { stream, connect, opened, settled } = setUp()
  await connect()
  const first = await connect('asked,counts', '5')
  t.same(opened, [], 'it has yet to tell what it knows')
  await stream.synchronised(5)
  t.same(opened, [true])
  first.cut()
  t.same(opened, [true], 'told in this very turn')
  await settled()
  t.same(opened, [true, false])
  const [again, other] = [await connect('asked,counts', '6'), await connect('counts', '7')]
  t.same(opened, [true, false], 'another connection, and nothing told yet')
  await stream.synchronised(6)
  await stream.synchronised(7)
  t.same(opened, [true, false, true, false], 'a newer control process that asks for no such kind')
  again.cut()
  other.cut()
  await connect()
  await stream.synchronised(8)
  await settled()
  t.same(opened, [true, false, true, false], 'an operator who reads everything is not control')
})

void t.test('what is asked comes before everything else to a slow reader', async t => {
  const { stream, connect, targets, advance } = setUp()
  const slow = await connect()
  slow.isSlow = true
  stream.publish({ type: 'redeemed', token: 'w', dataPort: 'game', sessionId: '0-1' })
  stream.publish({ type: 'redeemed', token: 'x', dataPort: 'game', sessionId: '0-1' })
  targets.addSessions('a', 1)
  await advance(COUNTS_PERIOD_MS)
  stream.publish({ type: 'asked', id: 7, client: '192.0.2.7:1', dataPort: 'game' })
  slow.lines = []
  slow.drain()
  t.same(slow.lines.map(line => (line as { type: string }).type), ['asked', 'counts', 'redeemed'])
})

void t.test('a newer epoch ends what those before it read, and nothing else', async t => {
  const { stream, connect } = setUp()
  const [anybody, first, second, third] = [await connect(), await connect('counts', '5'), await connect('counts', '6'), await connect('counts', '7')]
  stream.endBefore(7)
  t.same([anybody, first, second, third].map(({ isEnded }) => isEnded), [false, true, true, false])
  t.equal(stream.isControlled(7), true)
  third.cut()
  t.equal(stream.isControlled(7), false, 'of those that have been ended nobody is left in charge')
})

void t.test('an epoch that is not a number is refused', t => {
  const { stream } = setUp()
  for (const epoch of ['', 'x', '-1', '1e3', '12345678901234567']) t.equal(stream.read({ epoch }, new FakeReader())?.code, 'INVALID', epoch)
  t.end()
})

void t.test('counts of several shards are one number for a key', async t => {
  const counts = new SessionCounts()
  counts.apply(0, { a: 2, b: 1 })
  counts.apply(1, { a: 3 })
  const taken = (): object => Object.fromEntries([...counts.takeChanged()].map(key => [key, counts.of(key)]))
  t.same(taken(), { a: 5, b: 1 })
  counts.apply(0, { a: 0 })
  t.same(taken(), { a: 3 }, 'absolute counts of one shard leave the other alone')
  counts.apply(1, { a: 0 })
  t.same(taken(), { a: 0 })
  t.same([...counts.keys()], ['b'])
})
