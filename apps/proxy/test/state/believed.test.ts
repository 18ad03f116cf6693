// What of the state logs is believed, and what is not: damage of every kind, lives that are not whole, clocks that were set.
import t from 'tap'
import { createFakeClock, type FakeClock } from '#testkit/fake-clock.js'
import { addressWords } from '#wire/address.js'
import type { Core } from '../../src/core/core.js'
import { createCore } from '../../src/core/core.js'
import { CONSUMED, FORWARD } from '../../src/core/datagrams/packet-path.js'
import { DropReason } from '../../src/core/ledger/drop-reason.js'
import type { CoreOptions } from '../../src/core/datagrams/options.js'
import { decodeLog } from '../../src/state/format/log-format.js'
import { restoreSessions } from '../../src/state/restore.js'
import { loadSavedState, type SavedState } from '../../src/state/saved-state.js'
import { StateLog } from '../../src/state/state-log.js'
import { Ring } from '../../src/state/files/ring.js'
import { openRingStorage, RingReader } from '../../src/state/files/ring-storage.js'
import type { StateStorage } from '../../src/state/files/state-storage.js'
import { bytesOf, servers, silentObserver, testOptions, tokenOf } from '../core/core-driver.js'
import { encodeLog } from '#testkit/lives/log-edits.js'
import { MemoryStorage } from '#testkit/memory-storage.js'
import { tokensIn } from './tokens-in.js'

const dataPorts = [{ name: 'game', port: 7777 }, { name: 'voice', port: 7778 }]
const names = dataPorts.map(({ name }) => name)
const client = addressWords('192.0.2.7')!

interface LifeOptions {
  readonly run?: string
  readonly shard?: number
  readonly shards?: number
  readonly generation?: number
  readonly bootId?: string | undefined
}

class Life {
  readonly core = createCore(testOptions(), silentObserver)
  readonly log: StateLog
  readonly clock: FakeClock
  readonly health: string[] = []

  constructor (storage: StateStorage, clock: FakeClock, { run = 'one', shard = 0, shards = 1, generation = 1, bootId = 'fake-boot' }: LifeOptions = {}) {
    this.clock = clock
    const header = { run, bootId, shard, shards, generation, dataPorts }
    this.log = new StateLog({ storage, state: this.core.state, clock, header, onHealth: ({ status }) => { this.health.push(status) }, growthBytes: 400 })
    this.log.open()
  }

  grant (name: string, server: keyof typeof servers = 'A', ttlMs = 30_000): void {
    this.core.operations.grant({ token: tokenOf(name), target: servers[server], ttlMs, consumed: 0 }, this.clock.now())
    this.log.flush()
  }

  send (port: number, payload: Parameters<typeof bytesOf>[0]): number {
    const verdict = this.core.packets.fromClient(0, client, port, bytesOf(payload), false, this.clock.now())
    this.log.flush()
    return verdict
  }

  join (port: number, name: string, server: keyof typeof servers = 'A'): void {
    this.grant(name, server)
    if (this.send(port, { token: name }) !== CONSUMED || this.send(port, { data: 'x' }) !== FORWARD) throw new Error('no session')
  }
}

function copyOf (storage: MemoryStorage): MemoryStorage {
  const copy = new MemoryStorage()
  for (const [name, bytes] of storage.logs) copy.logs.set(name, Uint8Array.from(bytes))
  return copy
}

function next (storage: MemoryStorage, clock: FakeClock, overrides: Partial<CoreOptions> = {}): { saved: SavedState, core: Core, expired: number, refused: number } {
  const saved = loadSavedState(storage, names)
  const core = createCore(testOptions(overrides), silentObserver)
  const { expired, refused } = restoreSessions(core.state, saved, { shard: 0, shards: 1, clock })
  return { saved, core, expired, refused }
}

function facts (storage: MemoryStorage, clock: FakeClock): unknown {
  const { saved, core: { state, operations } } = next(storage, clock)
  const sessions = Array.from({ length: state.sessions.highWater }, (_, slot) => operations.viewOf(slot, clock.now()))
  return { sessions: sessions.map(({ id, client, target, idleMs }) => [id, client, target.key, idleMs]), tokens: tokensIn(saved, clock) }
}

