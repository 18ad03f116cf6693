// State logs whose checksums are right and whose contents are not: each of these once stopped a proxy from starting, or
// came to life in it. Found by fuzzing, kept in plain words.
import t from 'tap'
import { addressWords } from '#wire/address.js'
import type { Core } from '../../src/core/core.js'
import { Direction } from '../../src/core/ledger/counters.js'
import { CONSUMED, FORWARD } from '../../src/core/datagrams/packet-path.js'
import { ImageWriter } from '../../src/state/format/image-writer.js'
import { BATCH_HEAD_BYTES, FLOW, ImageKind, SESSION, TOKEN } from '../../src/state/format/layout.js'
import { BATCH_FRAME_BYTES, decodeLog, encodeHeader, sealBatch, type LogHeader } from '../../src/state/format/log-format.js'
import { loadSavedState } from '../../src/state/saved-state.js'
import { dataPortNames, send, servers, tokenOf } from '#testkit/lives/core-history.js'
import { MemoryStorage } from '#testkit/memory-storage.js'
import { clockAfter, live, restoreOnto, type Life } from '#testkit/lives/proxy-life.js'

const client = addressWords('192.0.2.1')!

/** A proxy with one session on the first server, killed. */
function oneSession (): Life {
  const life = live([{ do: 'defaults', servers: [0] }])
  if (send(life.core, 0, client, 1, Buffer.from('data'), 0) !== FORWARD) throw new Error('not forwarded')
  life.log.flush()
  return life
}

/** Appends a batch that is sealed as any other. */
function forge ({ storage, clock }: Life, write: (writer: ImageWriter) => void, lifeMs = clock.now()): void {
  const writer = new ImageWriter()
  write(writer)
  append(storage, link => writer.take({ lifeMs, bootMs: clock.boot()!.nowMs, wallMs: clock.wallNow() }, link))
}

/** Appends a batch of these bytes, whatever they are. */
function forgeBytes ({ storage }: Life, images: Uint8Array): void {
  const batch = Buffer.concat([Buffer.alloc(BATCH_FRAME_BYTES + BATCH_HEAD_BYTES), images])
  append(storage, link => {
    sealBatch(batch, link)
    return batch
  })
}

function append (storage: MemoryStorage, sealed: (link: number) => Uint8Array): void {
  const [name] = storage.list()
  const log = decodeLog(storage.read(name!))
  if (!log.ok) throw new Error(log.error)
  storage.logs.set(name!, Buffer.concat([storage.read(name!), sealed(log.value.link)]))
}

function image (kind: ImageKind, slot: number, body: Uint8Array): (writer: ImageWriter) => void {
  return writer => { writer.image(kind, slot, body) }
}

const text = (value: unknown): Uint8Array => Buffer.from(typeof value === 'string' ? value : JSON.stringify(value))

/** The body of a session of 192.0.2.9:port on target 0. */
function session ({ port = 9, origin = 1, createdAt = 0, datagrams = 1 }: { port?: number, origin?: number, createdAt?: number, datagrams?: number }): Uint8Array {
  const { rows } = SESSION
  const body = Buffer.alloc(SESSION.bytes)
  for (const [word, value] of addressWords('192.0.2.9')!.entries()) body.writeUInt32LE(value, word * 4)
  body.writeUInt16LE(port, rows.clientPort.at)
  body.writeUInt8(origin, rows.origin.at)
  body.writeDoubleLE(createdAt, rows.createdAt.at)
  body.writeDoubleLE(datagrams, rows.datagramsToTarget.at)
  return body
}

function flow ({ owner = 0, dataPort = 0, socket = 1, address = '10.0.0.1', port = 7001 }: { owner?: number, dataPort?: number, socket?: number, address?: string, port?: number }): Uint8Array {
  const body = Buffer.alloc(FLOW.bytes)
  body.writeUInt32LE(owner + 1, 0)
  body.writeUInt8(dataPort, FLOW.rows.dataPort.at)
  body.writeUInt16LE(socket, FLOW.rows.socket.at)
  for (const [word, value] of addressWords(address)!.entries()) body.writeUInt32LE(value, FLOW.rows.address.at + word * 4)
  body.writeUInt16LE(port, FLOW.rows.port.at)
  return body
}

