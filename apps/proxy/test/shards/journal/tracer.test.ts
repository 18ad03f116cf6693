import t from 'tap'
import { createFakeClock } from '#testkit/fake-clock.js'
import { addressWords } from '#wire/address.js'
import { createCore } from '../../../src/core/core.js'
import { TraceRing } from '../../../src/core/ledger/trace-ring.js'
import { Tracer } from '../../../src/shards/journal/tracer.js'
import { bytesOf, servers, silentObserver, testOptions, tokenOf } from '../../core/core-driver.js'

function setUp (linesPerSecond: number) {
  const clock = createFakeClock(1000)
  const ring = new TraceRing()
  const core = createCore(testOptions({ trace: ring }), silentObserver)
  const lines: object[] = []
  const tracer = new Tracer({
    ring,
    clock,
    linesPerSecond,
    voice: { log: (level, fields, message) => { lines.push({ level, ...fields, message }) } },
    dataPortName: index => ['game', 'voice'][index]
  })
  const send = (address: string, bytes: Uint8Array, dataPort = 0): void => { core.packets.fromClient(dataPort, addressWords(address)!, 5000, bytes, false, clock.now()) }
  return { clock, core, tracer, lines, send }
}

void t.test('each decision has a line: who sent how much where, and what became of it', t => {
  const { core, tracer, lines, send, clock } = setUp(100)
  send('192.0.2.1', Buffer.from('hello'))
  core.operations.grant({ token: tokenOf('t'), target: servers.A, ttlMs: 1000, consumed: 0 }, clock.now())
  send('2001:db8::1', bytesOf({ token: 't' }), 1)
  send('2001:db8::1', Buffer.from('data'), 1)
  core.packets.fromTarget(core.state.flows.socket(core.packets.flow), addressWords('10.9.9.9')!, 7, 3, false, clock.now())
  tracer.tell()
  t.same(lines, [
    { level: 'trace', direction: 'to_target', dataPort: 'game', source: '192.0.2.1:5000', bytes: 5, reason: 'no_session', message: 'Datagram dropped' },
    { level: 'trace', direction: 'to_target', dataPort: 'voice', source: '[2001:db8::1]:5000', bytes: 36, message: 'Datagram consumed' },
    { level: 'trace', direction: 'to_target', dataPort: 'voice', source: '[2001:db8::1]:5000', bytes: 4, message: 'Datagram forwarded' },
    { level: 'trace', direction: 'to_client', dataPort: 'none', source: '10.9.9.9:7', bytes: 3, reason: 'reply_source', message: 'Datagram dropped' }
  ])
  tracer.tell()
  t.equal(lines.length, 4, 'once')
  t.end()
})

void t.test('lines have a bound, and what is beyond it is counted, once a second', t => {
  const { tracer, lines, send, clock } = setUp(3)
  for (let number = 0; number < 2000; number++) send('192.0.2.1', Buffer.from('x'))
  tracer.tell()
  t.equal(lines.length, 4)
  t.same(lines.at(-1), { level: 'trace', leftOut: 1997, message: 'Datagrams without a line' })
  for (let number = 0; number < 10; number++) send('192.0.2.1', Buffer.from('x'))
  tracer.tell()
  t.equal(lines.length, 4)
  clock.advance(1000)
  tracer.tell()
  t.same(lines.at(-1), { level: 'trace', leftOut: 10, message: 'Datagrams without a line' })
  t.end()
})