/** Two sessions, one of which has left its first target; a redeemed token and a live one; in two generations. */
function realLogs (): { storage: MemoryStorage, clock: FakeClock } {
  const storage = new MemoryStorage()
  const clock = createFakeClock()
  const life = new Life(storage, clock)
  life.join(1, 'p')
  life.join(2, 'q')
  for (let turn = 0; turn < 100 && storage.logs.size < 2; turn++) {
    clock.advance(100)
    life.log.tick()
  }
  life.grant('r', 'B')
  life.send(1, { control: 'r' })
  life.grant('s', 'C')
  clock.advance(100)
  life.send(2, { data: 'x' })
  return { storage, clock }
}

void t.test('any bit of a log may turn: it is found, or nothing comes of it', async t => {
  const { storage, clock } = realLogs()
  const whole = JSON.stringify(facts(storage, clock))
  t.match(whole, /"A"|"B"/)
  let [looks, found] = [0, 0]
  const wrong: string[] = []
  for (const [name, bytes] of storage.logs) {
    for (let bit = 0; bit < bytes.length * 8; bit++) {
      bytes[bit >> 3]! ^= 1 << (bit & 7)
      const { saved, core } = next(storage, clock)
      looks++
      if (saved.faulty.length > 0) {
        found++
        if (core.state.sessions.size > 0 || tokensIn(saved, clock).tokens.length > 0) wrong.push(`${name} bit ${bit}: believed although it is damaged`)
      } else if (JSON.stringify(facts(storage, clock)) !== whole) wrong.push(`${name} bit ${bit}: not found`)
      bytes[bit >> 3]! ^= 1 << (bit & 7)
    }
  }
  t.strictSame(wrong, [])
  t.equal(found, looks, 'every one of them is found')
})

void t.test('batches that go, come twice, change places or come from another log are found', async t => {
  const { storage, clock } = realLogs()
  const other = realLogs().storage
  for (const [name, bytes] of storage.logs) {
    const log = decodeLog(bytes)
    if (!log.ok) throw new Error(log.error)
    const frames: Uint8Array[] = []
    let at = encodeLog(log.value.header, []).length
    const head = bytes.subarray(0, at)
    for (const batch of log.value.batches) frames.push(bytes.subarray(at, at += 12 + batch.length))
    const damage: Record<string, Uint8Array[]> = {
      gone: frames.filter((_, index) => index !== 1),
      twice: frames.flatMap((frame, index) => index === 0 ? [frame, frame] : [frame]),
      swapped: [frames[1]!, frames[0]!, ...frames.slice(2)],
      foreign: [frames[0]!, ...[...other.logs.values()].map(bytes => bytes.subarray(head.length)), ...frames.slice(1)]
    }
    for (const [what, parts] of Object.entries(damage)) {
      if (frames.length < 3) continue
      const copy = copyOf(storage)
      copy.logs.set(name, Buffer.concat([head, ...parts]))
      t.ok(loadSavedState(copy, names).faulty.length > 0, `${name}: ${what}`)
      t.equal(next(copy, clock).core.state.sessions.size, 0, `${name}: ${what}`)
    }
  }
})

void t.test('a log that was followed by one that is not there is not the last word', async t => {
  const { storage, clock } = realLogs()
  const [, last] = storage.list()
  storage.remove(last!)
  const { saved, core } = next(storage, clock)
  t.match(saved.faulty, [{ reason: 'unfinished' }])
  t.equal(core.state.sessions.size, 0)
})

void t.test('of complete logs the newest counts, whatever became of the ones before it', async t => {
  const { storage, clock } = realLogs()
  const [first, last] = storage.list()
  // The newer one has everything: as many ticks as it takes, in a life of its own that goes on from there.
  const whole = new MemoryStorage()
  const life = new Life(whole, clock, { generation: 2 })
  life.join(7, 'z')
  whole.logs.set(first!, storage.read(first!).subarray(0, storage.read(first!).length - 40))
  t.equal(last, '0.2')
  const { saved, core } = next(whole, clock)
  t.strictSame(saved.faulty, [])
  t.equal(core.operations.clientOf(0), '192.0.2.7:7')
})