function token (voidness: number, expiresAt: number): Uint8Array {
  const body = Buffer.alloc(TOKEN.bytes)
  body.writeUInt32LE(1, TOKEN.rows.target.at)
  body.writeUInt8(voidness, TOKEN.rows.voidness.at)
  body.writeDoubleLE(expiresAt, TOKEN.rows.expiresAt.at)
  return body
}

const [target] = servers

const forgeries: Readonly<Record<string, readonly [kind: ImageKind, body: Uint8Array]>> = {
  'a target that is not JSON': [ImageKind.target, text('{')],
  'a target without a key': [ImageKind.target, text({ ...target, key: '' })],
  'a target whose ports are not a list': [ImageKind.target, text({ ...target, ports: '7001' })],
  'a target with too few ports': [ImageKind.target, text({ ...target, ports: [7001] })],
  'a target with a port that is none': [ImageKind.target, text({ ...target, ports: [70_000, 0] })],
  'a session that is cut short': [ImageKind.session, session({}).subarray(0, 40)],
  'a session of nobody: port 0': [ImageKind.session, session({ port: 0 })],
  'a session of unknown origin': [ImageKind.session, session({ origin: 3 })],
  'a session as old as NaN': [ImageKind.session, session({ createdAt: NaN })],
  'a session with half a datagram': [ImageKind.session, session({ datagrams: 0.5 })],
  'a flow on a data port that is not there': [ImageKind.flow, flow({ dataPort: 2 })],
  'a flow to port 0': [ImageKind.flow, flow({ port: 0 })],
  'a flow that is too long': [ImageKind.flow, Buffer.concat([flow({}), Buffer.of(0)])],
  'a token void for no reason there is': [ImageKind.token, token(3, 1000)],
  'a token that never ends': [ImageKind.token, token(0, NaN)],
  'a port of one byte': [ImageKind.upstreamPort, Buffer.of(1)],
  'counters of eleven bytes': [ImageKind.counters, Buffer.alloc(11)],
  'a counter below zero': [ImageKind.counters, Buffer.from(new Float64Array([-1]).buffer)],
  'a counter that no longer counts': [ImageKind.counters, Buffer.from(new Float64Array([1e300]).buffer)],
  'a mark with a body': [ImageKind.complete, Buffer.of(1)]
}

void t.test('a log with an image that nobody writes is set aside as a whole', async t => {
  for (const [what, [kind, body]] of Object.entries(forgeries)) {
    const life = oneSession()
    forge(life, image(kind, 0, body))
    const { saved, cores: [core] } = restoreOnto(life.storage, 1, clockAfter(life.clock, 0))
    t.strictSame(saved.faulty, [{ name: '0.1', reason: 'corrupt' }], what)
    t.equal(core!.state.sessions.size, 0, what)
  }
  const batches: Readonly<Record<string, (life: Life) => void>> = {
    'written at no time there is': life => { forge(life, () => {}, NaN) },
    'ends within an image': life => { forgeBytes(life, Uint8Array.of(1, 255, 0, 0, 0, 0, 0)) },
    'ends within the head of one': life => { forgeBytes(life, Uint8Array.of(1, 0)) }
  }
  for (const [what, damage] of Object.entries(batches)) {
    const life = oneSession()
    damage(life)
    t.strictSame(loadSavedState(life.storage, dataPortNames).faulty, [{ name: '0.1', reason: 'corrupt' }], what)
  }
})

void t.test('what is sound is believed, images of later kinds as well', async t => {
  const life = oneSession()
  forge(life, writer => {
    image(ImageKind.session, 1, session({}))(writer)
    image(200 as ImageKind, 0, Buffer.of(1, 2, 3))(writer)
  })
  const { saved, cores: [core] } = restoreOnto(life.storage, 1, clockAfter(life.clock, 0))
  t.strictSame(saved.faulty, [])
  t.equal(core!.state.sessions.size, 2)
})