void t.test('a life that left everything comes before a later one that did not; its tokens are not believed then', async t => {
  const storage = new MemoryStorage()
  const clock = createFakeClock()
  for (const shard of [0, 1]) new Life(storage, clock, { run: 'whole', shard, shards: 2, generation: 1 }).join(10 + shard, `a${shard}`)
  new Life(storage, clock, { run: 'half', shard: 0, shards: 2, generation: 2 }).join(20, 'b0')
  const saved = loadSavedState(storage, names)
  t.strictSame([...saved.shards.keys()].sort(), [0, 1])
  t.ok(saved.isOutdated)
  t.strictSame(tokensIn(saved, clock).tokens, [])
})

void t.test('a log of one shard that is damaged is a reason to distrust the tokens of all', async t => {
  const storage = new MemoryStorage()
  const clock = createFakeClock()
  for (const shard of [0, 1]) new Life(storage, clock, { shard, shards: 2 }).grant('p')
  t.equal(tokensIn(loadSavedState(storage, names), clock).tokens.length, 1)
  storage.logs.set('1.9', Buffer.from('UDPD-STATE'))
  t.strictSame(tokensIn(loadSavedState(storage, names), clock).tokens, [])
})

void t.test('a session is as idle as it was, the time away included', async t => {
  for (const [idleMs, awayMs, comesBack] of [[200_000, 99_000, true], [200_000, 101_000, false], [299_000, 0, true], [301_000, 0, false]] as const) {
    const storage = new MemoryStorage()
    const clock = createFakeClock()
    const life = new Life(storage, clock)
    life.join(1, 'p')
    for (let ms = 0; ms < idleMs; ms += 1000) {
      clock.advance(1000)
      life.log.tick()
    }
    clock.advance(awayMs)
    const { core, expired } = next(storage, clock)
    t.equal(core.state.sessions.size, comesBack ? 1 : 0, `${idleMs} + ${awayMs}`)
    t.equal(expired, comesBack ? 0 : 1)
    if (comesBack) t.equal(core.operations.viewOf(0, clock.now()).idleMs, idleMs + awayMs)
  }
})

void t.test('datagrams of an established session are noticed soon enough', async t => {
  const storage = new MemoryStorage()
  const clock = createFakeClock()
  const life = new Life(storage, clock)
  life.join(1, 'p')
  for (let ms = 0; ms < 400_000; ms += 100) {
    clock.advance(100)
    if (ms % 1000 === 0) life.send(1, { data: 'x' })
    life.log.tick()
  }
  const { core } = next(storage, clock)
  t.equal(core.state.sessions.size, 1)
  t.ok(core.operations.viewOf(0, clock.now()).idleMs <= 11_000)
})

void t.test('a session that speaks after a long silence is written at that moment: a kill right then does not lose it', async t => {
  for (const [silenceMs, idleMs] of [[150_001, 0], [150_000, 150_000]] as const) {
    const storage = new MemoryStorage()
    const clock = createFakeClock()
    const life = new Life(storage, clock)
    life.join(1, 'p')
    life.send(1, { data: 'believed from now on' })
    clock.advance(silenceMs)
    life.send(1, { data: 'x' })
    t.equal(next(storage, clock).core.operations.viewOf(0, clock.now()).idleMs, idleMs, `${silenceMs} ms`)
    // The next one changes nothing that is written at once.
    const before = life.log.bytes
    clock.advance(10)
    life.send(1, { data: 'x' })
    t.equal(life.log.bytes, before)
  }
})

void t.test('a kill counts nobody as silent for much more than half the time that is allowed too long', async t => {
  for (const everyMs of [9000, 60_000, 149_000, 151_000, 299_000]) {
    const storage = new MemoryStorage()
    const clock = createFakeClock()
    const life = new Life(storage, clock)
    life.join(1, 'p')
    let mostMs = 0
    for (let ms = 1000; ms <= 700_000; ms += 1000) {
      clock.advance(1000)
      if (ms % everyMs === 0) life.send(1, { data: 'x' })
      life.log.tick()
      if (ms % everyMs > 0) continue
      mostMs = Math.max(mostMs, next(storage, clock).core.operations.viewOf(0, clock.now()).idleMs - ms % everyMs)
    }
    t.ok(mostMs <= 180_000, `every ${everyMs} ms: ${mostMs}`)
  }
})