void t.test('a header that no proxy writes', async t => {
  const ports = [{ name: 'game', port: 1 }, { name: 'voice', port: 2 }]
  const headers: ReadonlyArray<readonly [what: string, header: Partial<LogHeader>, reason: string]> = [
    ['a port that cannot be bound', { dataPorts: [{ name: 'game', port: 70_000 }, ports[1]!] }, 'corrupt'],
    ['a shard beyond the last', { shard: 1, shards: 1 }, 'corrupt'],
    ['a generation that cannot be counted on', { generation: 1e300 }, 'corrupt'],
    ['two data ports in one', { dataPorts: [{ name: 'game,voice', port: 1 }] }, 'other_data_ports']
  ]
  for (const [what, header, reason] of headers) {
    const storage = new MemoryStorage()
    storage.logs.set('0.1', encodeHeader({ run: 'r', shard: 0, shards: 1, generation: 1, dataPorts: ports, ...header }))
    t.strictSame(loadSavedState(storage, dataPortNames).faulty, [{ name: '0.1', reason }], what)
  }
})

void t.test('a flow that leads to another target than its session\'s is nobody\'s', async t => {
  const forged: ReadonlyArray<readonly [what: string, body: Uint8Array]> = [
    ['another address', flow({ dataPort: 1, address: '10.0.0.2', port: 7002 })],
    ['another port', flow({ dataPort: 1, port: 7001 })],
    ['a second one on a data port', flow({ socket: 2 })]
  ]
  for (const [what, body] of forged) {
    const life = oneSession()
    forge(life, image(ImageKind.flow, 5, body))
    const { cores: [core] } = restoreOnto(life.storage, 1, clockAfter(life.clock, 0))
    t.strictSame([core!.state.flows.size, core!.state.flows.lingering], [2, 1], what)
  }
})

void t.test('the last words count what ended without a datagram', async t => {
  const life = oneSession()
  life.clock.advance(100)
  life.log.tick()
  life.core.operations.endSession(0, life.clock.now())
  life.log.close()
  const { cores: [core] } = restoreOnto(life.storage, 1, clockAfter(life.clock, 0))
  t.equal(sum(core!.state.counters.sessionsEnded), 1)
})

void t.test('a token that is bound to ::1 is bound to it in the next life', async t => {
  const life = live([])
  life.core.operations.grant({ token: tokenOf(1), target: servers[0]!, ttlMs: 10_000, consumed: 0, client: addressWords('::1')! }, 0)
  life.log.flush()
  const { cores: [core] } = restoreOnto(life.storage, 1, clockAfter(life.clock, 0))
  const isRedeemedBy = (address: string): boolean => send(core!, 0, addressWords(address)!, 1, Buffer.from(tokenOf(1)), 12_345) === CONSUMED
  t.notOk(isRedeemedBy('192.0.2.1'))
  t.ok(isRedeemedBy('::1'))
})

void t.test('counters of another number of places mean something else', async t => {
  const life = oneSession()
  forge(life, image(ImageKind.counters, 0, Buffer.from(new Float64Array([7]).buffer)))
  const { cores: [core] } = restoreOnto(life.storage, 1, clockAfter(life.clock, 0))
  t.equal(core!.state.counters.received[0], 0)
})

void t.test('the ledger balances whatever counters were saved', async t => {
  const life = oneSession()
  life.log.close()
  const proxied = new Float64Array(6)
  proxied[0] = 5
  forge(life, image(ImageKind.counters, 1, Buffer.from(proxied.buffer)))
  const { cores: [core] } = restoreOnto(life.storage, 1, clockAfter(life.clock, 0))
  t.equal(inFlight(core!), 0)
  t.equal(core!.state.counters.proxied[0], 5)
})

function sum (counts: Float64Array): number {
  return counts.reduce((total, count) => total + count, 0)
}

function inFlight ({ state: { counters } }: Core): number {
  return counters.inFlight(Direction.toTarget)
}