void t.test('a wall clock that is set between two lives ends no session and lengthens no token', async t => {
  for (const hours of [-2, 0, 2]) {
    const storage = new MemoryStorage()
    const clock = createFakeClock()
    const life = new Life(storage, clock)
    life.join(1, 'p')
    life.grant('live', 'B', 20_000)
    clock.advance(5000)
    const later: FakeClock = { ...clock, wallNow: () => clock.wallNow() + hours * 3_600_000 }
    const { saved, core } = next(storage, later)
    t.equal(core.state.sessions.size, 1)
    t.equal(core.operations.viewOf(0, clock.now()).idleMs, 5000)
    t.match(tokensIn(saved, later).tokens.find(({ token }) => token === tokenOf('live')), { ttlMs: 15_000 })
  }
})

void t.test('after a start of the machine the wall clock tells; set back, it makes nothing longer', async t => {
  for (const [wallMs, idleMs] of [[7000, 7000], [-3_600_000, 0]] as const) {
    const storage = new MemoryStorage()
    const clock = createFakeClock()
    const life = new Life(storage, clock)
    life.join(1, 'p')
    life.grant('live', 'B', 20_000)
    const later: FakeClock = { ...clock, boot: () => ({ id: 'another', nowMs: 3 }), wallNow: () => clock.wallNow() + wallMs }
    const { saved, core } = next(storage, later)
    t.equal(core.operations.viewOf(0, clock.now()).idleMs, idleMs)
    t.match(tokensIn(saved, later).tokens.find(({ token }) => token === tokenOf('live')), { ttlMs: 20_000 - idleMs })
  }
})

void t.test('no token lives for longer than any can', async t => {
  const storage = new MemoryStorage()
  const clock = createFakeClock()
  new Life(storage, clock).grant('p', 'A', 1e9)
  t.match(tokensIn(loadSavedState(storage, names), clock).tokens, [{ ttlMs: 3_600_000 }])
})

void t.test('who is not admitted any more does not come back; who redeemed a token still counts as one who did', async t => {
  const storage = new MemoryStorage()
  const clock = createFakeClock()
  const life = new Life(storage, clock)
  life.core.operations.setDefaultTargets([servers.D])
  life.send(5, { data: 'guest' })
  life.join(5, 'p', 'D')
  life.core.operations.moveSession(0, servers.B, clock.now())
  life.log.flush()
  const { core } = next(storage, clock)
  t.ok(core.state.sessions.hasRedeemed(0))
  t.equal(core.state.admission.defaultSessions, 0)
  const denied = next(storage, clock, { clients: { allow: [], deny: ['192.0.2.0/24'] } as unknown as CoreOptions['clients'] })
  t.equal(denied.refused, 1)
  t.equal(denied.core.state.sessions.size, 0)
})

void t.test('another thread writes: nothing is waited for, and what there is no room for is written later', async t => {
  const storage = new MemoryStorage()
  const clock = createFakeClock()
  const ring = new Ring()
  const life = new Life(openRingStorage(ring, new Int32Array(new SharedArrayBuffer(8))), clock)
  const reader = new RingReader(new Ring(ring.memory), storage)
  t.notOk(life.log.isComplete)
  reader.drain()
  t.ok(life.log.isComplete)
  // The disk takes nothing: the ring fills, and then changes wait where they are.
  for (let turn = 0; turn < 4000; turn++) {
    clock.advance(1000)
    life.log.tick()
  }
  t.ok(ring.waiting < 2 * 1024 * 1024)
  life.join(1, 'p')
  t.strictSame(life.health, ['late'])
  reader.drain()
  for (let turn = 0; turn < 5; turn++) {
    clock.advance(100)
    life.log.tick()
    reader.drain()
  }
  t.strictSame(life.health, ['late', 'written'])
  t.equal(next(storage, clock).core.state.sessions.size, 1)
  // It fails: the log goes, and another one begins.
  storage.room = 0
  life.join(2, 'q')
  reader.drain()
  clock.advance(1000)
  life.log.tick()
  reader.drain()
  t.strictSame(life.health, ['late', 'written', 'failed'])
  t.equal(storage.logs.size, 0)
  storage.room = Infinity
  for (let turn = 0; turn < 30; turn++) {
    clock.advance(1000)
    life.log.tick()
    reader.drain()
  }
  t.strictSame(life.health, ['late', 'written', 'failed', 'written'])
  t.equal(next(storage, clock).core.state.sessions.size, 2)
  t.equal(next(storage, clock).core.packets.fromClient(0, client, 9, bytesOf({ token: 'p' }), false, clock.now()), DropReason.noSession)
})
